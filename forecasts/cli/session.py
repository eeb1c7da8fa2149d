"""The ledger that a command opens, and the member who reads or writes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from difflib import get_close_matches
from typing import TypeVar

from pydantic import ValidationError
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from forecasts.access import roles, tokens, visibility
from forecasts.access.members import find_member, handles
from forecasts.access.preferences import preferences
from forecasts.cli.console import ENDING, now, use_zone
from forecasts.cli.options import CHOSEN
from forecasts.cli.printing import print_note, print_now_shared
from forecasts.common.errors import BadInput, DatabaseError, LedgerError, command, in_words
from forecasts.common.settings import Settings, current_settings, default_ledger
from forecasts.ledger import clock, head, models, moved, schema, sqlite_file
from forecasts.ledger.database import open_engine, reading, writing
from forecasts.ledger.driver_errors import VERIFY
from forecasts.ledger.urls import named_file, place, read_url, to_type_again
from forecasts.ledger.verification import verify
from forecasts.questions import registry

Found = TypeVar("Found", models.Member, models.Member | None)


def settings(**instead: str | None) -> Settings:
    """Return the settings, overridden by the command's options, and those by ``instead``."""
    chosen = {name: one for name, one in (CHOSEN | instead).items() if one is not None}
    if not chosen.get("member", "").strip():
        chosen.pop("member", None)  # a blank --as, of a blank variable of a shell, names nobody
    try:
        return current_settings(**chosen)
    except ValidationError as error:
        first = error.errors()[0]
        name = "FORECASTS_" + "_".join(map(str, first["loc"])).upper()
        given = to_type_again(str(first["input"]))
        raise BadInput(f"The setting {name} = {given!r}: {first['msg']}.") from None


_noted: set[str] = set()  # the notes of this command, each printed once
_opened: list[Engine] = []  # by this command


def ledger(chosen: Settings, *, begin: bool = False, migrate: bool = True) -> Engine:
    """Return the ledger's engine. A ledger in a file is migrated first, with a message.

    ``begin``: create a ledger that does not exist, for commands that can store the first row;
    otherwise a missing ledger is taken for a mistyped name: NoLedger. Without ``migrate`` an
    outdated schema raises DatabaseError.
    """
    engine = opened(chosen, begin=begin)
    if not migrate:
        schema.require_ready(engine)
    elif (migrated := schema.make_ready(engine)) is not None:
        print_migrated(engine, migrated)
    with suppress(SQLAlchemyError), engine.connect() as connection:
        if said := head.missing(connection):
            _note(f"At {place(engine)} {said}. {in_words(head.ways_on(engine))}")
    return engine


def altered() -> DatabaseError | None:
    """Return the error for the altered ledger that this command has opened; None if it is whole."""
    for engine in _opened:
        with suppress(LedgerError, SQLAlchemyError), reading(engine) as session:
            if (broken := verify(session).broken) is not None:
                said = f"The ledger at {place(engine)!r} was altered: {broken.said}."
                return DatabaseError(said, remedy=VERIFY)
    return None


def opened(
    chosen: Settings, *, begin: bool = False, unfinished: bool = False, damaged: bool = False
) -> Engine:
    """Return the engine as ``open_engine`` does; it is closed when the command ends."""
    engine = open_engine(chosen.database_url, begin=begin, unfinished=unfinished, damaged=damaged)
    ENDING.callback(engine.dispose)
    _opened.append(engine)
    ENDING.callback(_opened.clear)
    return engine


def note_if_moved(engine: Engine) -> None:
    """Print that the ledger was moved elsewhere, once a command."""
    if there := moved.moved_to(engine):
        _note(f"The ledger {place(engine)} was moved to {there}. This is its last state here.")


def _note(text: str) -> None:
    if text not in _noted:
        _noted.add(text)
        ENDING.callback(_noted.clear)
        print_note(text)


def print_migrated(engine: Engine, migrated: schema.Migrated) -> None:
    """Print whether the ledger was created, or from which schema to which it was migrated."""
    where = f"the ledger {place(engine)}"
    steps = f"from schema {migrated.before} to {migrated.after}"
    print_note(f"Created {where}." if migrated.before is None else f"Migrated {where} {steps}.")


def ledger_to_read(chosen: Settings, *, begin: bool = False) -> Engine:
    """Return the ledger's engine for a command that only reads.

    If no ledger is named and the default one does not exist, it reads as empty; none is created.
    ``begin``: so does a missing file that is named, for the preview of an act that would create it.
    """
    url = read_url(chosen.database_url)
    path = None if url.host or (chosen.names_a_ledger and not begin) else named_file(url)
    if path is None or sqlite_file.kind_of(path) is not sqlite_file.Kind.nothing:
        engine = ledger(chosen)
        note_if_moved(engine)
        return engine
    print_note(f"There is no ledger yet. The first thing you store creates {path}.")
    engine = schema.empty_ledger()
    ENDING.callback(engine.dispose)
    return engine


@contextmanager
def acting(
    *, begin: bool = False, engine: Engine | None = None, chosen: Settings | None = None
) -> Iterator[tuple[Session, models.Member, datetime]]:
    """Yield a session that writes to the ledger (or ``engine``), who acts, and the act's time.

    The block is one transaction, committed at its end; a new member is written first. ``begin``
    as in ``ledger``. Forbidden as in ``tokens.acting_handle`` and ``roles.require_own_name``.
    A note follows an act that makes the ledger shared.
    """
    chosen = chosen or settings()
    with writing(engine or ledger(chosen, begin=begin), now) as session:
        moment = clock.act_time(session)
        who = as_member(tokens.acting_member, session, chosen, moment)
        shared = roles.is_shared(session)
        yield session, who, moment
        is_new = roles.is_shared(session) and not shared
    if is_new:
        print_now_shared(who.handle)


@contextmanager
def acting_on(slug: str) -> Iterator[tuple[Session, models.Question, models.Member, datetime]]:
    """Yield the question too, and the rest as ``acting`` does."""
    with acting() as (session, who, moment):
        yield session, registry.find(session, slug), who, moment


@contextmanager
def reading_as(
    *, begin: bool = False, engine: Engine | None = None, noting: bool = True
) -> Iterator[tuple[Session, models.Member | None, datetime]]:
    """Yield a session that reads the ledger (or ``engine``) for a member, the member, and the time.

    The member is None if new, or if a name alone proves nothing. ``noting``: that is noted, but for
    an act that would add them (``begin``, as in ``ledger_to_read``).
    """
    chosen = settings()
    engine = engine or ledger_to_read(chosen, begin=begin)
    moment = clock.ledger_clock(engine, now)()
    with reading(engine) as session:
        who = as_member(tokens.reading_member, session, chosen, moment)
        if who is None and noting and chosen.names_a_member:
            _note_unknown(session, chosen.member, begin=begin)
        yield session, who, moment


def _note_unknown(session: Session, handle: str, *, begin: bool) -> None:
    if tokens.has_sign_in(session):
        _note(
            "Members of this ledger sign in, so only questions for everyone are shown. To read as "
            f"{handle!r}, set FORECASTS_TOKEN to a token: {command('token create', 'NAME')}"
        )
    elif not begin and (known := list(handles(session).values())):
        near = get_close_matches(handle, known, n=3)
        meant = f" Did you mean {', '.join(near)}?" if near else ""
        _note(f"There is no member {handle!r} in this ledger.{meant}")


@contextmanager
def previewing() -> Iterator[tuple[Session, models.Member, datetime]]:
    """Yield what ``acting`` does, to preview an act; nothing is written.

    A member whom the act would add is named.
    """
    with reading_as(begin=True) as (session, found, now):
        who = found or models.Member(handle=settings().member, created_at=now)
        if found is None and find_member(session, who.handle) is None:
            print_note(f"There is no member {who.handle!r} yet; this would add them.")
        yield session, who, now


def acting_handle() -> str:
    """Return the handle of the acting member, who may be new."""
    chosen = settings()
    if chosen.token is None:
        return chosen.member
    with reading_as() as (_, who, _):
        return chosen.member if who is None else who.handle


def use_own_zone() -> None:
    """Read and print times in the zone of the member's settings, before the command opens a ledger.

    None is created; what is wrong with it is left to the command.
    """
    named = settings().names_a_ledger
    if named or sqlite_file.kind_of(default_ledger()) is not sqlite_file.Kind.nothing:
        with suppress(LedgerError), reading_as(noting=False):
            pass


def as_member(
    find: Callable[..., Found], session: Session, chosen: Settings, now: datetime
) -> Found:
    """Return the member whom ``find`` gives; the session reads for them, in their time zone.

    --as is the same as FORECASTS_MEMBER, unless that names someone else.
    """
    own = settings(member=None)
    if chosen.token is None and own.names_a_member:
        roles.require_own_name(session, own.member, chosen.member, now=now)
    who = find(session, chosen, now=now)
    visibility.read_as(session, who, now=now)
    use_zone(preferences(session, who).time_zone)
    ENDING.callback(use_zone, None)
    return who


def next_step(name: str, /, *arguments: str, **options: str | bool) -> str:
    """Return the next command to type, with the ``--database`` and ``--as`` of this one.

    A password in the ledger's URL is replaced.
    """
    place, member = CHOSEN.get("database_url"), CHOSEN.get("member")
    own = {"database": place and to_type_again(place), "as": member}
    return command(name, *arguments, **options, **{key: one for key, one in own.items() if one})
