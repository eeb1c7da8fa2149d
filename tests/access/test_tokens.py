"""Tokens: shown once, stored as a hash, and required when a name alone proves nothing."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import Engine, text
from sqlmodel import Session, SQLModel, select

from forecasts.access import roles, teams, tokens
from forecasts.access.identities import Person, admit
from forecasts.access.kinds import accounts
from forecasts.access.members import kind_of, member_or_new
from forecasts.common.errors import BadInput, Expired, Forbidden, NotFound, Refused
from forecasts.common.settings import Settings
from forecasts.ledger import database
from forecasts.ledger.append import written
from forecasts.ledger.models import Appointment, Member, MemberKind, Question, Role, Visibility
from forecasts.resolution import confirmation, proposals
from forecasts.updates import updates
from tests.conftest import ask, day, say
from tests.postgresql import Server

SOMEBODY = Person("https://id.example", "u-1", "alice")


def made(session: Session, name: str = "bot", **given: object) -> tokens.Issued:
    return tokens.create(session, name, member=None, now=day(1), **given)  # type: ignore[arg-type]


def chosen(token: str | None = None, member: str | None = None) -> Settings:
    given = {"token": token, "member": member}
    return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _nobody_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FORECASTS_MEMBER", "FORECASTS_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def test_each_is_another_and_only_a_hash_is_kept(engine: Engine) -> None:
    with database.writing(engine) as session:
        first, second = made(session), made(session)
    assert first.secret != second.secret
    assert first.member == second.member
    secret = first.secret.split("_", 2)[2]
    with database.reading(engine) as session:
        rows = [
            [tuple(row) for row in session.execute(select(table))]
            for table in SQLModel.metadata.sorted_tables
        ]
    assert len(secret) >= 32
    assert secret not in json.dumps(rows, default=str)
    assert secret not in f"{first!r} {first.token!r} {chosen(first.secret)!r}"


def test_a_token_tells_its_holder_and_an_invalid_one_is_not_repeated(session: Session) -> None:
    issued = made(session)
    secret = issued.secret
    assert issued.member.kind == MemberKind.bot
    for typed in (secret, f" {secret}\n"):
        assert tokens.held(session, typed, now=day(2)).member.handle == "bot"
    other_end = secret[:-1] + ("a" if secret[-1] != "a" else "b")
    other_key = secret.replace("fct_", "fct_0", 1)
    altered = (other_end, other_key, secret[:-1], secret + "x", secret.upper())
    for shown in (*altered, secret.split("_")[1], "", "fct__", "fct_ünï_\u2028"):
        with pytest.raises(Forbidden, match="is not a token of this ledger") as caught:
            tokens.held(session, shown, now=day(2))
        assert not shown or shown not in str(caught.value)


def test_a_token_that_is_over_is_refused_from_that_moment_on(session: Session) -> None:
    issued = made(session, expires_at=day(3))
    assert tokens.held(session, issued.secret, now=day(2.999)).member
    with pytest.raises(Expired, match=f"The token {issued.token.key} expired at"):
        tokens.held(session, issued.secret, now=day(3))
    [listed] = tokens.listing(session)
    assert [listed.state(day(at)) for at in (2.999, 3)] == ["in force", "expired"]
    with pytest.raises(BadInput, match="has passed"):
        made(session, expires_at=day(1))


def test_a_token_is_revoked_alone_or_with_all_others_of_its_member(session: Session) -> None:
    one, two, three = made(session), made(session), made(session)
    other = made(session, "other")
    tokens.revoke(session, one.token.key, member=None, now=day(2))
    with pytest.raises(Forbidden, match="was revoked at 2026-01-03"):
        tokens.held(session, one.secret, now=day(3))
    assert tokens.held(session, two.secret, now=day(3)).member
    gone = tokens.revoke(session, "bot", member=None, now=day(4))
    assert [listed.token.key for listed in gone] == [two.token.key, three.token.key]
    for issued in (two, three):
        with pytest.raises(Forbidden, match="was revoked"):
            tokens.held(session, issued.secret, now=day(5))
    assert tokens.held(session, other.secret, now=day(5)).member
    assert [listed.state(day(5)) for listed in tokens.listing(session)] == [
        *(["revoked"] * 3),
        "in force",
    ]
    [again] = tokens.revoke(session, one.token.key, member=None, now=day(6))
    assert again.revoked_at == day(2)
    for nothing in ("bot", "nobody", ""):
        with pytest.raises(NotFound, match="There is no token"):
            tokens.revoke(session, nothing, member=None, now=day(6))


def test_a_token_acts_within_its_scopes(session: Session, question: Question) -> None:
    issued = made(session, scopes=("forecast", "read"))
    assert issued.token.scopes == ["read", "forecast"]
    tokens.acting_handle(session, chosen(issued.secret), now=day(1))
    by = {"member": issued.member, "now": day(1)}
    say(session, question, issued.member, 0.3, 1)
    proposals.propose(session, question, "yes", known_at=day(1), **by, note="The gazette.")
    with pytest.raises(Forbidden, match="no scope resolve; its scopes are read, forecast") as found:
        confirmation.confirm(session, question, "yes", known_at=day(1), **by)
    assert "--scope resolve" in found.value.remedy
    with pytest.raises(Forbidden, match="no scope ask"):
        ask(session, issued.member, slug="snow")
    with pytest.raises(BadInput, match="no scope 'write'"):
        made(session, scopes=["write"])
    # One from before there were scopes may do all that its member may.
    earlier = made(session)
    assert earlier.token.scopes is None
    tokens.acting_handle(session, chosen(earlier.secret), now=day(1))
    for scope in roles.Scope:
        roles.require_scope(session, scope)


def test_a_bot_does_not_take_a_ledger_over_by_restricting(session: Session, alice: Member) -> None:
    issued = made(session, scopes=tokens.USUAL_SCOPES)
    tokens.acting_handle(session, chosen(issued.secret), now=day(1))
    with pytest.raises(Forbidden, match="and so its admin; the token has no scope admin") as found:
        ask(session, issued.member, slug="rain", visibility=Visibility.author)
    assert "forecasts team appoint" in found.value.remedy
    assert roles.admins(session) == []
    roles.limit_scopes(session, None)
    roles.ensure_admin(session, alice, now=day(1))
    roles.limit_scopes(session, issued.token.scopes)
    ask(session, issued.member, slug="rain", visibility=Visibility.author)
    assert roles.admins(session) == ["alice"]


def test_a_new_bot_belongs_to_its_maker(session: Session, alice: Member, bob: Member) -> None:
    bot = tokens.create(session, "bot", member=alice, now=day(1)).member
    assert tokens.owner_of(session, bot) == alice
    tokens.create(session, "bot", member=bob, now=day(2))  # another token, not another owner
    assert tokens.owner_of(session, bot) == alice
    second = tokens.create(session, "a second", member=None, owner=alice, now=day(1)).member
    assert tokens.bots_of(session, alice) == [second, bot]
    assert tokens.bots_of(session, bob) == []
    assert tokens.owner_of(session, made(session, "nobody's").member) is None


def test_an_adopted_model_is_a_bot_of_its_owner_with_its_history(
    session: Session, question: Question, alice: Member, bob: Member
) -> None:
    oracle = member_or_new(session, "oracle", now=day(0))
    before = say(session, question, oracle, 0.3, 0.5)
    assert kind_of(session, oracle) == MemberKind.human
    tokens.adopt(session, "oracle", member=None, owner=alice, now=day(1))
    assert kind_of(session, oracle) == MemberKind.bot
    assert tokens.owner_of(session, oracle) == alice
    assert tokens.bots_of(session, alice) == [oracle]
    found = {one.handle: (one.kind, one.owner) for one in accounts(session)}
    assert found == {"oracle": ("bot", "alice"), "alice": ("human", ""), "bob": ("human", "")}
    assert [one.handle for one in accounts(session, bots_only=True)] == ["oracle"]
    assert [row.id for row, _ in updates.history(session, question, oracle)] == [before.id]
    assert made(session, "oracle").member == oracle
    for number, owner in enumerate((bob, alice)):
        tokens.adopt(session, "oracle", member=None, owner=owner, now=day(2 + number))
        assert tokens.owner_of(session, oracle) == owner
    assert tokens.bots_of(session, bob) == []


def test_people_and_services_are_not_adopted(session: Session, alice: Member) -> None:
    admit(session, Person("https://id.example", "u-2", "bob"), now=day(0))
    [bob] = session.exec(select(Member).where(Member.handle != "alice"))
    carol = member_or_new(session, "carol", now=day(0))
    written(session, Appointment(member_id=carol.id, role=Role.viewer, recorded_at=day(0)))
    member_or_new(session, "runs", now=day(0), kind=MemberKind.service)
    member_or_new(session, "oracle", now=day(0))
    tokens.adopt(session, "oracle", member=None, owner=alice, now=day(1))
    for handle, reason in (
        ("alice", "its own owner"),
        (bob.handle, "signs in"),
        ("carol", "has a role"),
        ("runs", "is a service"),
        ("oracle", "already a bot of alice"),
    ):
        with pytest.raises(Refused, match=reason):
            tokens.adopt(session, handle, member=None, owner=alice, now=day(2))
    with pytest.raises(NotFound):
        tokens.adopt(session, "nobody", member=None, owner=alice, now=day(2))
    with pytest.raises(Refused, match="Nobody would answer"):
        tokens.adopt(session, "oracle", member=None, owner=None, now=day(2))
    with pytest.raises(Forbidden):
        tokens.adopt(session, "oracle", member=carol, owner=carol, now=day(2))


def test_a_member_with_a_token_acts_only_by_it_and_a_person_by_name(session: Session) -> None:
    assert tokens.acting_member(session, chosen(member="alice"), now=day(2)).handle == "alice"
    with pytest.raises(Refused, match="'alice' is a person"):
        made(session, "alice")
    issued = made(session)
    with pytest.raises(Forbidden, match="'bot' has a token"):
        tokens.acting_member(session, chosen(member="bot"), now=day(2))
    assert tokens.acting_member(session, chosen(issued.secret), now=day(2)).handle == "bot"
    assert tokens.acting_member(session, chosen(issued.secret, "bot"), now=day(2)).handle == "bot"
    with pytest.raises(Forbidden, match="FORECASTS_TOKEN belongs to 'bot'"):
        tokens.acting_member(session, chosen(issued.secret, "alice"), now=day(2))
    tokens.revoke(session, "bot", member=None, now=day(3))
    for given in (chosen(issued.secret), chosen(member="bot")):
        with pytest.raises(Forbidden):
            tokens.acting_member(session, given, now=day(4))


def test_where_people_sign_in_nobody_acts_by_a_name(session: Session) -> None:
    issued = made(session)
    admit(session, SOMEBODY, now=day(1))
    for name in ("alice", "newcomer"):
        with pytest.raises(Forbidden, match="members of this ledger sign in"):
            tokens.acting_member(session, chosen(member=name), now=day(2))
    assert session.exec(select(Member).where(Member.handle == "newcomer")).first() is None
    assert tokens.acting_member(session, chosen(issued.secret), now=day(2)).handle == "bot"


def test_only_admins_make_shared_tokens(session: Session, alice: Member, bob: Member) -> None:
    teams.create(session, "Alder", member=alice, now=day(0))
    issued = tokens.create(session, "bot", member=alice, now=day(1))
    for act in (
        lambda: tokens.create(session, "bot-2", member=bob, now=day(1)),
        lambda: tokens.revoke(session, "bot", member=bob, now=day(1)),
    ):
        with pytest.raises(Forbidden, match="bob may not"):
            act()
    assert tokens.held(session, issued.secret, now=day(2)).member
    tokens.revoke(session, "bot", member=alice, now=day(2))


def test_without_an_admin_they_are_the_database_owner_s(postgresql: Server) -> None:
    postgresql.run("DROP ROLE IF EXISTS scripts")
    postgresql.run("CREATE ROLE scripts LOGIN")
    with postgresql.fresh() as url:
        owner = database.open_engine(url)
        with owner.begin() as connection:
            for grant in ("SELECT, INSERT ON ALL TABLES", "USAGE ON ALL SEQUENCES"):
                connection.execute(text(f"GRANT {grant} IN SCHEMA public TO scripts"))
        with database.writing(owner) as session:
            secret = made(session).secret
        owner.dispose()
        name = url.split("/")[-1].split("?")[0]
        other = database.open_engine(postgresql.url(name, user="scripts"))
        not_theirs = pytest.raises(Forbidden, match="the database owner")
        with not_theirs, database.writing(other) as session:
            made(session, "mine")
        with database.writing(other) as session:
            assert tokens.acting_member(session, chosen(secret), now=day(2)).handle == "bot"
        other.dispose()
    postgresql.run("DROP ROLE scripts")
