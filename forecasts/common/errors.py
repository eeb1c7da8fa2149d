"""Every error that the ledger raises on purpose, in one tree.

    LedgerError              a sentence for a person, and a remedy
    ├── NotFound             no question, member, article … by that name
    ├── Refused              the act breaks a rule of the ledger; nothing was written
    │   ├── Impossible       and would however long one waits
    │   └── Forbidden        this member may not do it
    │       └── Expired      they might once; they have to prove anew who they are
    ├── BadInput             a value or a file cannot be read; carries every problem found
    ├── CaptureError         an article cannot be fetched, or there is none in what came back
    ├── CannotTell           a resolver found something, and not what settles its question
    └── DatabaseError        the ledger itself cannot be used (newer schema, unreachable, full, …)
        ├── NoLedger         there is no ledger where one was named
        └── NotAdmitted      the server does not let this role in, or not do that

Each is translated once, where a person stands: the command line prints the sentence and the
remedy and exits with ``exit_code``; a page shows them in place. Code below raises and never
prints. ``scoring`` has its own ``scoring.InputError``, because it may not import this package.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_SHOWN = 200  # signs of a wrong value that are said; a cell can hold an article


class LedgerError(Exception):
    """A rule that was broken, the value that broke it, and what to do about it.

    ``message`` is a full sentence that names the rule and the value; ``remedy`` is a full
    sentence too, or empty where there is nothing to be done.
    """

    exit_code = 2

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class NotFound(LedgerError):
    """There is nothing in the ledger by the name that was given."""


class Refused(LedgerError):
    """A rule of the ledger forbids the act; nothing was written."""


class Impossible(Refused):
    """A rule forbids the act, and will however long one waits."""


class Forbidden(Refused):
    """The member has no right to do this."""


class Expired(Forbidden):
    """Who this is was proven once, and has to be proven anew."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong with an input: where it stands, what stands there, which rule it breaks."""

    place: str
    value: str
    rule: str

    def __str__(self) -> str:
        value = self.value if len(self.value) <= _SHOWN else f"{self.value[: _SHOWN - 1]}…"
        return f"{self.place}: {value!r} — {self.rule}"


class BadInput(LedgerError):
    """A value or a file cannot be read; ``problems`` names every place, value and rule."""

    def __init__(self, message: str, *, problems: Sequence[Problem] = (), remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.problems = tuple(problems)


class CaptureError(LedgerError):
    """An article cannot be fetched or read; nothing was stored."""


class CannotTell(LedgerError):
    """A resolver cannot tell how its question came out: a person has to look.

    ``passing``: it may yet be able to, when what it reads is complete.
    """

    def __init__(self, message: str, *, remedy: str = "", passing: bool = False) -> None:
        super().__init__(message, remedy=remedy)
        self.passing = passing


class DatabaseError(LedgerError):
    """The ledger's database cannot be used as it is."""

    exit_code = 1


class NoLedger(DatabaseError):
    """There is no ledger where one was named; whatever is there was left as it is."""

    exit_code = 2


class NotAdmitted(DatabaseError):
    """The server refuses the role, its password, or what it may not do; nothing was written."""

    exit_code = 2
