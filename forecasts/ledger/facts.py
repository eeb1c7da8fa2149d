"""The facts a process knows of a ledger: questions, wordings, resolutions, members and roles.

While one act writes, all others wait, and reading facts would take most of its turn. Facts change
seldom, and never without an entry in the chain. So each turn begins by reading the entries since
this process's last turn. If they are all of kinds that change no fact (``_NO_FACTS``), the facts
read earlier are as good as read now; otherwise they are forgotten. The same entries give the ends
of the chains, where the act adds its own.

If the last known entry is no longer there with the same hash, everything is forgotten: a backup was
restored while the process ran.

Rejected: remembering facts for some seconds (a check would not hold when its act writes), and
checks before the turn, repeated in it if facts have changed (the turn is a sixth shorter, for
twice the code).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import orm
from sqlmodel import Session

from forecasts.common.times import utc
from forecasts.ledger.chain import NOTHING

T = TypeVar("T")
# id, question, number, kind, hash, and the time as the driver has it
EntryRow = tuple[int, int | None, int | None, str, str, Any]

_COLUMNS = "SELECT id, question_id, number, kind, hash, at FROM entry"
NEWEST = f"{_COLUMNS} ORDER BY id DESC LIMIT 1"
FIRST = "SELECT hash FROM entry WHERE id = 1"
_SINCE = _COLUMNS + " WHERE id >= {place} ORDER BY id LIMIT {limit}"
MOST_ENTRIES = 1_000  # more new entries are not worth reading
_MOST_KNOWN = 50_000  # facts and ends of chains
_NO_FACTS = frozenset(
    {
        *("article", "evidence", "forecast", "model_use", "citation", "comment"),
        *("revisit", "channel", "preference", "question_origin", "printed_score"),
        *("question_group", "group_place", "condition", "question_link"),
        *("model_call", "model_answer", "model_proposal", "model_decision"),
    }
)
FACTS = "ledger_facts"  # among the options of an engine, and in the session of an act
KINDS = "ledger_kinds"  # in the session of an act: the kinds of rows it has written


class Facts:
    """The facts of one ledger; only the process's current writer changes them."""

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self.place, self.last, self.first = 0, NOTHING, ""
        self.newest_time: datetime | None = None  # of an entry; None if not known
        self.ends: dict[int, tuple[int, str]] = {}
        self.known: dict[Hashable, Any] = {}

    def since(self) -> str:
        """Return the statement for the entries from the last known one on."""
        return _SINCE.format(place=self.place, limit=MOST_ENTRIES + 1)

    def follow(self, entries: Sequence[EntryRow], newest: Callable[[], Sequence[EntryRow]]) -> bool:
        """Return whether the ledger goes on from the last known entry.

        ``entries``: those that ``since`` finds; ``newest`` reads the last entry alone.
        """
        continues = bool(entries) and (entries[0][0], entries[0][4]) == (self.place, self.last)
        many = len(entries) > MOST_ENTRIES or len(self.known) + len(self.ends) > _MOST_KNOWN
        if not continues or many:
            self._forget()
            entries = newest()
        elif any(kind not in _NO_FACTS for _, _, _, kind, _, _ in entries[1:]):
            self.known = {}
        for place, question_id, number, _, hash_, _ in entries:
            self.place, self.last = place, hash_
            if question_id is not None and number is not None:
                self.ends[question_id] = number, hash_
        if entries:
            self.newest_time = _stored_time(entries[-1][-1]) or self.newest_time
        return continues


def _stored_time(at: Any) -> datetime | None:
    """Return a time that a driver has read; None for anything else in its place."""
    if isinstance(at, str):  # SQLite's, in UTC
        try:
            return datetime.fromisoformat(at).replace(tzinfo=UTC)
        except ValueError:
            return None
    return utc(at) if isinstance(at, datetime) else None


def undo(session: orm.Session) -> None:
    """Forget the facts that a rolled-back act has read; listens to ``after_rollback``."""
    facts: Facts | None = session.info.pop(FACTS, None)
    if facts is not None:
        facts.known, facts.first = {}, ""


def first(session: orm.Session) -> str:
    """Return the ledger's id, the hash of its first entry; that of nothing in an empty ledger."""
    facts: Facts | None = session.info.get(FACTS)
    found = "" if facts is None else facts.first
    if not found:
        found = session.connection().exec_driver_sql(FIRST).scalar() or ""
        if facts is not None:
            facts.first = found
    return found or NOTHING


def known(session: Session, key: Hashable, read: Callable[[Session], T]) -> T:
    """Return the result of ``read``, from an earlier act if it still holds.

    ``key`` identifies it in the whole process; ``read`` may depend on nothing else. The result
    belongs to no session, and must not be changed.
    """
    connection = session.connection()  # an act's turn begins, if it has not yet
    facts: Facts | None = session.info.get(FACTS)
    if facts is None or session.new or not session.info.get(KINDS, _NO_FACTS) <= _NO_FACTS:
        return read(session)
    if key not in facts.known:
        # In a session of its own: the end of the act's session must not affect the result.
        with Session(connection, autoflush=False) as aside:
            facts.known[key] = read(aside)
    found: T = facts.known[key]
    return found
