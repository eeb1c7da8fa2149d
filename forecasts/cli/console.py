"""Shared by the commands: options, output, settings, and the ledger that a command opens."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from typer import Argument, Option

from forecasts.common.errors import BadInput, LedgerError
from forecasts.common.text import printable
from forecasts.common.times import iso, read_time

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlmodel import Session

    from forecasts.common.settings import Settings
    from forecasts.ledger.models import Member as Row
    from forecasts.ledger.models import Question
    from forecasts.ledger.schema import Migrated

Database = Annotated[
    str | None,
    Option(
        "--database",
        metavar="URL|FILE",
        help="The ledger: an SQLite file or a database URL. "
        "[default: $FORECASTS_DATABASE_URL, else a file in your data folder]",
        show_default=False,
    ),
]
Member = Annotated[
    str | None,
    Option(
        "--as",
        metavar="HANDLE",
        help="Act as this member. [default: $FORECASTS_MEMBER, else your user name]",
        show_default=False,
    ),
]
QuestionSlug = Annotated[str, Argument(metavar="QUESTION", help="The question's ID.")]
Because = Annotated[str, Option("--because", help="Your reason, in one line.")]

OutcomesFile = Annotated[
    Path | None,
    Option("--outcomes", metavar="FILE", help="Resolve from this CSV or JSON file of outcomes."),
]
VisibleTo = Annotated[
    str | None,
    Option(
        "--visible-to",
        metavar="everyone|me|TEAM",
        help="Limit who can see it. [default: everyone, or unchanged]",
    ),
]

TextOrJson = Annotated[str, Option("--format", metavar="text|json", help="Output format.")]

# Further problems are counted, not listed.
_MAX_PROBLEMS = 20
# The password in a URL, between the user name and the host.
_PASSWORD = re.compile(r"(?<=://)([^:@/]*):[^/]*@")


def out() -> Console:
    """Return standard output. Text is printed as it is, never read as markup."""
    return Console(markup=False, highlight=False, emoji=False, soft_wrap=not sys.stdout.isatty())


def messages() -> Console:
    """Return standard error, for progress and messages."""
    return Console(stderr=True, markup=False, highlight=False, emoji=False, soft_wrap=True)


def print_line(text: str, *, style: str | None = None) -> None:
    """Print a line to standard output, without control characters."""
    out().print(printable(text), style=style)


def print_note(text: str) -> None:
    """Print a message to standard error, without control characters."""
    messages().print(printable(text))


def now() -> datetime:
    """Return the current time. The command line reads the clock only here."""
    return _clock()


def _clock() -> datetime:
    return datetime.now(UTC)


def time_of(given: str | None, *, end_of_day: bool = False) -> datetime | None:
    """Return the time that an option names, if any; BadInput for an invalid one."""
    return None if given is None else read_time(given, end_of_day=end_of_day, now=now())


def one_of(option: str, value: str, known: Sequence[str]) -> Any:
    """Return ``value``; raise BadInput unless it is one of the ``known`` values of ``option``."""
    if value not in known:
        names = f"{', '.join(known[:-1])} or {known[-1]}"
        raise BadInput(f"{option} {value!r} is not known.", remedy=f"Use {names}.")
    return value


def settings(database: str | None = None, member: str | None = None) -> Settings:
    """Return the settings, overridden by the command's options."""
    from pydantic import ValidationError

    from forecasts.common.settings import Settings

    given: dict[str, Any] = {"database_url": database, "member": member}
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = "FORECASTS_" + "_".join(map(str, first["loc"])).upper()
        raise BadInput(f"The setting {name} = {first['input']!r}: {first['msg']}.") from None


_opened: list[Engine] = []


def ledger(chosen: Settings, *, begin: bool = False, migrate: bool = True) -> Engine:
    """Return the ledger's engine. A ledger in a file is migrated first, with a message.

    ``begin``: create a ledger that does not exist, for commands that can store the first row;
    otherwise a missing ledger is taken for a mistyped name: NoLedger. Without ``migrate`` an
    outdated schema raises DatabaseError.
    """
    from forecasts.ledger.schema import make_ready, require_ready

    engine = opened(chosen, begin=begin)
    if not migrate:
        require_ready(engine)
    elif (migrated := make_ready(engine)) is not None:
        print_migrated(engine, migrated)
    return engine


def opened(chosen: Settings, *, begin: bool = False, unfinished: bool = False) -> Engine:
    """Return the engine as ``database.open_engine`` does; it is closed when the command ends."""
    from forecasts.ledger.database import open_engine

    engine = open_engine(chosen.database_url, begin=begin, unfinished=unfinished)
    _opened.append(engine)
    return engine


def print_migrated(engine: Engine, migrated: Migrated) -> None:
    """Print whether the ledger was created, or from which schema to which it was migrated."""
    from forecasts.ledger.urls import place

    print_note(
        f"Created the ledger {place(engine)}."
        if migrated.before is None
        else f"Migrated the ledger {place(engine)} from schema {migrated.before} to "
        f"{migrated.after}."
    )


def ledger_to_read(chosen: Settings) -> Engine:
    """Return the ledger's engine for a command that only reads.

    If no ledger is named and the default one does not exist, it reads as empty; none is created.
    """
    from forecasts.common.settings import default_ledger
    from forecasts.ledger.schema import empty_ledger
    from forecasts.ledger.sqlite_file import Kind, kind_of

    if chosen.names_a_ledger or kind_of(default_ledger()) is not Kind.nothing:
        return ledger(chosen)
    print_note(f"There is no ledger yet. The first thing you store creates {default_ledger()}.")
    _opened.append(empty_ledger())
    return _opened[-1]


@contextmanager
def acting(
    database: str | None,
    member: str | None,
    *,
    begin: bool = False,
    at: datetime | None = None,
) -> Iterator[tuple[Session, Row, datetime]]:
    """Yield a session that writes to the ledger, the member who acts, and the time.

    The block is one transaction, committed at its end; a new member is written first. ``begin``
    as in ``ledger``; ``at`` replaces the time. Forbidden as in ``tokens.acting_handle`` and
    ``roles.require_own_name``.
    """
    from forecasts.access import tokens, visibility
    from forecasts.ledger.database import writing

    chosen, moment = settings(database, member), at or now()
    with writing(ledger(chosen, begin=begin)) as session:
        _require_own_name(session, chosen, moment)
        who = tokens.acting_member(session, chosen, now=moment)
        visibility.read_as(session, who, now=moment)
        yield session, who, moment


@contextmanager
def acting_on(
    slug: str, database: str | None, member: str | None
) -> Iterator[tuple[Session, Question, Row, datetime]]:
    """Yield the question too, and the rest as ``acting`` does."""
    from forecasts.questions import registry

    with acting(database, member) as (session, who, moment):
        yield session, registry.find(session, slug), who, moment


@contextmanager
def reading_as(
    database: str | None, member: str | None = None, *, engine: Engine | None = None
) -> Iterator[tuple[Session, Row | None, datetime]]:
    """Yield a session that reads the ledger (or ``engine``) for a member, the member, and the time.

    The member is None if new, or if a name alone proves nothing.
    """
    from forecasts.access import tokens, visibility
    from forecasts.ledger.database import reading

    chosen, moment = settings(database, member), now()
    with reading(engine or ledger_to_read(chosen)) as session:
        _require_own_name(session, chosen, moment)
        who = tokens.reading_member(session, chosen, now=moment)
        visibility.read_as(session, who, now=moment)
        yield session, who, moment


def _require_own_name(session: Session, chosen: Settings, now: datetime) -> None:
    from forecasts.access import roles

    if chosen.token is None:
        roles.require_own_name(session, settings().member, chosen.member, now=now)


def by(session: Session, chosen: Settings, moment: datetime) -> Row | None:
    """Return the member who acts; None for the owner of the database without a token."""
    from forecasts.access import tokens

    if chosen.token is None and tokens.is_database_owner(session):
        return None
    return tokens.acting_member(session, chosen, now=moment)


def next_step(words: str, *, database: str | None, member: str | None = None) -> str:
    """Return the next command to type: ``words`` with the given ``--database`` and ``--as``.

    A password in the ledger's URL is replaced.
    """
    shown = None if database is None else _PASSWORD.sub(r"\1:PASSWORD@", database)
    named = {"--database": shown, "--as": member}
    options = [f" {name} {shlex.quote(value)}" for name, value in named.items() if value]
    return f"forecasts {words}{''.join(options)}"


def print_now_shared(handle: str) -> None:
    """Tell the member that the ledger is shared from now on, with them as its admin."""
    print_note(
        f"{handle} is now this ledger's admin, and roles apply in it (docs/teams.md). "
        "To appoint another admin: forecasts team appoint HANDLE admin"
    )


def close_ledgers() -> None:
    """Close every engine that the command opened."""
    while _opened:
        _opened.pop().dispose()


def print_error(error: LedgerError) -> None:
    """Print an error to standard error: its sentence, the problems of a bad input, the remedy."""
    print_note(error.message)
    problems = getattr(error, "problems", ())
    for problem in problems[:_MAX_PROBLEMS]:
        print_note(f"  {problem}")
    if len(problems) > _MAX_PROBLEMS:
        print_note(f"  … and {len(problems) - _MAX_PROBLEMS} more.")
    if error.remedy:
        print_note(error.remedy)


@contextmanager
def ignoring_closed_pipe() -> Iterator[None]:
    """End quietly if the reader of standard output has gone, as in ``| head``."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None


@contextmanager
def progress_bar(
    description: str, unit: str, *, shown: bool = True
) -> Iterator[Callable[..., None]]:
    """Yield a function that updates a progress bar on standard error, if that is a terminal.

    It takes the arguments of ``rich.progress.Progress.update``, such as completed and total.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = messages()
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        console=console,
        disable=not (shown and console.is_terminal),
        transient=True,
        redirect_stdout=sys.stdout.isatty(),
    ) as progress:
        task = progress.add_task(description, total=None)
        yield lambda **changes: progress.update(task, **changes)


def emit(content: str | bytes, output: Path | None) -> None:
    """Write a command's result to ``output`` (whole or not at all) or to standard output."""
    data = content.encode() if isinstance(content, str) else content
    if output is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    draft = output.with_name(f".{output.name}.part")
    try:
        draft.write_bytes(data)
        draft.replace(output)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise BadInput(f"{str(output)!r} cannot be written: {error.strerror or error}.") from None


def json_text(value: Any) -> str:
    """Return ``json_ready(value)`` as one JSON document."""
    return json.dumps(json_ready(value), ensure_ascii=False, indent=2) + "\n"


def json_ready(value: Any) -> Any:
    """Return the value for JSON: infinite numbers as "inf" and "-inf", NaN as null, times as text.

    Dictionaries and lists are converted throughout.
    """
    if isinstance(value, float):
        if value != value:
            return None
        return value if abs(value) != float("inf") else ("inf" if value > 0 else "-inf")
    if isinstance(value, dict):
        return {key: json_ready(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_ready(item) for item in value]
    return iso(value) if isinstance(value, datetime) else value
