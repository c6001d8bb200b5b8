"""What somebody wrote themselves: the text of a message without what it quotes, without signature and disclaimer."""

import re
from collections.abc import Sequence

LONGEST_LINE = 2_000
LONGEST_ATTRIBUTION = 500
MOST_LINES = 5_000
# Lines of one line of introduction to a quote, which programs break.
MOST_LINES_OF_ATTRIBUTION = 4
_QUOTED = re.compile(r"\s{0,3}[>＞]")
_NAMES = (
    "from", "sent", "date", "to", "cc", "subject", "reply-to", "von", "gesendet", "datum", "an", "kopie", "betreff",
    "de", "envoyé", "date d'envoi", "à", "objet", "enviado", "enviado el", "fecha", "para", "asunto", "da", "inviato",
    "data", "a", "oggetto", "van", "verzonden", "aan", "onderwerp", "från", "skickat", "till", "ämne", "fra", "sendt",
    "til", "emne", "od", "wysłano", "do", "temat", "от", "отправлено", "кому", "тема", "assunto", "差出人", "送信者",
    "送信日時", "日時", "日付", "宛先", "件名", "发件人", "发送时间", "收件人", "主题",
)  # fmt: skip
_HEADER_LINE = re.compile(
    r"[*\s]*(" + "|".join(map(re.escape, sorted(_NAMES, key=len, reverse=True))) + r")\s*[*]*\s*[:：]", re.IGNORECASE
)
_FEWEST_HEADERS, _HEADERS_WITHIN = 3, 8
_DIVIDER_WORDS = (
    r"(original message|original appointment|reply message|forwarded (message|by .{1,80})"
    r"|(ursprüngliche|original)[ -]?nachricht"
    r"|weitergeleitete nachricht|message (d'origine|original|transféré|réexpédié)|mensaje (original|reenviado)"
    r"|messaggio (originale|inoltrato)|mensagem (original|encaminhada)|oorspronkelijk bericht|doorgestuurd bericht"
    r"|ursprungligt meddelande|wiadomość oryginalna|исходное сообщение|元のメッセージ"
    r"|転送(された)?メッセージ|原始邮件|转发邮件)"
)
_DIVIDER = re.compile(rf"\s*[-_=*]{{2,}}\s*{_DIVIDER_WORDS}\s*:?\s*[-_=*]{{0,60}}\s*", re.IGNORECASE)
_FORWARDING = re.compile(
    r"\s*(begin forwarded message|anfang der weitergeleiteten (nachricht|e-mail)|début du message (réexpédié|transféré)"
    r"|inicio del mensaje reenviado|inizio messaggio inoltrato|転送されたメッセージ)\s*[:：]?\s*",
    re.IGNORECASE,
)
_RULE = re.compile(r"\s*[-_=*─━]{5,}\s*")
_DELIMITER = re.compile(r"--\s?|__\s?|—\s?")
_ADDRESS = re.compile(r"[^\s<>@]+@[^\s<>@]+")
_TIME = re.compile(r"\d{1,2}\s?[:.h時点]\s?\d{2}")
_ATTRIBUTION = re.compile(
    r"(on\b.*\bwrote|.*\bwrote( on\b.*)?|am\b.*\bschrieb\b.*|.*\bschrieb( am\b.*)?|le\b.*\ba écrit"
    r"|.*\ba écrit|el\b.*\bescribió"
    r"|.*\bescribió( el\b.*)?|il\b.*\bha scritto|em\b.*\bescreveu|op\b.*\bschreef\b.*"
    r"|(den|på|on|ti|ma|ke|to|pe|la|su)\b.*\b(skrev|kirjoitti)\b.*|.*\b(pisze|napisał|napisał\(a\)|пишет|написал|написал\(а\))|.*(写道|寫道|さんは書きました"
    r"|が書き込みました|のメール|のメッセージ)|\d{4}年\d{1,2}月\d{1,2}日.*)\s*[:：]",
    re.IGNORECASE | re.DOTALL,
)
_DATED_BEGIN = re.compile(r"\s*\w{1,3}\b.{0,15}\d{1,2}\b.{0,15}\b\d{2,4}\b")
_MOBILE = re.compile(
    r"\s*(sent (from|via|with) (my |the )?(iphone|ipad|android|samsung|galaxy|huawei|pixel|mobile"
    r"|phone|blackberry|mail for"
    r"|outlook|yahoo|proton|aol|gmail|thunderbird).{0,80}|get outlook for .{0,60}"
    r"|von (meinem|meinen) .{0,40} gesendet.{0,20}"
    r"|gesendet (von|mit) .{0,60}|diese nachricht wurde von meinem .{0,60} gesendet.{0,20}"
    r"|(holen sie sich )?outlook für (ios|android).{0,60}|envoyé (de|depuis|à partir de) .{0,60}"
    r"|obtenir outlook pour .{0,60}|télécharger outlook pour .{0,60}|enviado (desde|de) (mi|meu|correo) .{0,60}"
    r"|obtener outlook para .{0,60}|inviato (da|dal) .{0,60}|verzonden vanaf .{0,60}|skickat från .{0,60}"
    r"|(i?phone|ipad|android|私の.{0,20})から送信.{0,10}|outlook for (ios|android) を入手.{0,40})\s*",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"\s*((with )?(best|kind|kindest|warm|warmest) (regards|wishes)|(best|regards|cheers|sincerely"
    r"|yours (sincerely|faithfully|truly)"
    r"|many thanks|thanks|thank you|all the best|ngā mihi)|mit (freundlichen|besten|herzlichen|kollegialen) grü(ß|ss)en"
    r"|(freundliche|beste|viele|liebe|herzliche|schöne) grü(ß|ss)e|vg|lg|mfg|bien (cordialement|à vous)"
    r"|cordialement|salutations( distinguées)?"
    r"|meilleures salutations|(un )?(cordial saludo|saludos( cordiales)?)|atentamente|un saludo|cordiali saluti"
    r"|(どうぞ)?よろしくお願い(いた|致)?します|以上|敬具)\s*[,.!。、]?\s*",
    re.IGNORECASE,
)
_LONGEST_SIGNATURE, _WIDEST_SIGNATURE = 9, 90
_SAYS_MORE = re.compile(r"\s*(p\.?\s?s\.?\b|\w[\w ]{0,40}\s*[:=]\s*-?\d)", re.IGNORECASE)
_THIS_MESSAGE = re.compile(
    r"\b(this|the (information|contents?)( contained)? (in|of) this|diese[rs]?|der inhalt dieser"
    r"|ce|cet|le contenu de ce|este|esta"
    r"|el contenido de este)\b.{0,60}(e-?mail|mail|message|nachricht|courriel|mensaje|correo)"
    r"|本(電子)?メール|このメール",
    re.IGNORECASE | re.DOTALL,
)
_CONFIDENTIAL = re.compile(
    r"confidential|privileged|intended (only|solely|recipient|for)|vertraulich|ausschließlich für|bestimmt"
    r"|confidentiel|destinataire"
    r"|confidencial|destinatario|機密|宛先以外|秘密|viruses|avg\.com|avast",
    re.IGNORECASE,
)
_BANNER = re.compile(
    r"\W*(\[?(external|extern|externe|externo)( (e-?mail|mail|sender|message|absender))?\]?\W*$"
    r"|(caution|warning|achtung|vorsicht|attention|external|precaución)\b.{0,40}\b(e-?mail|message|nachricht|mail|courriel|correo)\b"
    r".{0,60}\b(outside|external|extern|außerhalb|extérieur|externe|externo|fuera)\b.*)",
    re.IGNORECASE | re.DOTALL,
)
_ARMOUR = re.compile(r"-----BEGIN PGP SIGNED MESSAGE-----\n(?:[A-Za-z]+: .*\n)*\n?")


def own_words(text: str) -> str:
    """What remains may be empty. A quote that nothing marks cannot be told apart, and remains."""
    lines = [line[:LONGEST_LINE].rstrip() for line in _unarmoured(text).split("\n")[:MOST_LINES]]
    kept = _without_quotes(lines)
    return _without_ending(_without_banner("\n".join(kept).strip("\n")))


def _unarmoured(text: str) -> str:
    """The inside of a message that PGP signed in its text; such lines with a dash in front have another one there."""
    if (found := _ARMOUR.search(text)) is None:
        return text
    inside = text[found.end() :].partition("-----BEGIN PGP SIGNATURE-----")[0]
    return text[: found.start()] + re.sub(r"^- ", "", inside, flags=re.MULTILINE)


def _without_quotes(lines: Sequence[str]) -> list[str]:
    kept: list[str] = []
    number = 0
    while number < len(lines):
        line = lines[number]
        if _begins_the_rest(lines, number):
            break
        if length := _attribution(lines, number):
            if not _quote_follows(lines, number + length):
                break
            number += length
            continue
        if not _QUOTED.match(line) and not _MOBILE.fullmatch(line):
            kept.append(line)
        number += 1
    return kept


def _begins_the_rest(lines: Sequence[str], number: int) -> bool:
    """From here on nothing is the sender's own: a signature, a forwarded message, the head of the one answered."""
    line = lines[number]
    if _DELIMITER.fullmatch(line) or _DIVIDER.fullmatch(line) or _FORWARDING.fullmatch(line):
        return True
    if _RULE.fullmatch(line):
        following = [at for at in range(number + 1, min(number + 4, len(lines))) if lines[at].strip()]
        return bool(following) and _is_head(lines, following[0])
    return _is_head(lines, number)


def _is_head(lines: Sequence[str], number: int) -> bool:
    """Several lines such as `From:` and `Subject:`, each of another name, as Outlook puts above what it quotes."""
    if _HEADER_LINE.match(lines[number]) is None:
        return False
    near = [_HEADER_LINE.match(line) for line in lines[number : number + _HEADERS_WITHIN]]
    return len({found[1].lower() for found in near if found}) >= _FEWEST_HEADERS


def _attribution(lines: Sequence[str], number: int) -> int:
    """How many lines from here on introduce a quote; 0 when they do not. The shortest ending is the introduction,
    unless what comes before it begins with a date."""
    if not lines[number].strip() or _QUOTED.match(lines[number]):
        return 0
    for length in range(1, MOST_LINES_OF_ATTRIBUTION + 1):
        chosen = lines[number : number + length]
        if not chosen[-1].strip() or _QUOTED.match(chosen[-1]) or len(chosen) < length:
            break
        if _introduces(lines, number, length):
            shorter = any(_introduces(lines, number + skipped, length - skipped) for skipped in range(1, length))
            return 0 if shorter and not _DATED_BEGIN.match(lines[number]) else length
    return 1 if _introduces_without_date(lines, number) else 0


def _introduces(lines: Sequence[str], number: int, length: int) -> bool:
    """It names an address and a time; or it is what some program writes, with a date at least."""
    text = " ".join(line.strip() for line in lines[number : number + length])
    if len(text) > LONGEST_ATTRIBUTION or not text.endswith((":", "：")):
        return False
    named = _ADDRESS.search(text) is not None
    if named and _TIME.search(text):
        return True
    if re.search(r"\d", text) is None or _ATTRIBUTION.fullmatch(text) is None:
        return False
    return named or _quote_follows(lines, number + length)


def _introduces_without_date(lines: Sequence[str], number: int) -> bool:
    text = lines[number].strip()
    if len(text) > LONGEST_ATTRIBUTION or not _quote_follows(lines, number + 1):
        return False
    return _ATTRIBUTION.fullmatch(text) is not None


def _quote_follows(lines: Sequence[str], number: int) -> bool:
    following = next((line for line in lines[number : number + 3] if line.strip()), "")
    return _QUOTED.match(following) is not None


def _without_banner(text: str) -> str:
    """A relay's warning of mail from outside, which stands above what was written."""
    paragraphs = re.split(r"\n\s*\n", text, maxsplit=1)
    if _BANNER.fullmatch(paragraphs[0].strip()[:LONGEST_LINE]):
        return paragraphs[1].strip("\n") if len(paragraphs) > 1 else ""
    return text


def _without_ending(text: str) -> str:
    text = _without_disclaimer(text)
    lines = text.split("\n")
    for number in range(max(1, len(lines) - 2 * _LONGEST_SIGNATURE), len(lines)):
        tail = [line for line in lines[number + 1 :] if line.strip()]
        if _CLOSING.fullmatch(lines[number]) and _is_signature(tail):
            lines = lines[:number]
            break
    while lines and (not lines[-1].strip() or _RULE.fullmatch(lines[-1])):
        lines.pop()
    return "\n".join(lines).strip("\n")


def _is_signature(lines: Sequence[str]) -> bool:
    """Few short lines, none of which says anything more."""
    short = len(lines) <= _LONGEST_SIGNATURE and all(len(line) <= _WIDEST_SIGNATURE for line in lines)
    return short and not any(_SAYS_MORE.match(line) and not re.search(r"\d{5}|\d[\s/-]\d", line) for line in lines)


def _without_disclaimer(text: str) -> str:
    """From the paragraph on that speaks of the message itself as confidential; never the first one."""
    paragraphs = re.split(r"(\n[ \t]*\n)", text)
    for number in range(2, len(paragraphs), 2):
        paragraph = paragraphs[number]
        if _THIS_MESSAGE.search(paragraph) and _CONFIDENTIAL.search(paragraph) and len(paragraph) > 60:
            return "".join(paragraphs[:number]).rstrip()
    return text
