"""Every failure a user can meet, with a code that never changes meaning.

::

    ImprimaturError             code, message (one sentence), hint (what to do next), exit status
    ├── InputError              unusable input: a file, an option, an address            (exit 2, HTTP 422)
    │   └── DocumentInvalid     a framework or proposal document, with its problems      (exit 2, HTTP 422)
    ├── Refused                 a rule says no; nothing was changed                      (exit 1, HTTP 409)
    │   ├── NotFound            there is no such case, task, framework, person, link     (exit 1, HTTP 404)
    │   ├── NotAllowed          the wrong person                                         (exit 1, HTTP 403)
    │   ├── ProposalIncomplete  kept, and returned with everything that is missing       (exit 1, HTTP 422)
    │   └── Gone                too late: a closed task, a voided or expired link        (exit 1, HTTP 410)
    └── Unavailable             a part of the system does not answer; repeating is safe  (exit 1, HTTP 503)
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar


@dataclass(frozen=True)
class Problem:
    """One thing wrong in a document, at its place.

    ``where`` is a key path such as ``stages[1].voting.quorum``; ``line`` counts from 1; None when there is no line.
    """

    where: str
    problem: str
    expected: str = ""
    file: str | None = None
    line: int | None = None
    code: str = "invalid"

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line) if part is not None)
        text = f"{self.where}: {self.problem}" if self.where else self.problem
        return f"{place}: {text}" if place else text


class ImprimaturError(Exception):
    """Base of all; ``code`` is stable and shared by the command line, the HTTP API and the mail answers."""

    exit_status: ClassVar[int] = 1
    http_status: ClassVar[int] = 500

    def __init__(self, code: str, message: str, hint: str = "", **details: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.details = details

    def as_dict(self) -> dict[str, Any]:
        body: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.hint:
            body["hint"] = self.hint
        return body | self.details


class InputError(ImprimaturError):
    exit_status = 2
    http_status = 422


class DocumentInvalid(InputError):
    """A document that cannot be read as what it should be; all problems at once."""

    def __init__(self, code: str, message: str, problems: Sequence[Problem], hint: str = "") -> None:
        super().__init__(code, message, hint, problems=[asdict(p) for p in problems])
        self.problems = tuple(problems)


class Refused(ImprimaturError):
    http_status = 409


class NotFound(Refused):
    http_status = 404


class NotAllowed(Refused):
    http_status = 403


class ProposalIncomplete(Refused):
    http_status = 422


class Gone(Refused):
    http_status = 410


class Unavailable(ImprimaturError):
    http_status = 503


_BY_NAME: dict[str, type[ImprimaturError]] = {
    cls.__name__: cls for cls in (ImprimaturError, InputError, Refused, NotFound, NotAllowed, Gone, Unavailable)
}


def error_class(name: str) -> type[ImprimaturError]:
    """The class for a refusal that crossed a process boundary by name; Refused when the name is not known."""
    return _BY_NAME.get(name, Refused)
