"""What the commands share: where they print, how they complain, which ledger they open."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from forecasts.common.errors import BadInput, LedgerError
from forecasts.common.text import plain as plain

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlmodel import Session

    from forecasts.common.settings import Settings
    from forecasts.ledger.models import Member as Row
    from forecasts.ledger.schema import Migrated

Database = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL|FILE",
        help="The ledger: an SQLite file or a database URL. "
        "[default: $FORECASTS_DATABASE_URL, else a file in your data folder]",
        show_default=False,
    ),
]
Member = Annotated[
    str | None,
    typer.Option(
        "--as",
        metavar="HANDLE",
        help="Who acts. [default: $FORECASTS_MEMBER, else your user name]",
        show_default=False,
    ),
]

QuestionSlug = Annotated[str, typer.Argument(metavar="QUESTION", help="The question's slug.")]
Because = Annotated[str, typer.Option("--because", help="Your reason, in a line.")]

# Problems beyond these are counted, not listed.
_MOST_PROBLEMS = 20


def out() -> Console:
    """Return standard output; everyone's words are printed as they are, never as markup."""
    return Console(markup=False, highlight=False, emoji=False, soft_wrap=not sys.stdout.isatty())


def messages() -> Console:
    """Return standard error, where progress and messages go."""
    return Console(stderr=True, markup=False, highlight=False, emoji=False, soft_wrap=True)


def now() -> datetime:
    """Return the present moment: the one place where the command line reads the clock."""
    return _clock()


def _clock() -> datetime:
    return datetime.now(UTC)


def one_of(option: str, value: str, known: Sequence[str]) -> Any:
    """Return ``value``; raise BadInput unless it is one of the ``known`` values of ``option``."""
    if value not in known:
        names = f"{', '.join(known[:-1])} or {known[-1]}"
        raise BadInput(f"{option} {value!r} is not known.", remedy=f"Use {names}.")
    return value


def settings(database: str | None = None, member: str | None = None) -> Settings:
    """Return the settings, with what was given on the command line instead."""
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


def ledger(chosen: Settings, *, begin: bool = False, left_as_it_is: bool = False) -> Engine:
    """Return the ledger's engine; an embedded one is brought up to date, which is then said.

    Only a command that can put the first thing into a ledger may ``begin`` one; to the others one
    that is not there is a mistyped name: NoLedger. ``left_as_it_is``: DatabaseError where it would
    have to be brought up to date.
    """
    from forecasts.ledger.database import make_ready, require_ready

    engine = opened(chosen, begin=begin)
    if left_as_it_is:
        require_ready(engine)
        return engine
    migrated = make_ready(engine)
    if migrated is not None:
        say_migrated(engine, migrated)
    return engine


def opened(chosen: Settings, *, begin: bool = False, unfinished: bool = False) -> Engine:
    """Return the engine as ``database.open_engine`` does, closed when the command ends."""
    from forecasts.ledger.database import open_engine

    engine = open_engine(chosen.database_url, begin=begin, unfinished=unfinished)
    _opened.append(engine)
    return engine


def say_migrated(engine: Engine, migrated: Migrated) -> None:
    """Say what was done to the schema."""
    from forecasts.ledger.urls import place

    said = (
        f"Created the ledger {place(engine)}."
        if migrated.before is None
        else f"Migrated the ledger {place(engine)} from schema {migrated.before} to "
        f"{migrated.after}."
    )
    messages().print(plain(said))


def ledger_to_read(chosen: Settings) -> Engine:
    """Return the ledger's engine for a command that writes nothing.

    While nobody has named a ledger, and none has been begun, it reads as empty; none is created.
    """
    from forecasts.common.settings import default_ledger
    from forecasts.ledger.database import empty_ledger
    from forecasts.ledger.sqlite_file import Kind, kind_of

    if chosen.names_a_ledger or kind_of(default_ledger()) is not Kind.nothing:
        return ledger(chosen)
    messages().print(
        plain(f"There is no ledger yet. What you store first begins it, at {default_ledger()}.")
    )
    _opened.append(empty_ledger())
    return _opened[-1]


def acting(session: Session, chosen: Settings, *, now: datetime) -> Row:
    """Return the member who acts, for whom the session reads from here on.

    They are written first where they are new. Forbidden as in ``tokens.signer``, and in another's
    name (``access.require_own_name``).
    """
    from forecasts.access import tokens, visibility

    _require_own_name(session, chosen, now)
    who = tokens.acting(session, chosen, now=now)
    visibility.read_as(session, who, now=now)
    return who


@contextmanager
def reading_as(
    chosen: Settings, engine: Engine | None = None
) -> Iterator[tuple[Session, Row | None]]:
    """Yield a session that reads the ledger, or that one, for who acts; and who that is.

    None: somebody new, or of whom a name says nothing.
    """
    from forecasts.access import tokens, visibility
    from forecasts.ledger.database import reading

    with reading(engine or ledger_to_read(chosen)) as session:
        _require_own_name(session, chosen, now())
        who = tokens.reader(session, chosen, now=now())
        visibility.read_as(session, who, now=now())
        yield session, who


def _require_own_name(session: Session, chosen: Settings, now: datetime) -> None:
    from forecasts.access import roles

    if chosen.token is None:
        roles.require_own_name(session, settings().member, chosen.member, now=now)


def say_shared(handle: str) -> None:
    """Say that the member's act has made the ledger a shared one."""
    messages().print(
        plain(
            f"{handle} is this ledger's admin from now on, and roles hold in it (docs/teams.md). "
            "Others become admins with: forecasts team appoint HANDLE admin"
        )
    )


def by(session: Session, chosen: Settings, moment: datetime) -> Row | None:
    """Return the member who acts; None for the owner of the database without a token."""
    from forecasts.access import tokens

    if chosen.token is None and tokens.owns(session):
        return None
    return tokens.acting(session, chosen, now=moment)


def close_ledgers() -> None:
    """Close what was opened; every command ends with it."""
    while _opened:
        _opened.pop().dispose()


def complain(error: LedgerError) -> None:
    """Print the sentence, the remedy, and the problems of a bad input, to standard error."""
    console = messages()
    console.print(plain(error.message))
    problems = getattr(error, "problems", ())
    for problem in problems[:_MOST_PROBLEMS]:
        console.print(plain(f"  {problem}"))
    if len(problems) > _MOST_PROBLEMS:
        console.print(f"  … and {len(problems) - _MOST_PROBLEMS} more.")
    if error.remedy:
        console.print(plain(error.remedy))


@contextmanager
def quiet_pipe() -> Iterator[None]:
    """End without a word when the reader of standard output has gone, as in ``| head``."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None


def emit(content: str | bytes, output: Path | None) -> None:
    """Write a command's result to ``output``, whole or not at all, or to standard output."""
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
    """Return one JSON document; non-finite numbers as "inf" and "-inf", missing as null."""
    import json

    return json.dumps(_finite(value), ensure_ascii=False, indent=2) + "\n"


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        if value != value:
            return None
        return value if abs(value) != float("inf") else ("inf" if value > 0 else "-inf")
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
