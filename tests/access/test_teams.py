"""Teams: memberships and roles over time, and the admins of a ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, event
from sqlmodel import Session, col, select

from forecasts.access import memberships, teams
from forecasts.access import roles as access_roles
from forecasts.access.members import handle_of, member_named, member_or_new
from forecasts.access.roles import Action
from forecasts.common.errors import BadInput, Forbidden, NotFound, Refused
from forecasts.folder.folder import read_folder, write_folder
from forecasts.importing.frames import import_frames
from forecasts.ledger import database
from forecasts.ledger.clock import TIME
from forecasts.ledger.models import Appointment, Member, Membership, Role, Team
from forecasts.ledger.verification import verify
from forecasts.scores.ledger_frames import ledger_frames
from tests.conftest import ask, day


def role_in(
    session: Session, member: Member, team: Team | None = None, *, now: datetime
) -> Role | None:
    """Return the member's role in the team at ``now``, None outside it; or their general role."""
    if team is None:
        return access_roles.member_rights(session, member, now=now).general
    membership = memberships.active_membership(session, team, member, now)
    return None if membership is None else Role(membership.role)


def test_the_first_team_makes_a_ledger_shared(session: Session, alice: Member, bob: Member) -> None:
    assert not access_roles.is_shared(session)
    for member in (alice, bob):
        assert access_roles.member_rights(session, member, now=day(1)).unrestricted
    alder = teams.create(session, "Alder", member=alice, now=day(1))
    assert access_roles.admins(session) == ["alice"]
    assert role_in(session, alice, alder, now=day(1)) is None  # she manages it all the same
    assert teams.roster(session, alder, now=day(1)).members == []
    assert not access_roles.member_rights(session, bob, now=day(1)).unrestricted
    with pytest.raises(Forbidden, match="bob may not manage roles") as caught:
        teams.create(session, "Birch", member=bob, now=day(1))
    assert caught.value.remedy == "Ask alice to do it."


def test_members_are_forecasters_by_default(session: Session, alice: Member, bob: Member) -> None:
    alder = teams.create(session, "Alder", member=alice, now=day(1))
    assert role_in(session, bob, now=day(1)) is Role.forecaster
    assert role_in(session, bob, alder, now=day(1)) is None
    teams.set_role(session, alder, bob, Role.viewer, member=alice, now=day(2))
    assert role_in(session, bob, now=day(3)) is Role.viewer
    teams.appoint(session, bob, Role.resolver, member=alice, now=day(4))
    assert role_in(session, bob, now=day(4)) is Role.resolver
    assert role_in(session, bob, alder, now=day(4)) is Role.viewer


def test_an_admin_counts_a_members_past(session: Session, alice: Member, bob: Member) -> None:
    alder = teams.create(session, "Alder", member=alice, now=day(5))
    teams.set_role(session, alder, bob, Role.admin, member=alice, now=day(5))
    with pytest.raises(Forbidden, match="bob may not manage roles in this ledger"):
        teams.add(session, alder, bob, since=day(1), member=bob, now=day(6))
    kept = teams.add(session, alder, bob, since=day(1), member=alice, now=day(6))
    assert kept.role == Role.admin
    carol = member_or_new(session, "carol", now=day(6))
    teams.add(session, alder, carol, Role.viewer, since=day(2), member=alice, now=day(6))
    stays = [
        [(s.joined_at, s.left_at, s.role) for s in memberships.memberships_of(session, member)]
        for member in (bob, carol)
    ]
    assert stays == [
        [(day(5), None, "admin"), (day(1), day(5), "forecaster")],
        [(day(6), None, "viewer"), (day(2), day(6), "forecaster")],
    ]
    # It counts forecasts, and gives no rights.
    assert role_in(session, carol, alder, now=day(6)) is Role.viewer


def test_a_count_is_not_repeated_or_ahead(session: Session, alice: Member, bob: Member) -> None:
    alder = teams.create(session, "Alder", member=alice, now=day(5))
    of = {"member": alice, "now": day(6)}
    with pytest.raises(Refused, match="bob is not in Alder"):
        teams.count_since(session, alder, bob, day(1), **of)
    teams.add(session, alder, alice, member=alice, now=day(5))
    with pytest.raises(BadInput, match=r"cannot be a member since \S+, which is ahead"):
        teams.count_since(session, alder, alice, day(7), **of)
    teams.count_since(session, alder, alice, day(2), **of)
    for since in (day(2), day(3), day(5), day(6)):
        with pytest.raises(Refused, match="alice's forecasts since then count in Alder already"):
            teams.count_since(session, alder, alice, since, **of)
    teams.count_since(session, alder, alice, day(1), **of)  # an earlier day is still possible


@pytest.fixture
def dated_back(engine: Engine) -> Engine:
    """Alder of alice since day 5, of which bob is a viewer since day 7; both from day 2."""
    with acting(engine, 5) as (session, alice, _):
        alder = teams.create(session, "Alder", member=alice, now=day(5))
        teams.add(session, alder, alice, member=alice, now=day(5))
    with acting(engine, 7) as (session, alice, bob):
        alder = teams.find(session, "Alder")
        teams.set_role(session, alder, bob, Role.viewer, member=alice, now=day(7))
    for handle in ("alice", "bob"):
        count(engine, handle, 2, at=8)
    return engine


@contextmanager
def acting(engine: Engine, at: float) -> Iterator[tuple[Session, Member, Member]]:
    """Begin an act of that day, of alice and bob; the entries of its rows have the time."""
    with database.writing(engine) as session:
        session.info[TIME] = day(at)
        alice, bob = (member_or_new(session, who, now=day(at)) for who in ("alice", "bob"))
        yield session, alice, bob


def count(engine: Engine, handle: str, since: float, *, at: float) -> None:
    with acting(engine, at) as (session, alice, _):
        alder, subject = teams.find(session, "Alder"), member_named(session, handle)
        teams.count_since(session, alder, subject, day(since), member=alice, now=day(at))


def stays(session: Session, handle: str) -> list[tuple[datetime | None, datetime | None]]:
    """Return the member's ended stays in teams."""
    found = memberships.memberships_of(session, member_named(session, handle))
    return sorted((s.joined_at, s.left_at) for s in found if s.left_at is not None)


def later(session: Session, handle: str) -> tuple[datetime | None, datetime] | None:
    found = teams.roster(session, teams.find(session, "Alder"), now=day(20)).later
    return found.get(member_named(session, handle).id)


def test_a_past_that_counts_from_too_early_a_day_is_corrected_later(dated_back: Engine) -> None:
    count(dated_back, "alice", 1, at=9)
    with pytest.raises(Refused, match="count in Alder already"):
        count(dated_back, "alice", 1, at=10)
    count(dated_back, "alice", 3, at=10)
    with database.reading(dated_back) as session:
        assert stays(session, "alice") == [(day(3), day(5))]
        assert later(session, "alice") == (day(3), day(10))
        frame = ledger_frames(session).teams.sort_values("forecaster")
        assert list(frame["joined_at"][frame["forecaster"] == "alice"]) == [day(5), day(3)]
        assert verify(session).broken is None
    # The rows of before are kept, each with the time of its entry; it can be corrected again.
    count(dated_back, "alice", 1, at=11)
    with database.reading(dated_back) as session:
        alice = member_named(session, "alice")
        in_order = select(Membership).order_by(col(Membership.id))
        rows = session.exec(in_order.where(Membership.member_id == alice.id)).all()
        assert [(row.joined_at, row.left_at) for row in rows] == [
            (day(5), None),
            (day(2), day(5)),
            (day(1), day(5)),
            (day(2), day(2)),
            (day(1), day(1)),
            (day(3), day(5)),
            (day(1), day(5)),
        ]
        assert later(session, "alice") == (day(1), day(11))


def test_a_stay_that_was_not_dated_back_is_not_shortened(dated_back: Engine) -> None:
    with acting(dated_back, 9) as (session, alice, bob):
        alder = teams.find(session, "Alder")
        teams.set_role(session, alder, bob, Role.resolver, member=alice, now=day(9))
    for since in (7, 8, 9):
        with pytest.raises(Refused, match="bob's forecasts since then count in Alder already"):
            count(dated_back, "bob", since, at=10)
    count(dated_back, "bob", 4, at=10)  # the change of role since then does not matter
    with database.reading(dated_back) as session:
        assert stays(session, "bob") == [(day(4), day(7)), (day(7), day(9))]
        assert stays(session, "alice") == [(day(2), day(5))]


def test_an_import_does_not_bring_back_a_corrected_stay(dated_back: Engine, tmp_path: Path) -> None:
    with database.reading(dated_back) as session:
        write_folder(ledger_frames(session), tmp_path / "before")
    count(dated_back, "alice", 4, at=9)
    with acting(dated_back, 10) as (session, alice, _):
        import_frames(session, read_folder(tmp_path / "before"), member=alice, now=day(10))
        assert stays(session, "alice") == [(day(4), day(5))]


def test_a_role_holds_until_it_changes(session: Session, alice: Member, bob: Member) -> None:
    alder = teams.create(session, "Alder", member=alice, now=day(1))
    teams.set_role(session, alder, bob, Role.forecaster, member=alice, now=day(2))
    teams.set_role(session, alder, bob, Role.resolver, member=alice, now=day(4))
    teams.remove(session, alder, bob, member=alice, now=day(6))
    roles = [role_in(session, bob, alder, now=day(d)) for d in (1, 2, 3, 4, 5, 6)]
    assert roles == [None, "forecaster", "forecaster", "resolver", "resolver", None]
    assert [(s.joined_at, s.left_at) for s in memberships.memberships_of(session, bob)] == [
        (day(2), day(4)),
        (day(4), day(6)),
    ]
    assert [h for h, _ in teams.roster(session, alder, now=day(5)).members] == ["bob"]
    assert teams.roster(session, alder, now=day(6)).members == []
    rain = ask(session, alice, slug="rain", **teams.visibility_fields(session, "Alder"))
    access_roles.require(session, bob, Action.resolve, rain, now=day(5))
    assert access_roles.member_rights(session, bob, now=day(6)).teams == {}
    with pytest.raises(NotFound, match="no question 'rain'"):
        access_roles.require(session, bob, Action.see, rain, now=day(6))


def test_a_role_given_twice_is_refused(session: Session, alice: Member, bob: Member) -> None:
    alder = teams.create(session, "Alder", member=alice, now=day(1))
    teams.set_role(session, alder, bob, Role.viewer, member=alice, now=day(2))
    with pytest.raises(Refused, match="bob is already a viewer in Alder"):
        teams.set_role(session, alder, bob, Role.viewer, member=alice, now=day(3))
    with pytest.raises(Refused, match="There is already a team 'Alder'"):
        teams.create(session, "Alder ", member=alice, now=day(3))
    with pytest.raises(BadInput, match="not a team name"):
        teams.create(session, " ", member=alice, now=day(3))


def test_a_ledger_keeps_an_admin_who_manages_its_teams(
    session: Session, alice: Member, bob: Member
) -> None:
    alder = teams.create(session, "Alder", member=alice, now=day(1))
    teams.set_role(session, alder, bob, Role.admin, member=alice, now=day(1))
    teams.remove(session, alder, bob, member=bob, now=day(2))
    teams.set_rule(session, alder, second_resolver=True, member=alice, now=day(2))
    with pytest.raises(Refused, match="the only admin of this ledger"):
        teams.appoint(session, alice, Role.viewer, member=alice, now=day(2))
    teams.appoint(session, bob, Role.admin, member=alice, now=day(2))
    teams.appoint(session, alice, Role.viewer, member=bob, now=day(3))
    assert access_roles.admins(session) == ["bob"]
    assert access_roles.appointments(session) == [("alice", "viewer"), ("bob", "admin")]


def test_a_teams_admin_manages_only_that_team(session: Session, alice: Member, bob: Member) -> None:
    alder = teams.create(session, "Alder", member=alice, now=day(1))
    birch = teams.create(session, "Birch", member=alice, now=day(1))
    carol = member_or_new(session, "carol", now=day(1))
    teams.set_role(session, alder, bob, Role.admin, member=alice, now=day(2))
    teams.set_role(session, alder, carol, Role.forecaster, member=bob, now=day(3))
    teams.set_rule(session, alder, second_resolver=True, member=bob, now=day(3))
    assert teams.roster(session, alder, now=day(3)).second_resolver
    with pytest.raises(
        Forbidden, match="bob may not manage the members of Birch: bob is not in the"
    ):
        teams.set_role(session, birch, carol, Role.forecaster, member=bob, now=day(3))
    with pytest.raises(Forbidden, match="carol is a forecaster in Alder, and this needs the role"):
        teams.remove(session, alder, bob, member=carol, now=day(4))
    with pytest.raises(NotFound, match="no team 'Cedar'") as caught:
        teams.find(session, "Cedar")
    assert caught.value.remedy == "The teams are: Alder, Birch."
    assert [one.team.name for one in teams.listing(session, now=day(4))] == ["Alder", "Birch"]


def test_the_giver_of_the_first_role_is_admin(session: Session, alice: Member, bob: Member) -> None:
    alder = memberships.team_or_new(session, "Alder", now=day(0))  # as an import makes it
    memberships.join(session, alder, bob, joined_at=day(0))
    assert not access_roles.is_shared(session)
    teams.set_role(session, alder, bob, Role.resolver, member=alice, now=day(1))
    assert access_roles.admins(session) == ["alice"]
    assert session.exec(select(Appointment.role)).all() == ["admin"]
    assert session.exec(select(Membership.role)).all() == ["forecaster"] * 2 + ["resolver"]


def test_the_handle_of_one_member_is_read_alone(session: Session, engine: Engine) -> None:
    ids = [member_or_new(session, who, now=day(0)).id for who in ("alice", "bob", "carol")]
    session.flush()
    session.expunge_all()
    read: list[object] = []
    event.listen(session, "loaded_as_persistent", lambda _, row: read.append(row))
    assert handle_of(session, ids[1]) == "bob"
    assert len(read) == 1
