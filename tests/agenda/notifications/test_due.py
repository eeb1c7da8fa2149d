"""Who is told what, and when: worked out from the ledger, each event once a channel."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from forecasts.access import teams
from forecasts.access.members import member_named, member_or_new
from forecasts.agenda import revisits
from forecasts.agenda.notifications import channels, sender
from forecasts.articles import library
from forecasts.ledger import database
from forecasts.ledger.models import Event, PolicyKind, Role, Watch
from forecasts.news import inbox
from forecasts.questions import registry, revisions
from forecasts.reading.article import CapturedArticle
from forecasts.resolution import assignments, confirmation, disputes, proposals
from forecasts.updates import updates
from forecasts.values.value import Value
from tests.agenda.notifications.conftest import Service, tell
from tests.conftest import acting, ask, counted_statements, day, on_both

pytestmark = pytest.mark.slow

EVENTS = tuple(Event)


def channel(engine: Engine, service: Service, who: str, *events: str, **how: object) -> None:
    with database.writing(engine) as session:
        member = member_named(session, who)
        tell(session, member, service.address(who), events=events or EVENTS, **how)


def told(engine: Engine, service: Service, at: float) -> list[str]:
    """Return what is said at that day, line by line, without the title."""
    before = len(service.got)
    sender.send(engine, now=day(at), allow_private=True)
    return [line for one in service.got[before:] for line in one["message"].splitlines()]


def resolve(engine: Engine, outcome: str, at: float, slug: str = "rain", **more: Any) -> None:
    with acting(engine, slug, by="root") as (session, question, root):
        given = {"known_at": day(2), "now": day(at), "member": root, **more}
        confirmation.confirm(session, question, outcome, **given)


def administer(engine: Engine) -> None:
    with acting(engine, by="root") as (session, _, root):
        teams.appoint(session, root, Role.admin, member=root, now=day(0))


def propose(engine: Engine, outcome: str, at: float) -> None:
    with acting(engine, by="bob") as (session, rain, bob):
        proposals.propose(
            session, rain, outcome, known_at=day(2), now=day(at), member=bob, note="The gazette."
        )


def withdraw(engine: Engine, at: float, reason: str = "a slip") -> None:
    with acting(engine, by="root") as (session, rain, root):
        confirmation.withdraw(session, rain, reason=reason, now=day(at), member=root)


def say(engine: Engine, p: float, at: float) -> None:
    with acting(engine) as (session, rain, alice):
        updates.update(session, rain, Value(probability=p), member=alice, now=day(at))


@on_both
def test_a_close_ahead_is_an_event_without_a_forecast(ledger: Engine, service: Service) -> None:
    with acting(ledger, by="root") as (session, _, root):
        teams.appoint(session, root, Role.admin, member=root, now=day(0))
        viewer = member_or_new(session, "viewer", now=day(0))
        teams.appoint(session, viewer, Role.viewer, member=root, now=day(0))
    for who in ("alice", "bob", "viewer"):
        channel(ledger, service, who, "closing", days_before_close=3)
    assert told(ledger, service, 6.9) == []
    said = told(ledger, service, 7.1)
    assert said == [
        "Closes soon, without your forecast:",
        "- Will it rain? It closes on 2026-01-11 00:00 UTC",
    ]
    assert service.got[0]["path"] == "/bob"
    assert service.got[0]["title"] == "Closes soon, without your forecast: Will it rain?"
    assert told(ledger, service, 7.2) == told(ledger, service, 9.9) == []


def test_a_withdrawn_forecast_does_not_count(ledger: Engine, service: Service) -> None:
    channel(ledger, service, "alice", "closing")
    with acting(ledger) as (session, rain, alice):
        updates.withdraw(session, rain, member=alice, now=day(8))
        updates.update(session, rain, Value(probability=0.5), member=alice, now=day(8.1))
    assert told(ledger, service, 8.5) == []
    with acting(ledger) as (session, rain, alice):
        updates.withdraw(session, rain, member=alice, now=day(8.6))
    assert len(told(ledger, service, 8.7)) == 2


@on_both
def test_each_old_forecast_is_an_event_once(ledger: Engine, service: Service) -> None:
    channel(ledger, service, "alice", "stale", days_until_stale=3)
    assert told(ledger, service, 3.9) == []
    assert told(ledger, service, 4) == [
        "Your forecast is due for review:",
        "- Will it rain? Your forecast was made on 2026-01-02 00:00 UTC",
    ]
    assert told(ledger, service, 5) == []
    say(ledger, 0.5, 5.5)
    assert told(ledger, service, 8) == []
    assert "2026-01-06 12:00" in told(ledger, service, 9)[1]
    assert told(ledger, service, 13) == []  # it has closed


@on_both
def test_a_review_follows_the_members_intervals(ledger: Engine, service: Service) -> None:
    with acting(ledger) as (session, rain, alice):
        revisits.set_interval(session, 6, member=alice, now=day(0))
    channel(ledger, service, "alice", "stale")
    assert told(ledger, service, 6.9) == []
    with database.writing(ledger) as session:
        revisits.set_interval(session, 2, member=alice, now=day(0), question=rain)
    assert "2026-01-02" in told(ledger, service, 6.9)[1]
    say(ledger, 0.5, 7)
    with database.writing(ledger) as session:
        revisits.set_interval(session, None, member=alice, now=day(7), question=rain)
    assert told(ledger, service, 9.8) == []  # as usual again


def test_a_close_reaches_everyone_concerned(ledger: Engine, service: Service) -> None:
    for who in ("root", "alice", "bob"):
        channel(ledger, service, who, "closed")
    assert told(ledger, service, 9.9) == []
    line = "- Will it rain? It closed on 2026-01-11 00:00 UTC"
    assert told(ledger, service, 10) == ["Closed:", line] * 2
    assert [one["path"] for one in service.got] == ["/root", "/alice"]
    with database.writing(ledger) as session:
        for who in ("root", "alice", "bob"):
            channels.change(
                session, "phone", member=member_named(session, who), events=["awaiting"]
            )
        root = member_named(session, "root")
        teams.appoint(session, root, Role.admin, member=root, now=day(10))
    assert told(ledger, service, 11) == ["Closed, for you to resolve:", line]
    assert service.got[-1]["path"] == "/root"


def test_a_second_close_is_an_event_of_its_own(ledger: Engine, service: Service) -> None:
    channel(ledger, service, "alice", "closed")
    with acting(ledger, by="root") as (session, rain, root):
        revisions.close(session, rain, at=day(5), member=root, now=day(5))
    assert len(told(ledger, service, 6)) == 2
    with acting(ledger, by="root") as (session, rain, root):
        revisions.reopen(session, rain, member=root, now=day(7))
    assert told(ledger, service, 8) == []
    assert len(told(ledger, service, 10)) == 2


@on_both
def test_proposals_and_decisions_reach_their_members(ledger: Engine, service: Service) -> None:
    administer(ledger)
    for who in ("root", "alice", "bob"):
        channel(ledger, service, who, "decision", "resolved")
    told_of = "- Will it rain? {} was proposed on 2026-01-{} UTC".format
    propose(ledger, "yes", 2)
    proposed = told_of("An outcome", "03 00:00")
    assert told(ledger, service, 2.1) == ["Needs your decision:", proposed]
    line = "- Will it rain? {}; your Brier score is {} (0 is best)".format
    resolve(ledger, "yes", 3)
    assert told(ledger, service, 3.1) == ["Resolved:", line("yes", "0.360")]
    propose(ledger, "no", 3.5)
    correction = told_of("A correction", "04 12:00")
    assert told(ledger, service, 3.6) == ["Needs your decision:", correction]
    resolve(ledger, "no", 4)
    assert told(ledger, service, 4.1) == ["Resolved:", line("corrected to no", "0.160")]
    propose(ledger, "annulled", 4.5)  # and it is decided before anyone is told
    resolve(ledger, "annulled", 5)
    corrected = "- Will it rain? corrected to annulled"
    assert told(ledger, service, 5.1) == ["Resolved:", corrected]
    assert [one["path"] for one in service.got] == ["/root", "/alice"] * 2 + ["/alice"]
    assert told(ledger, service, 5.2) == []


@on_both
def test_a_withdrawal_follows_a_sent_outcome(ledger: Engine, service: Service) -> None:
    channel(ledger, service, "alice", "resolved", "closed")
    channel(ledger, service, "bob", "resolved")
    resolve(ledger, "yes", 3)
    withdraw(ledger, 3)
    assert told(ledger, service, 3.1) == []
    resolve(ledger, "yes", 4)
    assert told(ledger, service, 4.1)[1].startswith("- Will it rain? yes; your Brier score is")
    withdraw(ledger, 5, "@all it was\nanother question’s")
    assert told(ledger, service, 5.1) == [
        "Outcome withdrawn:",
        "- Will it rain? yes was withdrawn: “@\u2060all it was another question’s”. "
        "Its scores no longer count",
    ]
    assert service.got[-1]["title"] == "Outcome withdrawn: Will it rain?"
    assert [one["path"] for one in service.got] == ["/alice", "/alice"]
    assert told(ledger, service, 5.2) == []
    resolve(ledger, "no", 6)
    assert told(ledger, service, 6.1)[0] == "Resolved:"


def test_a_withdrawal_names_the_newest_outcome(ledger: Engine, service: Service) -> None:
    channel(ledger, service, "alice", "resolved")
    with database.writing(ledger) as session:
        root, alice = member_named(session, "root"), member_named(session, "alice")
        snow = ask(session, root, slug="snow", title="Will it snow?")
        updates.update(session, snow, Value(probability=0.4), member=alice, now=day(1))
    for outcome, at in (("yes", 3), ("no", 4)):
        resolve(ledger, outcome, at)
        told(ledger, service, at + 0.1)
    withdraw(ledger, 5)
    assert told(ledger, service, 5.1)[1].startswith("- Will it rain? no was withdrawn: “a slip”.")
    resolve(ledger, "yes", 6)
    told(ledger, service, 6.1)
    withdraw(ledger, 7)
    resolve(ledger, "no", 8)
    said = told(ledger, service, 8.1)
    assert [line[:20] for line in said] == ["Resolved:", "- Will it rain? no; "]
    withdraw(ledger, 8.2)
    resolve(ledger, "yes", 8.3, "snow")
    said = told(ledger, service, 8.4)  # both in one message
    assert [line for line in said if line.endswith(":")] == ["Outcome withdrawn:", "Resolved:"]
    assert len(said) == 5


def test_after_a_failed_message_no_withdrawal_is_sent(ledger: Engine, service: Service) -> None:
    channel(ledger, service, "alice", "resolved")
    service.answer = lambda _: 500
    resolve(ledger, "yes", 3)
    assert told(ledger, service, 3.1)[0] == "Resolved:"
    withdraw(ledger, 4)
    service.answer = lambda _: 200
    assert told(ledger, service, 4.1) == told(ledger, service, 4.2) == []


@on_both
def test_disputes_and_parked_resolvers_reach_resolvers(ledger: Engine, service: Service) -> None:
    with database.writing(ledger) as session:
        root, alice = (member_named(session, who) for who in ("root", "alice"))
        teams.appoint(session, root, Role.admin, member=root, now=day(0))
        snow = ask(session, root, slug="snow", title="Will it snow?")
        assignments.attach(session, snow, "outcomes_file", {"path": "x"}, member=root, now=day(0))
        session.exec(select(Watch)).one().parked_at = day(3)
        rain, how = registry.find(session, "rain"), PolicyKind.confirm
        assignments.set_policy(session, rain, how, dispute_days=9, member=root, now=day(1))
        confirmation.confirm(session, rain, "yes", known_at=day(2), now=day(2), member=root)
        disputes.dispute(session, rain, member=alice, now=day(4), reason="no")
        tell(session, alice, service.address("x"), name="x", events=["resolved"])
    for who in ("root", "alice"):
        channel(ledger, service, who, "disputed", "parked")
    assert sorted(told(ledger, service, 5)) == sorted(
        [
            "Disputed, for you to decide:",
            "- Will it rain? Its outcome was disputed on 2026-01-05 00:00 UTC",
            "",
            "A resolver failed and needs attention:",
            "- Will it snow? Its resolver failed for the last time on 2026-01-04 00:00 UTC",
            "Resolved:",
            "- Will it rain? yes; your Brier score is 0.360 (0 is best) (provisional)",
        ]
    )
    assert {one["path"] for one in service.got} == {"/root", "/x"}
    with acting(ledger, by="root") as (session, rain, root):
        disputes.uphold(session, rain, member=root, now=day(6))
    assert told(ledger, service, 6) == []


@pytest.mark.parametrize("visibility", ["author", "team"])
def test_no_hidden_question_is_mentioned(ledger: Engine, service: Service, visibility: str) -> None:
    with acting(ledger, by="root") as (session, _, root):
        alder = teams.create(session, "Alder", member=root, now=day(0))
        who = {"visibility": visibility, "team_id": alder.id if visibility == "team" else None}
        ask(session, root, slug="snow", title="A secret?", **who)
    for member in ("root", "bob"):
        channel(ledger, service, member, days_before_close=3)
    told(ledger, service, 8)
    told(ledger, service, 11)
    said = {"/root": "", "/bob": ""}
    for one in service.got:
        said[one["path"]] += one["title"] + one["message"]
    assert {path: "A secret?" in text for path, text in said.items()} == {
        "/root": True, "/bob": False,
    }  # fmt: skip
    assert "Will it rain?" in said["/bob"]


def test_a_waiting_message_keeps_new_secrets(ledger: Engine, service: Service) -> None:
    channel(ledger, service, "bob", "closing")
    service.answer = lambda _: 500
    assert len(told(ledger, service, 9)) == 2
    with acting(ledger, by="root") as (session, rain, root):
        revisions.revise(session, rain, member=root, now=day(9), reason="x", visibility="author")
    service.answer = lambda _: 200
    assert told(ledger, service, 9.5) == []


def test_outcomes_count_once_the_channel_is_added(ledger: Engine, service: Service) -> None:
    channel(ledger, service, "alice", "resolved", now=day(4))
    resolve(ledger, "yes", 3)  # by a long run, which writes the time of its start
    with acting(ledger) as (session, _, alice):
        late = service.address("late")
        tell(session, alice, late, name="late", events=["resolved"], now=day(4))
    assert "- Will it rain?" in " ".join(told(ledger, service, 4.1))
    assert [one["path"] for one in service.got] == ["/alice"]
    assert told(ledger, service, 4.2) == []


def test_old_closes_and_outcomes_are_no_events(ledger: Engine, service: Service) -> None:
    channel(ledger, service, "root", "closed", now=day(11))  # it closes on the tenth day
    channel(ledger, service, "alice", "closed", "resolved")
    resolve(ledger, "yes", 3)
    assert told(ledger, service, 33.1) == []
    withdraw(ledger, 33.2)
    assert told(ledger, service, 40.1) == []
    assert "- Will it rain? It closed" in " ".join(told(ledger, service, 39.9))


def test_many_events_make_one_short_inert_message(ledger: Engine, service: Service) -> None:
    with acting(ledger, by="root") as (session, _, root):
        for number in range(9):
            title = f"Will @everyone <b>see</b> https://example.org/{number}\n*now*" + "?" * 200
            ask(session, root, slug=f"q{number}", title=title)
    channel(ledger, service, "bob", "closing", "closed")
    said = told(ledger, service, 9)
    assert [one["title"] for one in service.got] == ["10 events in your forecast ledger"]
    assert (said[0], said[-1]) == ("Closes soon, without your forecast:", "- … and 5 more")
    assert len(said) == 7
    for line in said[2:-1]:
        assert not {word for word in ("@everyone", "<b>", "https://") if word in line}
        assert len(line) < 200


def test_more_questions_take_as_few_statements(ledger: Engine, service: Service) -> None:
    for who in ("root", "alice", "bob"):
        channel(ledger, service, who, days_before_close=3, days_until_stale=1)
    counts = []
    for number, at in ((2, 9), (8, 9.5)):
        with acting(ledger, by="root") as (session, _, root):
            for place in range(number):
                asked = ask(session, root, slug=f"{at}-{place}", title=f"{at} {place}?")
                updates.update(session, asked, Value(probability=0.5), member=root, now=day(1))
        with counted_statements(ledger) as statements:
            told(ledger, service, at)
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 144  # three channels, each with the news of the day


def report(engine: Engine, title: str, at: float) -> None:
    text = f"Heavy rain will fall on the town tonight, so that it floods, said reader {at}."
    article = CapturedArticle(title, None, None, None, f"https://example.org/{at}", text)
    with acting(engine) as (session, _, alice):
        library.store(session, [article], member=alice, captured_at=day(at))


@on_both
def test_the_news_of_a_day_is_told_in_one_message_the_next_morning(
    ledger: Engine, service: Service
) -> None:
    say(ledger, 0.4, 1)
    for who in ("alice", "bob"):  # who has not forecast
        channel(ledger, service, who, "news")
    report(ledger, "Rain: will it flood? @all", 2.2)
    report(ledger, "Rain: will it rain on?", 2.3)  # at 07:12, so of the next day
    assert told(ledger, service, 2.24) == []  # before six
    [heading, line] = told(ledger, service, 2.5)
    assert heading == "New articles on your questions:"
    assert line == "- Will it rain? “Rain: will it flood? @\u2060all”"
    assert told(ledger, service, 2.9) == []
    assert told(ledger, service, 3.3)[1:] == ["- Will it rain? “Rain: will it rain on?”"]
    assert told(ledger, service, 4.3) == []


def test_news_that_was_answered_or_came_before_the_forecast_or_the_channel_is_not_told(
    ledger: Engine, service: Service
) -> None:
    say(ledger, 0.4, 1)
    report(ledger, "Rain", 1.5)
    channel(ledger, service, "alice", "news", now=day(2.3))
    assert told(ledger, service, 2.4) == []
    report(ledger, "Rain again", 2.5)
    with acting(ledger) as (session, rain, alice):
        inbox.dismiss(session, rain, library.find_article(session, 2), member=alice, now=day(2.6))
    assert told(ledger, service, 3.4) == []
    report(ledger, "More rain", 3.5)
    say(ledger, 0.5, 3.6)
    assert told(ledger, service, 4.4) == []
