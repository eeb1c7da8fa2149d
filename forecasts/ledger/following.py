"""What a process knows of a ledger because it follows the chain, so that no act has to ask again.

While an act has its turn all others wait, and most of it would go by with reading what changes
seldom: questions, wordings, resolutions, members, roles. Nothing of that changes without an entry
in the chain. So an act reads, with its turn, the entries that are new since this process looked
last. As long as they are of kinds that change no fact (``_CHANGE_NONE``), what was read before
holds still, and is as good as read now.

So what a verb checks by facts alone it can check before its act's turn, while others have theirs
(``checked``): the turn comes with the first statement that asks the database for anything. Where an
entry says then that facts have changed, it is checked again before anything is written. What was
known before is never a reason to refuse an act: that is decided with the turn.

The same entries say where the chains end, behind which the act enters its own rows.

Nothing is taken on trust from before: the last entry that was seen has to be there still, with the
same hash, or all is forgotten, as where a backup was restored under a running app.

Considered and rejected: to remember for some seconds (a check would hold no longer when its verb
writes); to let all that acts ask be answered without their turn (what a page or a command has found
so could be another thing by then, and nobody would look again).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection, orm
from sqlmodel import Session

from forecasts.common.errors import LedgerError, Refused
from forecasts.ledger import chain

T = TypeVar("T")
Seen = tuple[int, int | None, int | None, str, str]  # an entry: id, question, number, kind, hash

NEWEST = "SELECT id, question_id, number, kind, hash FROM entry ORDER BY id DESC LIMIT 1"
_MOST_NEW = 1_000  # entries that are worth reading; behind more it is quicker to begin anew
_SINCE = (
    "SELECT id, question_id, number, kind, hash FROM entry WHERE id >= {place} ORDER BY id "
    "LIMIT {most}"
)
_MOST_KNOWN = 50_000  # facts and ends of chains; then all is forgotten
_CHANGE_NONE = frozenset({"article", "evidence", "forecast", "citation"})
FOLLOWED = "ledger_followed"
# Of an act, in its session: what it was before its turn, and the checks to make again with it.
_EARLY, _AGAIN = "ledger_early", "ledger_again"


class Followed:
    """A ledger as far as a process has followed it; changed by who has the turn to write alone."""

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._place, self._hash = 0, chain.NOTHING
        self._ends: dict[int, tuple[int, str]] = {}
        self.facts: dict[Hashable, Any] = {}

    def since(self) -> str:
        """Return the statement for the entries from the last one on that was seen."""
        return _SINCE.format(place=self._place, most=_MOST_NEW + 1)

    def follow(self, since: Sequence[Seen], newest: Callable[[], Sequence[Seen]]) -> None:
        """Take in the entries that ``since`` finds; ``newest`` reads the last one alone."""
        here = bool(since) and (since[0][0], since[0][4]) == (self._place, self._hash)
        much = len(since) > _MOST_NEW or len(self.facts) + len(self._ends) > _MOST_KNOWN
        if not here or much:
            self._forget()
            since = newest()
        elif any(kind not in _CHANGE_NONE for _, _, _, kind, _ in since[1:]):
            self.facts = {}
        for id_, question_id, number, _, hash_ in since:
            self._place, self._hash = id_, hash_
            if question_id is not None and number is not None:
                self._ends[question_id] = number, hash_

    def end(self, connection: Connection) -> chain.Chain:
        """Return the end of the chain; that of a question that was not met yet is looked for."""
        return chain.Chain(
            self._place,
            self._hash,
            lambda question: self._ends.get(question) or chain.last_of(connection, question),
        )


@dataclass
class _Early:
    """An act before its turn: the facts as they were, and what was checked by them."""

    facts: dict[Hashable, Any]
    checks: list[Callable[[], object]] = field(default_factory=list)
    always: list[Callable[[], object]] = field(default_factory=list)
    checking: bool = False


class _Unknown(Exception):
    """A check asks for what is not known yet."""


def before_turn(session: orm.Session, followed: Followed) -> None:
    """Let the act check by what is known, until its turn begins."""
    session.info[_EARLY] = _Early(followed.facts)


def has_turn(session: orm.Session) -> bool:
    """Return whether the act's turn to write has begun."""
    return _EARLY not in session.info


def begin(session: orm.Session, _transaction: Any, connection: Connection) -> None:
    """Let the act go on from what is known; listens to ``after_begin``."""
    early: _Early | None = session.info.pop(_EARLY, None)
    followed = connection.get_execution_options().get(FOLLOWED)
    if followed is None:
        return
    session.info[FOLLOWED] = followed
    chain.go_on(session, followed.end(connection))
    if early is not None:
        changed = early.checks if early.facts is not followed.facts else []
        session.info[_AGAIN] = [*early.always, *changed]


def check_again(session: orm.Session) -> None:
    """Make the checks again that may not hold any more, now that the turn has begun."""
    for check in session.info.pop(_AGAIN, ()):
        check()


def undo(session: orm.Session) -> None:
    """Forget what an act has read that came to nothing; listens to ``after_rollback``."""
    session.info.pop(_AGAIN, None)
    if (followed := session.info.pop(FOLLOWED, None)) is not None:
        followed.facts = {}


def checked(
    session: Session,
    check: Callable[[], T],
    *,
    same: Callable[[T], object] | None = None,
    always: bool = False,
) -> T:
    """Return what ``check`` finds, which holds when the act writes.

    It raises what keeps the act from being done, and may be called again when the turn begins:
    where facts have changed, or ``always``. Refused where it finds another one then, by what
    ``same`` returns of the two.
    """
    early: _Early | None = session.info.get(_EARLY)
    if early is None or session.new:
        return check()
    early.checking = True
    try:
        found = check()
    except (_Unknown, LedgerError):
        session.connection()  # its turn begins
        return check()
    finally:
        early.checking = False
    if has_turn(session):  # it asked the database, and perhaps took something as read before
        return check()

    def again() -> None:
        if same is not None and same(check()) != same(found):
            raise Refused(
                "Somebody has just changed what this rests on, so nothing was written.",
                remedy="Look at it as it is now, and do it again.",
            )

    (early.always if always else early.checks).append(check if same is None else again)
    return found


def with_turn(session: Session) -> None:
    """Let the act's turn begin before it goes on, as it is about to write."""
    early: _Early | None = session.info.get(_EARLY)
    if early is not None and early.checking:
        raise _Unknown


def known(session: Session, key: Hashable, read: Callable[[Session], T]) -> T:
    """Return what ``read`` finds, from before where this act may take it as read.

    ``key`` names it in the whole process; ``read`` has to depend on that and on nothing else. What
    comes back belongs to no session, and is not to be changed.
    """
    early: _Early | None = session.info.get(_EARLY)
    if early is not None and early.checking:
        if key not in early.facts:
            raise _Unknown
        was: T = early.facts[key]
        return was
    if early is not None:
        session.connection()  # its turn begins
    followed: Followed | None = session.info.get(FOLLOWED)
    if followed is None or session.new or not chain.noted(session) <= _CHANGE_NONE:
        return read(session)
    facts = followed.facts
    if key not in facts:
        # By a session of its own, so that the end of this one does not touch what it found.
        with Session(session.connection(), autoflush=False) as aside:
            facts[key] = read(aside)
    found: T = facts[key]
    return found
