"""Team: members, teams and roles, and the resolvers."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from forecasts.access import members, teams
from forecasts.access.members import member_or_new
from forecasts.ledger import database
from forecasts.ledger.models import Role
from forecasts.resolution import assignments
from tests.app.conftest import fill, press, visit, words
from tests.conftest import ask, day

pytestmark = pytest.mark.slow


@pytest.fixture
def shared(engine: Engine, app: AppTest) -> AppTest:
    """A ledger shared by alice, the current member and admin; bob is in Alder."""
    with database.writing(engine) as ledger:
        alice, bob = (member_or_new(ledger, handle, now=day(0)) for handle in ("alice", "bob"))
        alder = teams.create(ledger, "Alder", member=alice, now=day(0))
        teams.set_role(ledger, alder, bob, Role.forecaster, member=alice, now=day(0))
        rain = ask(ledger, alice, slug="rain")
        assignments.attach(
            ledger, rain, "outcomes_file", {"path": "x.csv"}, member=alice, now=day(0)
        )
    return app


def roles(engine: Engine) -> dict[str, str]:
    with database.reading(engine) as ledger:
        [alder] = teams.listing(ledger, now=day(9))
        return {handle: stay.role for handle, stay in alder.members}


def test_a_team_is_made_by_the_ledgers_admin_who_is_not_in_it(app: AppTest, engine: Engine) -> None:
    visit(app, "team")
    assert "This is a personal ledger" in words(app)
    app.text_input(key="create-team#0-name").input("Alder")
    press(app, "Create team")
    assert "You are an admin of this ledger" in words(app)
    assert roles(engine) == {}


def test_a_member_is_added_given_another_role_and_removed(shared: AppTest, engine: Engine) -> None:
    visit(shared, "team")
    for number, role in enumerate((Role.viewer, Role.resolver)):
        fill(shared, f"team-1-place#{number}", who="carol", role=role)
        press(shared, "Add or change role")
        assert roles(engine)["carol"] == role
    shared.selectbox(key="team-1-remove#0-who").select("carol")
    press(shared, "Remove member")
    assert "carol" in roles(engine)  # not without confirmation
    shared.checkbox(key="team-1-remove#0-sure").check()
    press(shared, "Remove member")
    assert roles(engine) == {"bob": "forecaster"}


def test_an_admin_of_the_ledger_counts_a_members_earlier_forecasts(
    shared: AppTest, engine: Engine
) -> None:
    visit(shared, "team")
    shared.selectbox(key="team-1-since#0-who").select("bob")
    press(shared, "Count earlier forecasts")
    assert "Choose the day" in shared.warning[0].value
    shared.date_input(key="team-1-since#0-day").set_value(date(2025, 12, 1))
    press(shared, "Count earlier forecasts")
    with database.reading(engine) as ledger:
        [alder] = teams.listing(ledger, now=day(9))
        [entered] = alder.later.values()
    assert entered.since == datetime(2025, 12, 1, tzinfo=UTC)


def test_resolvers_show_their_last_lookup(shared: AppTest) -> None:
    said = words(visit(shared, "team", member="BO"))
    assert "**rain** (outcomes file): not checked yet" in said
    assert "1 question with a resolver: 0 failed, 1 not checked yet" in said
    assert "No resolver yet: authors and admins resolve the team’s questions." in said
    assert "1 member" in said  # found by a part of the handle


def test_only_admins_can_change_roles(shared: AppTest, engine: Engine) -> None:
    with database.writing(engine) as ledger:
        alice = members.member_named(ledger, "alice")
        bob = members.member_named(ledger, "bob")
        alder = teams.find(ledger, "Alder")
        teams.appoint(ledger, bob, Role.admin, member=alice, now=day(1))
        teams.set_role(ledger, alder, bob, Role.admin, member=alice, now=day(1))
        teams.set_role(ledger, alder, alice, Role.resolver, member=bob, now=day(2))
        teams.appoint(ledger, alice, Role.resolver, member=bob, now=day(2))
    visit(shared, "team")
    assert [button.label for button in shared.button] == []
    assert [heading.value for heading in shared.subheader] == ["Alder"]
    visit(shared, "settings")
    assert "Tokens" not in words(shared)
