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
    │       └── Unreached    there was no connection, so nothing was sent
    ├── CannotTell           a resolver got an answer that does not settle its question
    └── DatabaseError        the database cannot be used (newer schema, unreachable, full, …)
        ├── NoLedger         there is no ledger at that place
        └── NotAdmitted      the server refuses this role or its action

Only an interface shows errors: it says their remedies in its own words (``in_words``), and the
command line exits with ``exit_code``. Other code raises and does not print.
``scoring`` has its own ``scoring.InputError``, because it may not import this package.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

_SHOWN_CHARACTERS = 200  # of a wrong value; a cell can hold a whole article
FILL_IN = "…"  # an argument for the reader to write

# Acts that help, by their names as commands; "" is the refused act itself, with other options.
Act: TypeAlias = Literal[
    "",
    "articles",
    "ask",
    "backup",
    "close",
    "demo",
    "digest",
    "export",
    "import",
    "member adopt",
    "migrate",
    "move",
    "notify add",
    "partition",
    "propose",
    "pull",
    "questions",
    "rescore",
    "resolve",
    "resolver add",
    "resolver kinds",
    "resolver set",
    "restore",
    "revise",
    "run retry",
    "run status",
    "schedule",
    "team add",
    "team appoint",
    "team create",
    "team role",
    "token create",
    "token list",
    "update",
    "verify",
]


class Remedy:
    """An act that helps: a sentence in which ``{}`` is the act, with its arguments and options.

    The act is data, because each interface has its own way to do it: a command, a request, a
    tool, a button. An option that is a Python keyword ends with an underscore.

    >>> in_words(Remedy("Write them first: {}", "revise", "rain", criteria=FILL_IN))
    'Write them first: forecasts revise rain --criteria "…"'
    """

    def __init__(self, sentence: str, act: Act, /, *arguments: str, **options: str | bool) -> None:
        self.sentence = sentence
        self.act = act
        self.arguments = arguments
        self.options = {name.rstrip("_"): value for name, value in options.items()}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Remedy) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((self.sentence, self.act, self.arguments))


Advice: TypeAlias = str | Remedy | tuple[str | Remedy, ...]


def as_command(remedy: Remedy) -> str:
    """Return the remedy's act as the command line names it."""
    return command(remedy.act, *remedy.arguments, **remedy.options)


def in_words(advice: Advice, way: Callable[[Remedy], str] = as_command) -> str:
    """Return advice as text, in which ``way`` names the acts: an interface's own, or commands."""
    parts = advice if isinstance(advice, tuple) else (advice,)
    said = (p if isinstance(p, str) else p.sentence.replace("{}", way(p)) for p in parts)
    return " ".join(filter(None, said)).replace(" \n", "\n")


def command(name: str, /, *arguments: str, **options: str | bool) -> str:
    """Return a command of this product with its arguments and options, quoted for a shell.

    Names may come from others, by an import or an article, and may hold any characters. If an
    argument begins with a dash, the options come first and ``--`` ends them. An option that is
    True has no value. Without a name, only the arguments and options are returned.

    >>> command("show", "rain; ls", all=True)
    "forecasts show 'rain; ls' --all"
    >>> command("withdraw", "-x", as_="bob")
    'forecasts withdraw --as bob -- -x'
    """
    given = [_quoted(word) for word in arguments]
    chosen = []
    for option, value in options.items():
        chosen.append(f"--{option.rstrip('_').replace('_', '-')}")
        chosen += [_quoted(value)] if isinstance(value, str) else []
    if any(argument.startswith("-") for argument in arguments):
        words = [*chosen, "--", *given]
    else:
        words = [*given, *chosen]
    return " ".join(["forecasts", name, *words] if name else words)


def _quoted(word: str) -> str:
    return f'"{word}"' if word == FILL_IN else shlex.quote(word)


class LedgerError(Exception):
    """A broken rule, the value that broke it, and the remedy.

    ``message`` is a full sentence that names the rule and the value; ``advice`` is the remedy as
    sentences and acts, empty if nothing can be done, and ``remedy`` the same with commands.
    """

    exit_code = 2

    def __init__(self, message: str, *, remedy: Advice = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = remedy

    @property
    def remedy(self) -> str:
        """The remedy in words, in which acts are commands."""
        return in_words(self.advice)

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class NotFound(LedgerError):
    """Nothing in the ledger has this name."""


# Of a refusal that a program may have to tell from others.
Code: TypeAlias = Literal[
    "", "not_open", "closed", "resolved", "no_forecast", "daily_limit", "key_reused"
]


class Refused(LedgerError):
    """A rule of the ledger forbids the act; nothing was written. ``code``: for programs."""

    def __init__(self, message: str, *, remedy: Advice = "", code: Code = "") -> None:
        super().__init__(message, remedy=remedy)
        self.code = code


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

    def __init__(
        self, message: str, *, problems: Sequence[Problem] = (), remedy: Advice = ""
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.problems = tuple(problems)


class RuleError(ValueError):
    """A broken rule of a row, for Pydantic, with its remedy."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


class CaptureError(LedgerError):
    """An article cannot be fetched or read; nothing was stored."""


class NoAnswer(CaptureError):
    """The server could not be reached, or its answer broke off; another attempt may succeed."""


class Unreached(NoAnswer):
    """There was no connection to the server, so nothing was sent."""


class CannotTell(LedgerError):
    """A resolver cannot tell its question's outcome, so a person has to decide.

    ``temporary``: a later run may succeed, once the source is complete.
    """

    def __init__(self, message: str, *, remedy: Advice = "", temporary: bool = False) -> None:
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
