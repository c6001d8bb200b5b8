"""Templates that are translated when they are compiled: a message costs nothing when a mail is written."""

from typing import Any

from jinja2 import Environment, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from imprimatur.mail.languages import Language

_MESSAGES = frozenset({"_", "gettext"})


class _Translator(NodeTransformer):
    """Puts the translation in place of every call with a constant text; placeholders are filled when it is rendered."""

    def __init__(self, language: Language) -> None:
        self._language = language

    def visit_Call(self, node: nodes.Call) -> nodes.Expr:
        self.generic_visit(node)
        if not (isinstance(node.node, nodes.Name) and node.node.name in _MESSAGES and _is_plain(node)):
            return node
        text = self._language.gettext(node.args[0].value)  # type: ignore[attr-defined]
        line = node.lineno
        if not node.kwargs:
            return nodes.MarkSafeIfAutoescape(nodes.Const(text % {}, lineno=line), lineno=line)
        pairs = [nodes.Pair(nodes.Const(word.key, lineno=line), word.value, lineno=line) for word in node.kwargs]
        template = nodes.MarkSafeIfAutoescape(nodes.Const(text, lineno=line), lineno=line)
        return nodes.Mod(template, nodes.Dict(pairs, lineno=line), lineno=line)


def _is_plain(call: nodes.Call) -> bool:
    text = call.args[0] if len(call.args) == 1 else None
    return isinstance(text, nodes.Const) and isinstance(text.value, str) and not (call.dyn_args or call.dyn_kwargs)


class TranslatingEnvironment(Environment):
    """``language`` is set before the first template is read."""

    language: Language

    def _generate(self, source: nodes.Template, *arguments: Any, **options: Any) -> str:
        return super()._generate(_Translator(self.language).visit(source), *arguments, **options)


class SandboxedTranslatingEnvironment(TranslatingEnvironment, ImmutableSandboxedEnvironment):
    """For templates that come from a folder of the institution's."""
