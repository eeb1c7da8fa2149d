"""Every error that the ledger raises on purpose, in one tree.

    LedgerError              a sentence for the user, and a remedy
    ├── NotFound             no question, member, article … has that name
    ├── Refused              the act breaks a rule of the ledger; nothing was written
    │   ├── Impossible       waiting will not change that
    │   └── Forbidden        this member may not do it
    │       └── Expired      the member's sign-in has expired
    ├── BadInput             a value or a file cannot be read; carries every problem found
    ├── CaptureError         an article cannot be fetched, or the page contains none
    │   └── NoAnswer         the server sent no whole answer; another attempt may succeed
    ├── CannotTell           a resolver got an answer that does not settle its question
    └── DatabaseError        the database cannot be used (newer schema, unreachable, full, …)
        ├── NoLedger         there is no ledger at that place
        └── NotAdmitted      the server refuses this role or its action

Errors are shown in two places only: the command line prints the sentence and the remedy and
exits with ``exit_code``; a page shows both in place. Other code raises and does not print.
``scoring`` has its own ``scoring.InputError``, because it may not import this package.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_SHOWN_CHARACTERS = 200  # of a wrong value; a cell can hold a whole article


class LedgerError(Exception):
    """A broken rule, the value that broke it, and the remedy.

    ``message`` is a full sentence that names the rule and the value; ``remedy`` is a full
    sentence, or empty if nothing can be done.
    """

    exit_code = 2

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class NotFound(LedgerError):
    """Nothing in the ledger has this name."""


class Refused(LedgerError):
    """A rule of the ledger forbids the act; nothing was written."""


class Impossible(Refused):
    """A rule forbids the act, and waiting will not change that."""


class Forbidden(Refused):
    """The member does not have the right to do this."""


class Expired(Forbidden):
    """The proof of identity has expired: the member must sign in again."""


@dataclass(frozen=True)
class Problem:
    """One fault in an input: its place, the value there, and the rule it breaks."""

    place: str
    value: str
    rule: str

    def __str__(self) -> str:
        is_long = len(self.value) > _SHOWN_CHARACTERS
        value = f"{self.value[: _SHOWN_CHARACTERS - 1]}…" if is_long else self.value
        return f"{self.place}: {value!r} — {self.rule}"


class BadInput(LedgerError):
    """A value or a file cannot be read; ``problems`` lists every place, value and rule."""

    def __init__(self, message: str, *, problems: Sequence[Problem] = (), remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.problems = tuple(problems)


class CaptureError(LedgerError):
    """An article cannot be fetched or read; nothing was stored."""


class NoAnswer(CaptureError):
    """The server could not be reached, or its answer broke off; another attempt may succeed."""


class CannotTell(LedgerError):
    """A resolver cannot tell its question's outcome, so a person has to decide.

    ``temporary``: a later run may succeed, once the source is complete.
    """

    def __init__(self, message: str, *, remedy: str = "", temporary: bool = False) -> None:
        super().__init__(message, remedy=remedy)
        self.temporary = temporary


class DatabaseError(LedgerError):
    """The ledger's database cannot be used in its present state."""

    exit_code = 1


class NoLedger(DatabaseError):
    """There is no ledger at the given place; nothing there was changed."""

    exit_code = 2


class NotAdmitted(DatabaseError):
    """The server refuses the role, its password or its action; nothing was written."""

    exit_code = 2
