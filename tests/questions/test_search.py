"""Search: filters, order and pages of questions."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.event import listen
from sqlmodel import Session, select

from forecasts.access import teams
from forecasts.access.members import member_or_new
from forecasts.access.visibility import read_as
from forecasts.common.errors import LedgerError
from forecasts.ledger import database
from forecasts.ledger.models import Member, Question
from forecasts.questions import revisions, search
from forecasts.questions.search import STATUSES, Filter, Order, labels, page
from forecasts.questions.standing import Status, listing
from forecasts.resolution import confirmation, proposals
from forecasts.updates import updates
from forecasts.updates.comments import comment
from forecasts.values.value import Value
from tests.conftest import ask, counted_statements, day, imported, on_both, resolve, say


@pytest.fixture
def _some(session: Session, alice: Member) -> None:
    ask(session, alice, slug="later", title="Later", scheduled_close_time=day(20), tags=["b", "a"])
    ask(session, alice, slug="sooner", title="Sooner", family="f", background="On the Quay.")
    ask(session, alice, slug="ended", title="Ended in Łódź", scheduled_close_time=day(3))
    ask(session, alice, slug="upcoming", title="Upcoming", open_time=day(8))
    for slug, closes in (("old", 2), ("recent", 4)):
        question = ask(session, alice, slug=slug, title=slug, scheduled_close_time=day(closes))
        resolve(session, question, alice, "yes", closes, at=5)


def matching(session: Session, by: Filter, member: Member | None) -> list[str]:
    """Return the slugs of all questions that match, without paging."""
    return search.find(session, by, member=member, now=day(5))[0]


def found(
    session: Session, by: Filter, member: Member | None = None, order: Order = Order.close
) -> list[str]:
    shown = page(session, by, member=member, now=day(5), order=order)
    slugs = [row.state.slug for row in shown.rows]
    assert sorted(slugs) == sorted(matching(session, by, member))
    assert shown.matching == len(slugs)
    return slugs


@on_both
@pytest.mark.usefixtures("_some")
def test_orders_and_labels(session: Session) -> None:
    assert found(session, Filter()) == ["sooner", "later", "ended", "upcoming", "recent", "old"]
    assert found(session, Filter(), order=Order.newest)[0] == "recent"
    assert found(session, Filter(), order=Order.alphabet)[:2] == ["ended", "later"]
    assert labels(session) == (["a", "b"], ["f"])


@on_both
@pytest.mark.slow
@pytest.mark.usefixtures("_some")
def test_every_part_of_a_filter_must_fit(session: Session) -> None:
    for by, slugs in (
        (Filter(words="the QUAY"), ["sooner"]), (Filter(words="quay " * 2_000), ["sooner"]),
        (Filter(words="quay later"), []), (Filter(words="łÓDŹ ended"), ["ended"]),
        (Filter(words="%"), []), (Filter(words="oon_r"), []),
        (Filter(words="rain" * 25_000), []),  # longer than a database takes
        (Filter(words="%_" * 50_000), []), (Filter(status="resolved"), ["recent", "old"]),
        (Filter(tag="a"), ["later"]), (Filter(tag="a%"), []), (Filter(family="f"), ["sooner"]),
        (Filter(type="numeric"), []), (Filter(team="Alder"), []),
    ):  # fmt: skip
        assert found(session, by) == slugs, by


@on_both
def test_a_short_word_is_found_at_the_start_of_words_only(session: Session, alice: Member) -> None:
    titles = {
        "union": "Will the EU act?",
        "neutral": "Will neutral Łódź rebuild?",
        "quoted": 'Will “AI” or "ai-2" paint it?',
        "main": "Will the main train run in 1957?",
        "tokyo": "Will 新東京 host it?",
        "marks": "Is it [xa] «xb» „xc“ ‚xd‘ “xe” ‘xf’ or,xg or\txh?",
    }
    for slug, title in titles.items():
        ask(session, alice, slug=slug, title=title, background=f"On\n{slug[:1]}.")
    for words, slugs in (
        ("eu", ["union"]), ("ai", ["quoted"]), ("n", ["neutral"]), ("łó", ["neutral"]),
        ("ód", []), ("57", []), ("19", ["main"]), ("東京", ["tokyo"]), ("ai-", ["quoted"]),
        ("eut", ["neutral"]), ("m w", ["main"]), ("%", []),
        *((f"x{letter}", ["marks"]) for letter in "abcdefgh"), ("a%", []),
    ):  # fmt: skip
        assert similar(session, words)[0] == slugs, words
    [row] = page(session, Filter(words="n"), member=None, now=day(5)).rows
    assert row.passage is None  # the title has it
    [row] = page(session, Filter(words="tr on"), member=None, now=day(5)).rows
    assert str(row.passage) == "in the background: On m."


def similar(
    session: Session, words: str, member: Member | None = None
) -> tuple[list[str], tuple[str, ...]]:
    return search.find(session, Filter(words=words), member=member, now=day(5))


@pytest.fixture
def _news(session: Session, alice: Member) -> None:
    ask(session, alice, slug="chips", title="Will Huawei sell chips in Taiwan?")
    ask(session, alice, slug="lodz", title="Will Łódź or São Paulo host it?", background="Huawey")
    ask(session, alice, slug="chain", title="Will the supply chain hold?")
    ask(session, alice, slug="late", title="Will it snow?", background="Snow fell on a chain.")


@pytest.mark.usefixtures("_news")
def test_a_typo_still_finds(session: Session) -> None:
    for typed, slugs, words in (
        ("huwaei", ["chips"], ("Huawei",)), ("Tiawan CHIPS", ["chips"], ("Taiwan",)),
        ("paolo", ["lodz"], ("Paulo",)), ("chips huwaei tawian", ["chips"], ("Huawei", "Taiwan")),
        ("sao", ["lodz"], ("São",)), ("sell suply", [], ("supply",)), ("zzzz", [], ()),
        ("%%%", [], ()), ("", ["chips", "lodz", "chain", "late"], ()),
    ):  # fmt: skip
        assert similar(session, typed) == (slugs, words), typed


@pytest.mark.usefixtures("_news")
def test_words_that_are_found_are_not_replaced(session: Session) -> None:
    assert similar(session, "Huawey") == (["lodz"], ())
    shown = page(session, Filter(words="huwaei"), member=None, now=day(5))
    assert (shown.matching, shown.total, shown.similar) == (1, 4, ("Huawei",))
    # A word in the title counts before one in the text.
    ask(session, session.exec(select(Member)).one(), slug="last", title="A chain?",
        scheduled_close_time=day(300))  # fmt: skip
    assert similar(session, "chain")[0] == ["chain", "last", "late"]


def test_a_typo_finds_no_hidden_word(session: Session, alice: Member, bob: Member) -> None:
    mine = teams.visibility_fields(session, "me")
    ask(session, alice, slug="mine", title="Will the takeover fail?", **mine)
    assert similar(session, "takoever", alice) == (["mine"], ("takeover",))
    read_as(session, bob, now=day(5))
    assert similar(session, "takoever", bob) == ([], ())


@on_both
@pytest.mark.slow
@pytest.mark.usefixtures("_some")
def test_mine_are_those_that_i_stand_behind(session: Session, alice: Member, bob: Member) -> None:
    sooner, later = (
        session.exec(select(Question).where(Question.slug == slug)).one()
        for slug in ("sooner", "later")
    )
    for question, at in ((later, 1), (sooner, 2)):
        say(session, question, alice, 0.4, at)
    say(session, later, bob, 0.6, 2)
    assert found(session, Filter(mine=True), alice) == ["sooner", "later"]
    assert found(session, Filter(mine=True), alice, Order.untouched) == ["later", "sooner"]
    updates.withdraw(session, sooner, member=alice, now=day(3))
    assert found(session, Filter(mine=True), alice) == ["later"]
    assert "sooner" in found(session, Filter(mine=False), alice)
    assert found(session, Filter(mine=True)) == []


def test_a_teams_questions_are_hidden(session: Session, alice: Member, bob: Member) -> None:
    teams.create(session, "Alder", member=alice, now=day(0))
    ask(session, alice, slug="ours", tags=["t"], **teams.visibility_fields(session, "Alder"))
    mine = teams.visibility_fields(session, "me")
    ask(session, alice, slug="mine", title="Mine?", family="f", **mine)
    ask(session, alice, slug="all", title="All?")
    assert found(session, Filter(team="Alder")) == ["ours"]
    read_as(session, bob, now=day(5))
    assert found(session, Filter()) == ["all"]
    assert labels(session) == ([], [])


@on_both
@pytest.mark.slow
def test_sql_derives_the_same_status(session: Session, alice: Member, bob: Member) -> None:
    """Questions after random sequences of acts."""
    chance = random.Random(7)
    by: dict[str, Any] = {"member": alice, "now": day(4.5)}

    def reject(question: Question) -> None:
        for row in proposals.proposals_on(session, question)[:1]:
            proposals.reject(session, row, note="no", **by)

    outcomes = ["yes", "no", "annulled", "ambiguous"]
    acts: list[Callable[[Question], object]] = [
        lambda one: proposals.propose(session, one, chance.choice(outcomes), note="Seen.", **by),
        lambda one: confirmation.confirm(session, one, chance.choice(outcomes), **by),
        lambda one: revisions.close(session, one, at=day(4), **by),
        reject,
    ]
    for _ in range(30):
        opens, closes = day(chance.choice([0, 6])), day(chance.choice([7, 20]))
        question = ask(session, alice, open_time=opens, scheduled_close_time=closes)
        for act in chance.choices(acts, k=chance.randrange(4)):
            with suppress(LedgerError):
                act(question)
    states = listing(session, now=day(5))
    assert {one.status for one in states} == set(Status)
    for status in Status:
        in_sql = matching(session, Filter(status=status), bob)
        assert set(in_sql) == {one.slug for one in states if one.status is status}
    proposed = {one.slug for one in states if one.proposals}
    assert {one.status for one in states if one.proposals} >= {Status.open, Status.resolved}
    assert set(matching(session, Filter(status=STATUSES["proposed"]), bob)) == proposed


def test_the_crowds_path_is_a_median(session: Session, alice: Member, bob: Member) -> None:
    rain = ask(session, alice, slug="rain")
    imported(session, rain, alice, 1, 0.2)
    imported(session, rain, bob, 2, 0.6)
    imported(session, rain, alice, 4, None)
    [row] = page(session, Filter(), member=alice, now=day(6)).rows
    assert row.forecast is None
    assert row.trend is not None
    assert row.trend.forecasters == 1
    assert row.trend.points == (None, *[0.2] * 2, *[0.4] * 4, *[0.6] * 5)


def test_a_hidden_crowd_has_no_way(session: Session, alice: Member, bob: Member) -> None:
    rain = ask(session, alice, slug="rain", crowd_hidden=True)
    say(session, rain, alice, 0.2, 1)
    read_as(session, bob, now=day(2))
    [row] = page(session, Filter(), member=bob, now=day(2)).rows
    assert row.trend is None


@on_both
def test_reasons_and_comments_are_searched_as_far_as_the_reader_may_see_them(
    session: Session, alice: Member, bob: Member
) -> None:
    rain = ask(session, alice, slug="rain", title="Rain?", resolution_criteria="By the gauge.")
    snow = ask(session, alice, slug="snow", title="Snow?", crowd_hidden=True)
    by: dict[str, Any] = {"member": alice, "now": day(1)}
    for question, reason in (
        (rain, "Clouds over Łódź. " + "More of it. " * 20),
        (snow, "Ice cold"),
    ):
        updates.update(session, question, Value(probability=0.4), rationale=reason, **by)
    comment(session, rain, "The valley has had clouds\nand HAIL since Monday.", **by)
    comment(session, rain, "Only I know of the geyser.", private=True, **by)
    comment(session, snow, "A glacier would do.", explains_forecast=True, **by)

    def passages(words: str, member: Member) -> list[tuple[str, str]]:
        read_as(session, member, now=day(2))
        shown = page(session, Filter(words=words), member=member, now=day(2)).rows
        return [(row.state.slug, str(row.passage)) for row in shown]

    clouds = "Clouds over Łódź. More of it."
    [(slug, passage)] = passages("łódź", bob)
    assert (slug, passage[: len(clouds) + 13]) == ("rain", f"in a reason: {clouds}")
    assert len(passage) < 170
    said = "The valley has had clouds and HAIL since Monday."
    assert passages("clouds hail rain", bob) == [("rain", f"in a comment: {said}")]
    assert passages("gauge", bob) == [("rain", "in the criteria: By the gauge.")]
    assert passages("rain", bob) == [("rain", "None")]
    for words, place in (("geyser", "rain"), ("ice", "snow"), ("glacier", "snow")):
        assert [slug for slug, _ in passages(words, alice)] == [place], words
        assert passages(words, bob) == [], words
    assert passages("glacier", alice) == [("snow", "in a reason: A glacier would do.")]
    updates.update(session, snow, Value(probability=0.5), member=bob, now=day(2))
    assert passages("ice", bob) == [("snow", "in a reason: Ice cold")]
    # What a question's own text says comes first.
    ask(session, alice, slug="hail", title="Hail?", scheduled_close_time=day(300))
    assert [slug for slug, _ in passages("hail", bob)] == ["hail", "rain"]


@pytest.fixture
def _many(engine: Engine) -> None:
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        for number in range(45):
            question = ask(session, alice, slug=f"q-{number:02}", tags=[f"t{number % 3}"])
            say(session, question, alice, 0.3, 1)


@pytest.mark.slow
@pytest.mark.usefixtures("_many")
def test_a_page_takes_as_many_statements_however_many_questions_there_are(engine: Engine) -> None:
    with database.reading(engine) as session:
        alice = session.exec(select(Member)).one()
        with counted_statements(engine) as statements:
            first = page(session, Filter(), member=alice, now=day(2))
        assert len(statements) == 7
        last = page(session, Filter(), member=alice, now=day(2), number=99)
        labels(session)
    assert (first.number, first.pages, len(first.rows)) == (1, 3, 20)
    assert (last.number, len(last.rows)) == (3, 5)
    seen = [row.state.slug for row in (*first.rows, *last.rows)]
    assert len(set(seen)) == 25


@on_both
@pytest.mark.slow
@pytest.mark.usefixtures("_many")
def test_no_page_looks_through_all_forecasts(engine: Engine, kind: str) -> None:
    """The query plan finds the rows of a question by an index. Only words are looked for in all."""
    by = Filter(mine=True, status="open", tag="t1")
    with database.reading(engine) as session:
        alice = session.exec(select(Member)).one()
        sent: list[tuple[str, object]] = []
        listen(engine, "before_cursor_execute", lambda *given: sent.append((given[2], given[3])))
        search.find(session, by, member=alice, now=day(2), order=Order.untouched)
        statement, values = sent[0]
        connection = session.connection()
        if kind == "postgresql":
            # With so few rows, the planner would otherwise scan the table.
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        explain = "EXPLAIN" if kind == "postgresql" else "EXPLAIN QUERY PLAN"
        rows = connection.exec_driver_sql(f"{explain} {statement}", values)
        plan = [str(row[-1]) for row in rows]
    scans = [line for line in plan if line.strip(" ->").startswith(("SCAN", "Seq Scan"))]
    assert len(plan) > 5
    assert not [line for line in scans if "forecast" in line or "resolution" in line]


@on_both
def test_changes_since_a_time_are_found(session: Session, alice: Member, bob: Member) -> None:
    rain, snow = (ask(session, alice, slug=slug, title=slug) for slug in ("rain", "snow"))
    ask(session, alice, slug="hail", title="hail")
    say(session, rain, bob, 0.3, 1)
    revisions.revise(session, snow, member=alice, now=day(2), background="Cold.")

    def since(at: float) -> set[str]:
        by = Filter(changed_since=day(at))
        return set(search.find(session, by, member=alice, now=day(3))[0])

    assert since(0) == {"rain", "snow", "hail"}
    assert since(1) == {"rain", "snow"}
    assert since(1.5) == {"snow"}
    assert since(2.5) == set()
