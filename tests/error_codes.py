"""Every code that the source can give to a failure, read from the source itself.

What cannot be told from the source raises LookupError: a code must not escape by being computed.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from imprimatur import errors
from imprimatur.errors import ImprimaturError

ROOT = Path(__file__).resolve().parents[1]
# The position of `code` among the arguments of what is no error but becomes one.
_PROBLEM_CODE, _REFUSAL_KIND, _REFUSAL_CODE = 5, 0, 1
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Raised:
    """A code at one place of the source, with the class that carries it to the user."""

    code: str
    cls: str
    http_status: int
    exit_status: int
    file: str


def sources() -> Iterator[Path]:
    for name in ("models", "imprimatur", "activities", "workflows"):
        yield from sorted((ROOT / name).rglob("*.py"))
    yield from (ROOT / "worker.py", ROOT / "starter.py")


@cache
def raised() -> tuple[Raised, ...]:
    """Codes of errors: of the classes of imprimatur.errors, of what is derived from them, and of refusals by rule."""
    return tuple(found for path in sources() for found in _Source(path).raised())


@cache
def problem_codes() -> frozenset[str]:
    """Codes of problems in documents and answers."""
    return frozenset(code for path in sources() for code in _Source(path).problems())


class _Source:
    def __init__(self, path: Path) -> None:
        self.file = path.relative_to(ROOT).as_posix()
        self.tree = ast.parse(path.read_text(encoding="utf-8"))
        self.parents = {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}
        self.classes = {name: cls for name, cls in vars(errors).items() if _is_error(cls)} | self._own_classes()

    def _own_classes(self) -> dict[str, type[ImprimaturError]]:
        """Private classes that give an error another HTTP status, under the name of what they derive from."""
        found = {}
        for node in ast.walk(self.tree):
            bases = (
                [base.id for base in node.bases if isinstance(base, ast.Name)] if isinstance(node, ast.ClassDef) else []
            )
            if isinstance(node, ast.ClassDef) and bases and _is_error(vars(errors).get(bases[0])):
                status = {
                    target.id: statement.value.value
                    for statement in node.body
                    if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant)
                    for target in statement.targets
                    if isinstance(target, ast.Name)
                }
                found[node.name] = type(bases[0], (vars(errors)[bases[0]],), status)
        return found

    def raised(self) -> Iterator[Raised]:
        if self.file == "imprimatur/errors.py":
            return
        for call in self._calls():
            name = call.func.id if isinstance(call.func, ast.Name) else ""
            if name in self.classes:
                yield from self._of_class(self.classes[name], call.args[0])
            elif name == "Refusal":
                [kind] = self._values(call.args[_REFUSAL_KIND])
                yield from self._of_class(vars(errors)[kind], call.args[_REFUSAL_CODE])
            elif isinstance(call.func, ast.Call) and ast.unparse(call.func.func) == "error_class":
                # A refusal that crossed a process boundary: its class goes by name.
                yield from self._of_class(errors.Refused, call.args[0])

    def _of_class(self, cls: type[ImprimaturError], node: ast.expr) -> Iterator[Raised]:
        for code in self._values(node):
            yield Raised(code, cls.__name__, cls.http_status, cls.exit_status, self.file)

    def problems(self) -> Iterator[str]:
        for call in self._calls():
            if isinstance(call.func, ast.Name) and call.func.id == "Problem":
                named = [keyword.value for keyword in call.keywords if keyword.arg == "code"]
                given = [*named, *call.args[_PROBLEM_CODE : _PROBLEM_CODE + 1]]
                yield from (code for value in given for code in self._values(value))
                if not given:
                    yield errors.Problem("", "").code
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Yield) and isinstance(node.value, ast.Tuple) and len(node.value.elts) == 4:
                yield from self._values(node.value.elts[1])
            elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple) and self._describes(node):
                yield from self._values(node.value.elts[0])

    def _describes(self, node: ast.AST) -> bool:
        returns = self._function(node).returns
        return isinstance(returns, ast.Name) and returns.id == "Description"

    def _calls(self) -> Iterator[ast.Call]:
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.Call))

    def _values(self, node: ast.expr) -> Iterator[str]:
        """What a code can be: a constant, one of several, a parameter's arguments, a word put together in a loop."""
        match node:
            case ast.Constant(value=str(text)):
                yield text
            case ast.BoolOp(values=choices):
                for choice in choices:
                    yield from self._values(choice)
            case ast.Attribute(attr="code" | "type"):
                # Handed on from another failure, whose own place is looked at.
                return
            case ast.Name(id=name) if self._is_unpacked(node, name):
                # One part of a described problem; the description's own place is looked at.
                return
            case ast.Name(id=name) if name in self._parameters(node):
                yield from self._arguments(node, name)
            case ast.Name(id=name) if loops := list(self._loops(node, name)):
                yield from (text for loop in loops for text in loop)
            case ast.JoinedStr(values=[ast.FormattedValue(value=ast.Name() as name), ast.Constant(value=str(end))]):
                yield from (f"{begin}{end}" for begin in self._values(name))
            case _:
                raise LookupError(f"{self.file}:{node.lineno}: which code is {ast.unparse(node)}?")

    def _is_unpacked(self, node: ast.AST, name: str) -> bool:
        targets = [
            target
            for found in ast.walk(self._function(node))
            for target in (found.targets if isinstance(found, ast.Assign) else [getattr(found, "target", None)])
            if isinstance(found, ast.Assign | ast.comprehension) and isinstance(target, ast.Tuple)
        ]
        return any(name == ast.unparse(part) for target in targets for part in target.elts)

    def _function(self, node: ast.AST) -> Function:
        while not isinstance(node, Function):
            node = self.parents[node]
        return node

    def _parameters(self, node: ast.AST) -> list[str]:
        return [argument.arg for argument in self._function(node).args.args]

    def _arguments(self, node: ast.AST, name: str) -> Iterator[str]:
        """What the module's own calls of a function give for one of its parameters."""
        function = self._function(node)
        position = self._parameters(node).index(name)
        for call in self._calls():
            if isinstance(call.func, ast.Name) and call.func.id == function.name:
                yield from self._values(call.args[position])

    def _loops(self, node: ast.AST, name: str) -> Iterator[list[str]]:
        """The words that a loop variable takes: the loops of the same function over constants that are written out."""
        literal = [
            (loop.target, choices)
            for loop in ast.walk(self._function(node))
            if isinstance(loop, ast.For)
            for choices in self._written_out(loop.iter)
        ]
        for target, choices in literal:
            names = [part.id for part in getattr(target, "elts", [target]) if isinstance(part, ast.Name)]
            if name in names:
                rows = [getattr(choice, "elts", [choice])[names.index(name)] for choice in choices]
                yield [row.value for row in rows if isinstance(row, ast.Constant) and isinstance(row.value, str)]

    def _written_out(self, node: ast.expr) -> Iterator[list[ast.expr]]:
        if isinstance(node, ast.Tuple) and node.elts:
            yield node.elts
        elif isinstance(node, ast.IfExp):
            yield from self._written_out(node.body)
            yield from self._written_out(node.orelse)
        elif isinstance(node, ast.Name):
            for assigned in ast.walk(self._function(node)):
                if isinstance(assigned, ast.Assign) and node.id in map(ast.unparse, assigned.targets):
                    yield from self._written_out(assigned.value)


def _is_error(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, ImprimaturError)
