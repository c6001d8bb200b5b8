"""HTML to the plain text that a reader sees; what is quoted is marked by `>` as in plain mail.

Tags are found by one expression that never looks at a character twice: the standard library's parser takes minutes for
some malformed documents of the size of a mail.
"""

import re
from collections.abc import Iterator
from html import unescape

from imprimatur.mail.replies.decoding import cleaned

_BLOCKS = frozenset({
    "address", "article", "blockquote", "body", "center", "dd", "div", "dl", "dt", "fieldset", "footer", "form", "h1",
    "h2", "h3", "h4", "h5", "h6", "header", "html", "li", "main", "ol", "p", "pre", "section", "table", "tbody",
    "tfoot", "thead", "tr", "ul",
})  # fmt: skip
_UNSHOWN = frozenset({"head", "script", "style", "template", "title", "noscript", "svg", "math", "object", "select"})
_VOID = frozenset({
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
})  # fmt: skip
_STRUCK = frozenset({"s", "strike", "del"})
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|font-size\s*:\s*0(?![.\d])")
# What mail programs put around the message that is answered.
_QUOTING_CLASS = re.compile(r"\b(gmail_quote|yahoo_quoted|protonmail_quote|zmail_extra|moz-forward-container)\b")
_QUOTING_ID = frozenset({"replyblockquote", "mail-editor-reference-message-container"})
# Outlook's ids mark where the quote begins; it goes on after the element that bears one.
_TO_THE_END = frozenset({"appendonsend", "divrplyfwdmsg"})
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9:]{0,30})((?:[^<>\"']|\"[^\"<]*\"|'[^'<]*')*)>")
_ATTRIBUTE = re.compile(
    r"\b(id|class|style|hidden)\b(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+)))?", re.IGNORECASE
)
_DECLARATION = re.compile(r"<!--|<[!?]")
DEEPEST = 200
LONGEST_ATTRIBUTES = 4_000


class _Reader:
    """``open`` holds (tag, what ends with it) for every element that is not closed yet."""

    def __init__(self) -> None:
        self.lines: list[tuple[int, str]] = []
        self.line: list[str] = []
        self.open: list[tuple[str, str]] = []
        self.counts = {"quotes": 0, "unshown": 0, "pre": 0}
        self.rest_is_quoted = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag in _BLOCKS or tag in ("br", "hr"):
            self.end_line(always=tag == "br")
        if tag in _VOID or len(self.open) >= DEEPEST:
            return
        effect = self._effect(tag, attributes)
        self.open.append((tag, effect))
        self._count(effect, 1)

    def _effect(self, tag: str, attributes: dict[str, str]) -> str:
        identifier = attributes.get("id", "").lower()
        if tag in _UNSHOWN or "hidden" in attributes or _HIDDEN.search(attributes.get("style", "").lower()):
            return "unshown"
        if identifier in _TO_THE_END:
            self.rest_is_quoted = True
        if tag == "blockquote" or identifier in _QUOTING_ID or _QUOTING_CLASS.search(attributes.get("class", "")):
            return "quotes"
        if tag in _STRUCK or "line-through" in attributes.get("style", "").lower():
            self.line.append("~~")
            return "struck"
        return "pre" if tag == "pre" else ""

    def _count(self, effect: str, by: int) -> None:
        if effect in self.counts:
            self.counts[effect] += by

    def end(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.end_line()
        if not any(name == tag for name, _ in self.open):
            return
        name = ""
        while name != tag:
            name, effect = self.open.pop()
            self._count(effect, -1)
            if effect == "struck":
                self.line.append("~~")
        if tag == "p":
            self.end_line(always=True)

    def say(self, data: str) -> None:
        if not data or self.counts["unshown"]:
            return
        # The document was cleaned as a whole; only what it spells by entities can be unseen still.
        text = cleaned(unescape(data)) if "&" in data else data
        if not self.counts["pre"]:
            self.line.append(re.sub(r"\s+", " ", text))
            return
        first, *others = text.split("\n")
        self.line.append(first)
        for line in others:
            self.end_line(always=True)
            self.line.append(line)

    def end_line(self, always: bool = False) -> None:
        text = "".join(self.line)
        text = text if self.counts["pre"] else re.sub(r" +", " ", text).strip()
        self.line.clear()
        if text or always:
            self.lines.append((self.counts["quotes"] + (1 if self.rest_is_quoted else 0), text))


def text_of_html(html: str) -> str:
    """Elements that are hidden from the reader say nothing; struck words stand between tildes."""
    reader, begin = _Reader(), 0
    html = "".join(_without_declarations(html))
    for found in _TAG.finditer(html):
        reader.say(html[begin : found.start()])
        begin = found.end()
        tag = found[2].lower()
        if found[1]:
            reader.end(tag)
        else:
            reader.start(tag, _attributes(found[3]))
    reader.say(html[begin:])
    reader.end_line()
    return "\n".join(f"{'>' * depth} {text}" if depth else text for depth, text in reader.lines)


def _attributes(text: str) -> dict[str, str]:
    """Those that say how an element is shown."""
    given = _ATTRIBUTE.finditer(text[:LONGEST_ATTRIBUTES])
    return {found[1].lower(): found[2] or found[3] or found[4] or "" for found in given}


def _without_declarations(html: str) -> Iterator[str]:
    """Neither comments nor declarations; one that does not end takes the rest with it."""
    begin = 0
    while (found := _DECLARATION.search(html, begin)) is not None:
        yield html[begin : found.start()]
        mark = "-->" if found.group() == "<!--" else ">"
        end = html.find(mark, found.end())
        if end < 0:
            return
        begin = end + len(mark)
    yield html[begin:]
