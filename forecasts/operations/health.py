"""Health checks of a ledger, for an operator to run before and after a change, and as a monitor.

Nothing is kept: what is written for a check is rolled back, or deleted at once.
"""

from __future__ import annotations

import os
import secrets
import shlex
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, Engine, delete, func, select, text
from sqlmodel import Session, SQLModel, col

from forecasts.access import oidc_settings
from forecasts.access.roles import admins, is_shared_ledger
from forecasts.access.visibility import question_visible
from forecasts.common.errors import (
    Advice,
    BadInput,
    DatabaseError,
    NoLedger,
    Remedy,
    command,
    in_words,
)
from forecasts.common.limits import format_bytes
from forecasts.common.private_files import readable_by_all
from forecasts.common.sealed_secrets import MARK, is_readable, key_file
from forecasts.common.text import count
from forecasts.common.times import iso, to_minute, utc
from forecasts.ledger import catalogue, clock, current_forecasts, head, moved
from forecasts.ledger.chain import SEALED
from forecasts.ledger.clock import ledger_clock, newest_time
from forecasts.ledger.current import close_time, has_outcome, is_newest_wording
from forecasts.ledger.database import reading, writing
from forecasts.ledger.models import (
    Channel,
    EndedSession,
    Ledger,
    Member,
    Question,
    QuestionRevision,
    Resolver,
    Team,
    UpkeepAct,
    Watch,
)
from forecasts.ledger.schema import newest_revision, schema_revision
from forecasts.ledger.sqlite_file import why_read_only
from forecasts.ledger.urls import is_embedded, named_file, place, read_url, sqlite_path
from forecasts.ledger.verification import newest
from forecasts.operations import upkeep
from forecasts.operations.digests import EVERY, is_old
from forecasts.operations.grants import missing_grants, wrong_grants
from forecasts.resolution.assignments import is_assigned
from forecasts.resolution.disputes import open_disputes
from forecasts.resolution.progress import parked, run_times
from forecasts.resolution.proposals import open_proposals

_MOST = 20  # differences that are named
_LEAST_FREE = 100_000_000  # bytes
LONGEST_JOURNAL = 100_000_000  # bytes; SQLite merges it into the file at 4 MB if it can
TOLERANCE = timedelta(seconds=5)  # between clocks
# The server settings by which an acknowledged write survives a power cut.
_DURABLE = ("fsync", "full_page_writes", "synchronous_commit")
_MOST_NAMED = 3
_LONGEST_SILENCE = timedelta(days=2)  # of the runs
_OLDEST_BACKUP = timedelta(days=7)
_PATIENCE = timedelta(days=1)  # in which a question may wait for a person
_GONE_ON = ", and the ledger has grown since."
_PROBE = "health check "  # how the keys of its rows begin
_PROBE_ROWS, _PROBE_CHARACTERS = 250, 2_000  # as of a large act
_GRACE = timedelta(days=7)  # in which a new ledger needs no backup and no digest yet


@dataclass(frozen=True)
class Finding:
    """The result of one check in a sentence, with advice if it failed."""

    about: str
    result: str
    advice: Advice = ""

    @property
    def passed(self) -> bool:
        """Whether the check passed."""
        return not self.advice

    @property
    def remedy(self) -> str:
        """The advice in words, in which acts are commands."""
        return in_words(self.advice)


def _either(about: str, passed: bool, fine: str, wrong: str, advice: Advice) -> Finding:
    """Return the finding that all is ``fine``, or that something is ``wrong``, with the advice."""
    return Finding(about, fine) if passed else Finding(about, wrong, advice)


class _Undone(Exception):
    """Rolls a trial back."""


def check(engine: Engine, here: Callable[[], datetime]) -> list[Finding]:
    """Return the findings about the ledger; nothing is kept. ``here``: this machine's clock.

    Checks that depend on the schema are left out if it is not this release's.
    """
    found = list(check_file(engine) if is_embedded(engine) else check_server(engine, here))
    if not all(one.passed for one in found if one.about in ("connection", "file")):
        return found  # nothing else of a damaged file, or of one that takes no acts, counts
    schema = _schema(engine)
    found.append(schema)
    if schema.passed:
        now = ledger_clock(engine, here)()
        found += _check_contents(engine, now)
        if all(one.passed for one in found if one.about in ("permissions", "writing", "end")):
            found.append(_writing(engine, now))
    return found


def check_unopened(url: str, error: DatabaseError) -> list[Finding]:
    """Return the findings that need no open ledger, the space around a file first.

    ``error``: the reason why it cannot be opened, which is the last finding.
    """
    path = None if isinstance(error, NoLedger) else named_file(read_url(url))
    found = [] if path is None or not path.exists() else list(check_around(path))
    return [*found, Finding("connection", error.message, error.advice)]


def check_sign_in() -> Finding:
    """Return whether this environment is configured for sign-in, without any secret."""
    try:
        chosen = oidc_settings.configured_sign_in()
    except BadInput as error:
        problems = "; ".join(f"{one.place} {one.rule}" for one in error.problems)
        return Finding("sign-in", f"{error.message} {problems}.", error.advice)
    if chosen is None:
        return Finding("sign-in", "Sign-in is off, so the app answers only to this machine.")
    result = (
        f"People sign in with {chosen.issuer} and return to the app at {chosen.host}. Admitted: "
        f"{chosen.admitted}."
    )
    return Finding("sign-in", result)


def _schema(engine: Engine) -> Finding:
    revision, newest = schema_revision(engine) or "none", newest_revision()
    if revision == newest:
        return Finding("schema", f"The schema is {revision}, as this release requires.")
    result = f"The schema is {revision}, but this release requires {newest}."
    if revision > newest:
        return Finding("schema", result, "A newer release has written it: install that release.")
    return Finding("schema", result, Remedy("Tell its users, then migrate it: {}", "migrate"))


def _check_contents(engine: Engine, now: datetime) -> Iterator[Finding]:
    with reading(engine) as session:
        connection = session.connection()
        missing = [] if is_embedded(engine) else missing_grants(connection)
        if not is_embedded(engine):
            role = connection.scalar(text("SELECT quote_ident(current_user)"))
            yield _either(
                "permissions",
                not missing,
                "The role has all the privileges that a ledger needs.",
                f"The role {role} lacks privileges that a ledger needs.",
                f"The ledger's owner runs: {' '.join(f'{g} TO {role};' for g in missing)}",
            )
        yield protection(connection)
        if not any("SELECT" in grant for grant in missing):
            yield _end(connection)
            yield _chain(connection)
            yield _lists(connection)
            yield _roles(session)
            yield _newest(session, now)
            yield _rows(connection)
            yield _secrets(session)
            yield from check_routine(session, now=now)


def _writing(engine: Engine, now: datetime) -> Finding:
    """Return whether rows can be written as acts write them.

    A row of history with its entry is rolled back. Then rows of the size of an act are committed,
    since a disk may be full only then, and deleted, with any that a killed check has left: ended
    sign-ins of nobody, which have expired.
    """
    rows = [f"{_PROBE}{secrets.token_hex(_PROBE_CHARACTERS // 2)}" for _ in range(_PROBE_ROWS)]
    try:
        with suppress(_Undone), writing(engine) as session:
            session.add(Team(name=f"health check of {iso(now)}", created_at=now))
            session.flush()
            raise _Undone
        with writing(engine) as session:
            session.add_all(EndedSession(key=key, until=now, recorded_at=now) for key in rows)
        with writing(engine) as session:
            session.execute(delete(EndedSession).where(col(EndedSession.key).startswith(_PROBE)))
    except DatabaseError as error:
        return Finding("writing", error.message, error.advice)
    size = format_bytes(_PROBE_ROWS * _PROBE_CHARACTERS)
    return Finding("writing", f"Rows of {size} were written, and taken back.")


def protection(connection: Connection) -> Finding:
    """Return whether the database protects history as the ledger's schema does."""
    found = catalogue.compare(connection)
    weak = [*found.faults, *wrong_grants(connection)]
    added = f" Added, and harmless: {'; '.join(found.added[:_MOST])}." if found.added else ""
    more = f"; and {len(weak) - _MOST:,} more" if len(weak) > _MOST else ""
    return _either(
        "protection",
        not weak,
        f"Tables, indexes, triggers and rights protect history as they should.{added}",
        f"The database's protection of history is weakened: {'; '.join(weak[:_MOST])}{more}.",
        "Find out who changed it, and compare with a backup for changes since. A copy made with "
        "forecasts move has the whole protection again.",
    )


def _end(connection: Connection) -> Finding:
    """Return whether the ledger has the newest entry that was acknowledged here."""
    said = head.missing(connection)
    fine = "The newest entry that was acknowledged here is in the ledger."
    wrong = f"{said[:1].upper()}{said[1:]}."
    return _either("end", not said, fine, wrong, head.ways_on(connection.engine))


def _chain(connection: Connection) -> Finding:
    """Return whether the chain has an entry for each row; ``forecasts verify`` compares them."""
    kind = SQLModel.metadata.tables["entry"].c.kind
    entries = connection.scalar(select(func.count()).where(kind.in_(SEALED))) or 0
    rows = sum(_count(connection, name) for name in SEALED)
    return _either(
        "chain",
        entries == rows,
        f"Each of the {rows:,} rows of history has an entry; forecasts verify compares them.",
        f"There are {rows:,} rows of history but {entries:,} entries: someone has changed it.",
        Remedy("To find the place: {}", "verify"),
    )


def _lists(connection: Connection) -> Finding:
    """Return whether the rows that lists read are those that history gives."""
    differ = current_forecasts.differences(connection)
    named = "; ".join(differ[:_MOST_NAMED])
    return _either(
        "lists",
        not differ,
        "Lists show each member's current forecasts, as history gives them.",
        f"Lists may be wrong: {named}.",
        Remedy("History is the truth. To compute the rows for lists again: {}", "rescore"),
    )


def _roles(session: Session) -> Finding:
    """Return the admins of the ledger."""
    named = admins(session)
    if named:
        return Finding("roles", f"Roles apply; admins: {', '.join(named)}.")
    return Finding(
        "roles",
        "There is no admin, so everyone who can open the ledger may do everything. To appoint one: "
        + command("team appoint", "HANDLE", "admin"),
    )


def _newest(session: Session, now: datetime) -> Finding:
    """Return whether a row was recorded in the future, by a wrong clock."""
    at = newest_time(session)
    if at is None:
        return Finding("newest", "There are no rows yet.")
    newest = f"The newest row was recorded at {iso(at)}"
    return _either(
        "newest",
        at <= now + TOLERANCE,
        f"{newest}.",
        f"{newest}, but it is {iso(now)} here. Acts are refused until then.",
        "Set this machine's clock, or find the machine whose clock was wrong. If the row is of a "
        "wrong clock, restore a backup from before.",
    )


def _rows(connection: Connection) -> Finding:
    """Return the number of rows of the main tables."""
    names = ("member", "article", "question", "forecast", "citation", "resolution", "score")
    counted = ", ".join(count(_count(connection, name), name) for name in names)
    return Finding("rows", f"The ledger has {counted}.")


def _secrets(session: Session) -> Finding:
    """Return whether the addresses of channels are encrypted, with a key that is here."""
    kept = select(col(Channel.secret_url)).where(col(Channel.removed_at).is_(None))
    stored = session.execute(kept).scalars().all()
    plain = sum(not one.startswith(MARK) for one in stored)
    lost = sum(not is_readable(one) for one in stored)
    if lost:
        return Finding(
            "secrets",
            f"Of the addresses of channels, {lost:,} cannot be read: their key is not here.",
            "Set FORECASTS_SECRET_KEY to that key. If it is lost, their members add the channels "
            "again.",
        )
    return _either(
        "secrets",
        not plain,
        f"The addresses of channels ({len(stored):,}) are encrypted, with a key elsewhere.",
        f"Of the addresses of channels, {plain:,} can be read by all who can read the ledger.",
        "The next run encrypts them. If the ledger is on a server, set FORECASTS_SECRET_KEY first.",
    )


def _count(connection: Connection, name: str) -> int:
    table = SQLModel.metadata.tables[name]
    return connection.scalar(select(func.count()).select_from(table)) or 0


def check_file(engine: Engine) -> Iterator[Finding]:
    """Yield the findings about the ledger's file; after damage, none may be relied on."""
    there, file = moved.moved_to(engine), place(engine)
    yield Finding(
        "connection",
        f"The ledger is the file {file}{there and f', which was moved to {there}'}.",
        there and moved.remedy(file, forged=head.is_forged(sqlite_path(engine), there)),
    )
    with reading(engine) as session:
        connection = session.connection()
        version = connection.scalar(text("SELECT sqlite_version()"))
        faults = list(connection.scalars(text("PRAGMA quick_check")))
    yield Finding("server", f"SQLite {version} reads and writes it.")
    if faults != ["ok"]:
        remedy = "Keep the file as it is, and restore a backup."
        yield Finding("file", f"The file is damaged: {faults[0]}.", remedy)
        return
    yield Finding("file", "The file is intact.")
    path = sqlite_path(engine)
    if path is not None:
        yield from check_around(path)


def check_around(path: Path) -> Iterator[Finding]:
    """Yield the findings about a file that need not open it: space, permissions and journal."""
    yield _space(path)
    yield _permissions(path)
    yield _privacy(path)
    yield _journal(path)


def _permissions(path: Path) -> Finding:
    if blocked := why_read_only(path):
        return Finding(
            "permissions",
            f"The ledger can only be read: you may not write to {blocked}.",
            "If it should be written to, give this user permission to write to the file and its "
            "folder. For reading, nothing needs to be done.",
        )
    everyones = [str(one) for one in (path, path.parent) if _is_everyones(one)]
    return _either(
        "permissions",
        not everyones,
        "Only you and your group may write to the file.",
        f"Every user of this machine may write to {' and '.join(everyones)}.",
        f"Run: chmod o-w {shlex.join(everyones)}",
    )


def _privacy(path: Path) -> Finding:
    """Return whether other users may read the ledger, its journal or the key of its secrets."""
    beside = [path.with_name(f"{path.name}{journal}") for journal in ("", "-wal", "-shm")]
    exposed = [str(one) for one in readable_by_all([*beside, key_file()])]
    return _either(
        "privacy",
        not exposed,
        "Only you and your group may read the file.",
        f"Every user of this machine may read {' and '.join(exposed)}.",
        f"Run: chmod o-r {shlex.join(exposed)}",
    )


def _is_everyones(path: Path) -> bool:
    """Return whether every user may write to the file, or replace files in the folder."""
    mode = path.stat().st_mode
    return os.name == "posix" and bool(mode & stat.S_IWOTH) and not mode & stat.S_ISVTX


def _space(path: Path) -> Finding:
    free = shutil.disk_usage(path.parent).free
    needed = max(_LEAST_FREE, path.stat().st_size)
    result = f"{format_bytes(free)} are free where the ledger is"
    free_some = f"Free at least {format_bytes(needed - free)}, or move the ledger: {{}}"
    return _either(
        "space",
        free >= needed,
        f"{result}.",
        f"{result}, less than a migration or a backup beside it may need.",
        Remedy(free_some, "move", to="FILE"),
    )


def _journal(path: Path) -> Finding:
    journal = path.with_name(f"{path.name}-wal")
    size = journal.stat().st_size if journal.exists() else 0
    result = f"The journal beside the file has {format_bytes(size)}"
    return _either(
        "journal",
        size <= LONGEST_JOURNAL,
        f"{result}.",
        f"{result}: something has been reading for so long that it cannot be merged.",
        "Close programs that have the ledger open, such as a database browser, and check again.",
    )


def check_server(engine: Engine, here: Callable[[], datetime]) -> Iterator[Finding]:
    """Yield the findings about the server; ``here``: this machine's clock."""
    with reading(engine) as session:
        connection = session.connection()
        role, version, standby, read_only = connection.exec_driver_sql(
            "SELECT current_user, current_setting('server_version'), pg_is_in_recovery(),"
            " current_setting('default_transaction_read_only')"
        ).one()
        yield Finding("connection", f"The ledger is {place(engine)}, opened by the role {role}.")
        yield Finding("server", f"The server is PostgreSQL {version}.")
        yield _durability(connection)
        yield _clock_of(connection, here)
        if standby or read_only == "on":
            yield Finding(
                "writing",
                "The server accepts no writes: it is a standby, or set to read only.",
                "Use the address of the primary server.",
            )


def _durability(connection: Connection) -> Finding:
    # Other values wait for more.
    off = [n for n in _DURABLE if connection.scalar(select(func.current_setting(n))) == "off"]
    return _either(
        "durability",
        not off,
        "Acknowledged writes are on the server's disk.",
        f"Acknowledged writes can be lost when the machine stops, since {', '.join(off)} is off.",
        "The server's owner sets " + ", ".join(f"{name} = on" for name in off) + ".",
    )


def _clock_of(connection: Connection, here: Callable[[], datetime]) -> Finding:
    before = utc(here())
    server = connection.scalar(text(f"SELECT {clock.server_time()}"))
    after = utc(here())
    assert isinstance(server, datetime)
    # The server read its clock at some time between the two.
    ahead = (server - min(max(server, before), after)).total_seconds()
    difference = f"The server's clock and this machine's differ by {abs(ahead):.1f} s"
    return _either(
        "clock",
        abs(ahead) <= TOLERANCE.total_seconds(),
        f"{difference}.",
        f"{difference}: the server's is {'ahead' if ahead > 0 else 'behind'}.",
        "Synchronise both clocks (NTP). The server's decides when a forecast was made.",
    )


def check_routine(session: Session, *, now: datetime) -> Iterator[Finding]:
    """Yield whether runs, backups and digests are up to date, and whether questions wait."""
    yield _run(session, now)
    described = session.get(Ledger, 1)
    if described is not None and described.demonstration:
        return
    began = session.scalar(select(func.min(col(Member.created_at))))
    is_new = began is None or now - began < _GRACE
    if is_embedded(session.get_bind()):  # a server's own tools make its backups
        yield _backup(session, now, is_new=is_new)
    yield _digest(session, now, is_new=is_new)
    yield _people(session, now)


def _run(session: Session, now: datetime) -> Finding:
    times = run_times(session)
    is_due = (col(Watch.next_at) <= now) & col(Watch.parked_at).is_(None)
    due = session.scalar(select(func.count()).select_from(Watch).where(is_due)) or 0
    schedule = Remedy("To schedule runs: {}", "schedule", help=True)
    if times is None:
        waiting = count(due, "question is", "questions are") + " due"
        waiting = waiting if due else "no question needs one"
        return Finding("run", f"There has been no run, and {waiting}.", schedule if due else "")
    result = f"The last run was at {to_minute(times.last)}"
    if times.last > now + TOLERANCE:
        return Finding(
            "run",
            f"{result}, but it is {to_minute(now)} here.",
            "Check the clocks of this machine and of the one that runs. The next run corrects it.",
        )
    if times.is_overdue(now) or (due and now - times.last > _LONGEST_SILENCE):
        return Finding("run", f"{result}; the next is overdue.", ("See its log.", schedule))
    waits = col(Watch.next_at).is_not(None) & col(Watch.parked_at).is_(None)
    is_failing = (col(Watch.attempts) > 0) & waits
    failing = session.scalar(select(func.count()).select_from(Watch).where(is_failing)) or 0
    if failing:
        failed = f"; checks of {count(failing, 'question')} failed and will be repeated"
        return Finding("run", f"{result}{failed}. To see why: {command('run status')}")
    return Finding("run", f"{result}.")


def _people(session: Session, now: datetime) -> Finding:
    """Return how many questions need a person, and whether one has waited too long."""
    waiting = {
        "parked": [(one.slug, one.since) for one in parked(session)],
        "disputed": [(q.slug, row.recorded_at) for row, _, q in open_disputes(session)],
        "proposed": [(q.slug, row.recorded_at) for row, q in open_proposals(session)],
    }
    questions = {state: {slug for slug, _ in rows} for state, rows in waiting.items()}
    total = len(set().union(*questions.values()))
    if not total:
        left = _without_resolver(session, now)
        return Finding("people", f"No question needs a person{' now' if left else ''}.{left}")
    counted = ", ".join(f"{len(slugs):,} {state}" for state, slugs in questions.items() if slugs)
    first = min(since for rows in waiting.values() for _, since in rows)
    need = count(total, "question needs", "questions need")
    result = f"{need} a person ({counted}), the first since {to_minute(first)}"
    if now - first <= _PATIENCE:
        return Finding("people", f"{result}. To list them: {command('run status')}")
    listing = Remedy("Decide on the page Resolve. To list them: {}", "run status")
    return Finding("people", f"{result}.", listing)


def _without_resolver(session: Session, now: datetime) -> str:
    """Return how many open questions no run resolves, '' if there are none."""
    watched = select(col(Resolver.question_id)).where(is_assigned())
    open_ = (~has_outcome(Question.id), question_visible(session), is_newest_wording())
    of = col(Question.id) == col(QuestionRevision.question_id)
    asked = select(func.count()).select_from(QuestionRevision).join(Question, of)
    is_open = close_time(QuestionRevision) > now
    left = session.scalar(asked.where(*open_, is_open, col(Question.id).not_in(watched))) or 0
    have = count(left, "open question has", "open questions have")
    return f" {have} no resolver and must be resolved by hand." if left else ""


def _backup(session: Session, now: datetime, *, is_new: bool) -> Finding:
    row = upkeep.find(session, UpkeepAct.backup)
    remedy = Remedy("Make one, best on another machine or disk: {}", "backup", "FILE")
    if row is None or row.done_at is None:
        return Finding("backup", "There is no backup yet.", "" if is_new else remedy)
    result = f"The last backup was made at {to_minute(row.done_at)}: {row.place}"
    old = is_old(row, newest(session), now=now, age=_OLDEST_BACKUP)
    return _either("backup", not old, f"{result}.", f"{result}{_GONE_ON}", remedy)


def _digest(session: Session, now: datetime, *, is_new: bool) -> Finding:
    """Return whether the digest was sent, to the target of the newest attempt."""
    rows = upkeep.rows(session, UpkeepAct.digest)
    if not rows:
        needed = not is_new and is_shared_ledger(session)
        remedy = "Send one every day: set FORECASTS_DIGEST_TO for the runs (docs/history.md)."
        return Finding("digest", "No digest has been sent yet.", remedy if needed else "")
    row = max(rows, key=lambda row: row.tried_at)
    again = Remedy("The next run tries again. To try now: {}", "digest")
    if row.reason:
        tried = f"The digest was not sent to {row.place} at {to_minute(row.tried_at)}"
        return Finding("digest", f"{tried}: {row.reason}", again)
    result = f"The last digest was sent at {to_minute(row.done_at or now)} to {row.place}"
    old = is_old(row, newest(session), now=now, age=2 * EVERY)
    return _either("digest", not old, f"{result}.", f"{result}{_GONE_ON}", again)
