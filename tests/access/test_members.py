"""Members by handle and by id."""

from __future__ import annotations

from sqlalchemy import Engine, event
from sqlmodel import Session

from forecasts.access.members import handle_of, member_or_new
from tests.conftest import day


def test_the_handle_of_one_member_is_read_alone(session: Session, engine: Engine) -> None:
    ids = [member_or_new(session, who, now=day(0)).id for who in ("alice", "bob", "carol")]
    session.flush()
    session.expunge_all()
    read: list[object] = []
    event.listen(session, "loaded_as_persistent", lambda _, row: read.append(row))
    assert handle_of(session, ids[1]) == "bob"
    assert len(read) == 1
