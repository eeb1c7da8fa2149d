"""Sign-in: admission by the rules, one member per person, and nothing else stored."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlmodel import Session, select

from forecasts.access import identities
from forecasts.access.identities import Person, admit, link_identity, member_of
from forecasts.access.members import find_member, member_or_new
from forecasts.access.memberships import join, memberships_of, team_or_new
from forecasts.access.oidc_settings import SignIn
from forecasts.access.roles import admins, appointed_role, ensure_admin
from forecasts.common.errors import Expired, Forbidden, Refused
from forecasts.ledger import database
from forecasts.ledger.models import EndedSession, Identity, MemberKind, Role
from tests.access.test_teams import role_in
from tests.conftest import ask, day

NOW = day(5)
ISSUER = "https://login.example.org"
RULES = SignIn(issuer=f"{ISSUER}/", allowed_domains=("example.org",))
GROUP = SignIn(issuer=ISSUER, required_group="forecasters")
BOTH = SignIn(issuer=ISSUER, allowed_domains=("example.org",), required_group="forecasters")
OPEN = SignIn(issuer=ISSUER, allowed_domains=("*",))


def claims(**said: Any) -> dict[str, Any]:
    known = {
        "iss": ISSUER,
        "sub": "u-1",
        "exp": int(day(6).timestamp()),
        "email": "Alice.B@Example.org",
        "email_verified": True,
    }
    return {name: value for name, value in (known | said).items() if value is not None}


def person(rules: SignIn = RULES, **said: Any) -> Person:
    return identities.verified_person(claims(**said), rules, now=NOW)


def test_people_of_an_allowed_domain_are_admitted() -> None:
    assert person() == Person(f"{ISSUER}/", "u-1", "alice.b")
    assert person(email_verified="true").subject == "u-1"


def test_a_refused_person_is_told_why() -> None:
    for said, words in (
        ({"email": "mallory@evil.example"}, "is not in a domain that this ledger admits"),
        ({"email": "alice@example.org.evil.example"}, "is not in a domain"),
        ({"email": "alice@sub.example.org"}, "is not in a domain"),
        ({"email": "example.org"}, "is not in a domain"),
        ({"email_verified": False}, "has not verified your e-mail address"),
        ({"email_verified": None}, "has not verified your e-mail address"),
        ({"email_verified": 1.5}, "has not verified your e-mail address"),
        ({"email": None}, "did not send your e-mail address"),
        ({"email": ["alice@example.org"]}, "has not|is not|did not"),
        ({"iss": "https://evil.example"}, "You signed in with 'https://evil.example'"),
        ({"iss": None}, "You signed in with None"),
        ({"sub": ""}, "sent no subject"),
        ({"sub": 7}, "sent no subject"),
    ):
        with pytest.raises(Forbidden, match=words) as caught:
            person(**said)
        assert not isinstance(caught.value, Expired)


def test_a_sign_in_that_is_over_or_has_no_end_is_refused() -> None:
    assert person(exp=day(5).timestamp() + 1)  # it holds until the last second
    for until in (day(5), day(4.9), day(-100)):
        with pytest.raises(Expired, match="has expired: it was valid until"):
            person(exp=until.timestamp())
    for end in (None, "tomorrow", True, [9e9]):
        with pytest.raises(Expired, match="when your sign-in expires"):
            person(exp=end)


def test_a_group_is_a_rule_of_its_own_and_each_rule_that_is_set_must_hold() -> None:
    mine = {"groups": ["others", "forecasters"]}
    for groups in (mine, {"groups": "forecasters"}):
        assert person(GROUP, **groups, email=None, name="Alice B").handle == "alice-b"
    assert person(BOTH, **mine)
    assert person(OPEN, email="x@anywhere.example", email_verified=False)
    # Settings without a rule are refused at the start.
    closed = SignIn(issuer=ISSUER, allowed_domains=(), required_group="nobody")
    for rules, said in ((BOTH, {}), (BOTH, mine | {"email": "a@evil.example"}), (closed, {})):
        with pytest.raises(Forbidden):
            person(rules, **said)
    for groups in (None, [], "forecasters-of-old", ["x"], {"forecasters": 1}):
        with pytest.raises(Forbidden, match="does not list you in the group 'forecasters'"):
            person(GROUP, groups=groups)


def test_a_handle_fits_every_newcomer() -> None:
    for said, handle in (
        ({"email": None, "preferred_username": "Al ice@corp"}, "al-ice"),
        ({"email": None, "preferred_username": "…", "name": "Ålice Ｂ."}, "ålice-b"),
        ({"email": None, "name": "<b>*x*</b>"}, "b-x-b"),
        ({"email": None}, "member"),
        # Anyone can claim an unverified address.
        ({"email": "boss@example.org", "email_verified": False, "name": "Eve"}, "eve"),
    ):
        assert person(OPEN, **said).handle == handle


@pytest.mark.slow
@given(st.text(min_size=1), st.sampled_from(["preferred_username", "name", "email"]))
def test_a_handle_is_one_line_of_plain_characters(said: str, where: str) -> None:
    handle = person(OPEN, **{"email": None, where: said}).handle
    assert 0 < len(handle) <= 40
    assert handle.isprintable()
    assert not set(handle) & set(" <>@'\"&|`")


def test_the_first_sign_in_makes_a_member_and_the_next_ones_find_it(session: Session) -> None:
    who = person()
    assert member_of(session, who) is None
    member = admit(session, who, now=NOW)
    assert member_of(session, who) == admit(session, who, now=NOW) == member
    assert admit(session, person(email="alice.married@example.org"), now=NOW) == member
    assert (member.handle, member.kind, member.created_at) == ("alice.b", "human", NOW)
    # No other claim of the provider is kept.
    [kept] = session.exec(select(Identity))
    assert kept.model_dump(exclude={"id", "member_id", "recorded_at"}) == {
        "issuer": f"{ISSUER}/",
        "subject": "u-1",
    }


def test_the_first_person_to_sign_in_becomes_admin(session: Session) -> None:
    first, second = (admit(session, person(sub=sub), now=NOW) for sub in ("u-1", "u-2"))
    assert admins(session) == [first.handle]
    assert appointed_role(session, second) is None


def test_a_handle_that_has_not_signed_in_is_noted(session: Session) -> None:
    member_or_new(session, "bob", now=day(0))
    notes = [identities.unknown_note(session, handle) for handle in ("bob", "bo")]
    assert notes == ["", "bo is new here."]
    alice = admit(session, person(), now=NOW)
    member_or_new(session, "oracle", now=day(0), kind=MemberKind.bot)
    everyone = (alice.handle, "oracle", "bob", "bo")
    notes = [identities.unknown_note(session, handle) for handle in everyone]
    assert notes == ["", "", "bob has not signed in yet.", "bo has not signed in yet."]


def test_an_appointed_admin_stays_the_only_one(session: Session) -> None:
    ensure_admin(session, member_or_new(session, "dora", now=day(0)), now=day(0))
    admit(session, person(), now=NOW)
    assert admins(session) == ["dora"]


def test_a_handle_that_somebody_has_is_given_to_nobody_else(session: Session) -> None:
    member_or_new(session, "Alice.B", now=day(0))
    mine = admit(session, person(), now=NOW)
    other = admit(session, person(sub="u-2"), now=NOW)
    assert (mine.handle, other.handle) == ("alice.b-2", "alice.b-3")
    local = find_member(session, "Alice.B")
    assert local is not None
    assert local.id not in (mine.id, other.id)
    # The same name at another provider is another person.
    elsewhere = Person("https://other.example", "u-1", "alice.b")
    assert admit(session, elsewhere, now=NOW).id not in (mine.id, other.id)


def test_members_from_before_sign_in_go_on(session: Session) -> None:
    before = member_or_new(session, "alice.b", now=day(0))
    ask(session, before, slug="rain")
    newcomer = admit(session, person(), now=NOW)
    assert newcomer.handle == "alice.b-2"
    link_identity(session, newcomer, before, now=NOW)
    assert admit(session, person(), now=NOW) == before
    # They sign in now, so no other newcomer can be linked to them.
    other = admit(session, person(sub="u-2"), now=NOW)
    with pytest.raises(Refused, match="already signs in"):
        link_identity(session, other, before, now=NOW)


def test_only_the_owner_links_a_sign_in(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    before = member_or_new(session, "alice.b", now=day(0))
    newcomer = admit(session, person(), now=NOW)
    monkeypatch.setattr("forecasts.access.identities.is_database_owner", lambda _: False)
    with pytest.raises(Forbidden, match="Only the owner"):
        link_identity(session, newcomer, before, now=NOW)
    assert admit(session, person(), now=NOW) == newcomer


def test_role_and_teams_move_with_the_person(session: Session) -> None:
    before = member_or_new(session, "alice.b", now=day(0))
    newcomer = admit(session, person(), now=NOW - timedelta(days=2))
    assert admins(session) == ["alice.b-2"]  # as the first to sign in
    watchers = team_or_new(session, "Harbour watchers", now=day(0))
    began = NOW - timedelta(days=1)
    join(session, watchers, newcomer, joined_at=began, role=Role.resolver)
    link_identity(session, newcomer, before, now=NOW)
    assert admins(session) == ["alice.b"]
    assert role_in(session, before, watchers, now=NOW) is Role.resolver
    assert role_in(session, newcomer, watchers, now=NOW) is None
    # Their earlier membership stays in the history.
    [stay] = memberships_of(session, newcomer)
    assert (stay.joined_at, stay.left_at) == (began, NOW)


def test_nobody_is_linked_where_that_would_lose_or_lend_a_name(session: Session) -> None:
    before = member_or_new(session, "alice", now=day(0))
    script = member_or_new(session, "bot", now=day(0), kind=MemberKind.service)
    newcomer = admit(session, person(), now=NOW)
    with pytest.raises(Refused, match="'alice' has not signed in"):
        link_identity(session, before, newcomer, now=NOW)
    with pytest.raises(Refused, match="or is a script"):
        link_identity(session, newcomer, script, now=NOW)
    ask(session, newcomer, slug="snow")
    with pytest.raises(Refused, match="has already asked or forecast"):
        link_identity(session, newcomer, before, now=NOW)
    assert member_of(session, person()) == newcomer


def test_a_sign_in_that_was_ended_stays_so_until_it_expires(engine: Engine) -> None:
    mine = claims(nonce="mine", exp=day(1).timestamp())
    other = claims(nonce="other", exp=day(2).timestamp())
    with database.writing(engine) as session:
        for _ in range(2):  # in two tabs
            identities.end_session(session, mine, now=day(0))
        identities.end_session(session, claims(exp=None), now=day(0))  # never valid
        identities.end_session(session, claims(exp=1e300), now=day(0))
    with database.reading(engine) as session:
        assert identities.has_ended(session, mine)
        assert not identities.has_ended(session, other)
        assert len(session.exec(select(EndedSession)).all()) == 2
    with database.writing(engine) as session:
        identities.end_session(session, other, now=day(1))
    with database.reading(engine) as session:
        assert identities.has_ended(session, other)
        assert not identities.has_ended(session, mine)  # it has expired, and is refused for that
