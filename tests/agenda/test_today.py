"""What needs a member today."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from forecasts.access import members, teams, visibility
from forecasts.access.members import member_or_new
from forecasts.agenda.revisits import DEFAULT_INTERVAL, mark_seen, set_interval
from forecasts.agenda.today import RECENT, Today, Todo, is_empty, new_results, today
from forecasts.articles.library import store
from forecasts.ledger import database
from forecasts.ledger.models import LinkKind, Member, PolicyKind, Question, Role
from forecasts.questions.links import link, unlink
from forecasts.reading.article import CapturedArticle
from forecasts.resolution import assignments, disputes, proposals
from forecasts.updates import updates
from forecasts.updates.evidence import CitedEvidence
from tests.conftest import ask, counted_statements, day, on_both, resolve, say


def captured(text: str) -> CapturedArticle:
    return CapturedArticle("The quay", None, None, None, None, text)


def listed(needs: Today, *wanted: Todo) -> list[str]:
    """Return the slugs of the agenda, or of the items with these things to do, in order."""
    return [one.state.slug for one in needs.of(*(wanted or Todo))]


@pytest.mark.slow
def test_a_question_moves_from_unforecast_to_standing_and_back_with_a_withdrawal(
    session: Session, question: Question, alice: Member, bob: Member
) -> None:
    say(session, question, bob, 0.2, 1)
    assert today(session, alice, now=day(2)).totals == {Todo.forecast: 1}
    say(session, question, alice, 0.3, 2)
    [(_, forecast)] = today(session, alice, now=day(3)).fresh
    assert forecast.probability == 0.3
    updates.withdraw(session, question, member=alice, now=day(4))
    assert today(session, alice, now=day(5)).totals == {Todo.forecast: 1}


@pytest.mark.slow
def test_forecasts_are_asked_of_forecasters(session: Session, alice: Member, bob: Member) -> None:
    alder = teams.create(session, "Alder", member=alice, now=day(0))
    teams.set_role(session, alder, bob, Role.forecaster, member=alice, now=day(0))
    teams.appoint(session, bob, Role.viewer, member=alice, now=day(0))
    ask(session, alice, slug="read")
    ask(session, alice, slug="ours", **teams.visibility_fields(session, "Alder"))
    assert listed(today(session, bob, now=day(2))) == ["ours"]


@pytest.mark.slow
def test_a_disputed_outcome_is_shown_until_somebody_decides(
    session: Session, question: Question, alice: Member, bob: Member
) -> None:
    assignments.set_policy(
        session, question, PolicyKind.confirm, dispute_days=7, member=alice, now=day(1)
    )
    resolve(session, question, alice, "yes", 2, at=3)
    assert listed(today(session, alice, now=day(4))) == []
    disputes.dispute(session, question, reason="It did not.", member=bob, now=day(4))
    assert listed(today(session, alice, now=day(5)), Todo.decide) == [question.slug]
    resolve(session, question, alice, "no", 2, at=6)
    assert listed(today(session, alice, now=day(7))) == []


@pytest.mark.slow
def test_the_latest_scores_come_first_each_once(session: Session, alice: Member) -> None:
    for number in range(RECENT + 2):
        question = ask(session, alice, slug=f"q{number}", title=f"Question {number}")
        say(session, question, alice, 0.2, 1)
        resolve(session, question, alice, "no", 2, at=3 + number)
    resolve(session, question, alice, "yes", 2, at=20)
    resolved = new_results(session, alice, seen=None)
    assert [one.state.slug for one in resolved] == ["q6", "q5", "q4", "q3", "q2"]
    assert resolved[0].score.score == (1 - 0.2) ** 2


def test_an_old_forecast_is_due_until_it_is_made_again(session: Session, alice: Member) -> None:
    for number in range(3):
        long = ask(session, alice, slug=f"q{number}", scheduled_close_time=day(90))
        say(session, long, alice, 0.2, 2 - number / 10)
    just = day(2) + DEFAULT_INTERVAL
    assert listed(today(session, alice, now=just)) == ["q2", "q1"]
    assert [state.slug for state, _ in today(session, alice, now=just).fresh] == ["q0"]
    say(session, long, alice, 0.2, 2 + DEFAULT_INTERVAL / timedelta(days=1))
    assert listed(today(session, alice, now=just)) == ["q1"]


@pytest.mark.slow
def test_a_review_follows_the_members_intervals(session: Session, alice: Member) -> None:
    for slug in ("soon", "usual"):
        question = ask(session, alice, slug=slug, scheduled_close_time=day(90))
        say(session, question, alice, 0.2, 1)
        if slug == "soon":
            set_interval(session, 2, member=alice, now=day(1), question=question)
    [one] = today(session, alice, now=day(3.5)).agenda
    assert (one.state.slug, one.overdue, one.interval) == ("soon", True, timedelta(days=2))
    set_interval(session, 30, member=alice, now=day(4))
    assert listed(today(session, alice, now=day(20))) == ["soon"]
    assert len(today(session, alice, now=day(32)).agenda) == 2


def test_a_crowd_that_moved_away_is_told_apart_from_a_forecast_that_has_waited(
    session: Session, alice: Member, bob: Member
) -> None:
    waits, moved = (
        ask(session, alice, slug=slug, scheduled_close_time=day(90)) for slug in ("waits", "moved")
    )
    say(session, moved, bob, 0.4, 0)
    say(session, waits, alice, 0.4, 1)
    say(session, moved, alice, 0.4, 16)
    say(session, moved, bob, 0.7, 17)
    first, second = today(session, alice, now=day(18)).agenda
    assert (first.state.slug, second.state.slug) == ("moved", "waits")
    assert (first.overdue, second.overdue) == (False, True)
    assert first.crowd_move is not None
    assert (first.crowd_move.before, first.crowd_move.now) == ("40%", "70%")
    assert [one.why(day(18)) for one in (first, second)] == ["crowd 40% → 70%", "17 days old"]


def test_an_update_asks_to_look_again_at_linked_questions(session: Session, alice: Member) -> None:
    """Those of one sitting know of each other, or each would ask for the other for ever."""
    talks, meet, deal, other = (
        ask(session, alice, slug=slug, scheduled_close_time=day(90))
        for slug in ("talks", "meet", "deal", "other")
    )
    for question in (talks, meet, deal, other):
        say(session, question, alice, 0.4, 1)
    for end in (talks, deal):
        link(session, meet, end, LinkKind.causes, member=alice, now=day(1))
    assert today(session, alice, now=day(2)).agenda == []
    say(session, meet, alice, 0.7, 3)
    items = today(session, alice, now=day(3.1)).agenda
    assert {one.state.slug: one.why(day(3.1)) for one in items} == {
        "talks": "since meet",
        "deal": "since meet",
    }
    say(session, talks, alice, 0.5, 3.2)
    assert listed(today(session, alice, now=day(3.3))) == ["deal"]
    unlink(session, meet, deal, LinkKind.causes, member=alice, now=day(3.4))
    assert today(session, alice, now=day(3.5)).agenda == []


def test_a_confirmed_forecast_is_no_update_of_a_linked_question(
    session: Session, alice: Member
) -> None:
    one, other = (
        ask(session, alice, slug=slug, scheduled_close_time=day(90)) for slug in ("one", "other")
    )
    link(session, one, other, LinkKind.causes, member=alice, now=day(1))
    say(session, one, alice, 0.4, 1)
    say(session, other, alice, 0.6, 3)
    assert listed(today(session, alice, now=day(4))) == ["one"]
    say(session, one, alice, 0.4, 5)
    assert listed(today(session, alice, now=day(5))) == []
    say(session, one, alice, 0.5, 6)
    say(session, one, alice, 0.5, 7)
    assert listed(today(session, alice, now=day(7))) == ["other"]


@on_both
def test_every_question_is_in_one_list(session: Session, alice: Member) -> None:
    assert is_empty(session)
    for slug, closes in (("late", 10), ("soon", 3), ("closed", 1), ("mine", 60)):
        question = ask(session, alice, slug=slug, scheduled_close_time=day(closes))
    say(session, question, alice, 0.4, 1)
    assert not is_empty(session)
    needs = today(session, alice, now=day(2))
    assert listed(needs) == ["closed", "soon", "late"]
    assert needs.totals == {Todo.forecast: 2, Todo.resolve: 1}
    assert [state.slug for state, _ in needs.fresh] == ["mine"]


def test_what_closes_soonest_is_first_of_sixty_whatever_it_needs(
    session: Session, alice: Member, bob: Member
) -> None:
    for number in range(57):
        ask(session, alice, slug=f"q{number}", scheduled_close_time=day(40 + number % 7))
    for slug, closes in (
        ("mine", 20.9),
        ("new", 21.5),
        ("hours", 20.5),
        ("waits", 19),
        ("week", 25),
    ):
        question = ask(session, alice, slug=slug, scheduled_close_time=day(closes))
        if slug in ("mine", "week"):
            say(session, question, alice, 0.4, 18)
    needs = today(session, alice, now=day(20))
    assert listed(needs)[:4] == ["hours", "mine", "waits", "new"]
    # A forecast that needs nothing is looked at once more before its question closes.
    assert [one.todo for one in needs.agenda[:2]] == [Todo.forecast, Todo.review]
    assert [state.slug for state, _ in needs.fresh] == ["week"]
    say(session, next(one.state.question for one in needs.agenda[1:2]), alice, 0.4, 19.99)
    assert "mine" not in listed(today(session, alice, now=day(20)))


def test_many_closed_questions_do_not_hide_the_open_ones(session: Session, alice: Member) -> None:
    for number in range(5):
        ask(session, alice, slug=f"closed{number}", scheduled_close_time=day(1 + number))
    ask(session, alice, slug="open", scheduled_close_time=day(60))
    found = listed(today(session, alice, now=day(9)))
    assert found == ["closed0", "closed1", "closed2", "open", "closed3", "closed4"]


@pytest.mark.slow
def test_only_who_may_report_an_outcome_is_asked_for_it(
    session: Session, alice: Member, bob: Member
) -> None:
    teams.appoint(session, alice, Role.admin, member=alice, now=day(0))
    teams.appoint(session, bob, Role.viewer, member=alice, now=day(0))
    ask(session, alice, scheduled_close_time=day(3), resolution_criteria="As it is.")
    assert [len(today(session, who, now=day(4)).agenda) for who in (alice, bob)] == [1, 0]


@pytest.mark.slow
def test_a_proposal_waits_for_who_may_decide_and_hides_no_ones_forecast(
    session: Session, alice: Member, bob: Member
) -> None:
    teams.appoint(session, alice, Role.admin, member=alice, now=day(0))
    question = ask(session, alice, resolution_criteria="As it is.")
    for who in (alice, bob):
        say(session, question, who, 0.4, 1)
    proposals.propose(session, question, "yes", member=bob, now=day(1), note="The gazette.")
    mine, others = (today(session, who, now=day(2)) for who in (alice, bob))
    [one] = mine.of(Todo.resolve)
    assert one.forecast is not None
    assert (mine.fresh, others.agenda, len(others.fresh)) == ([], [], 1)


@pytest.mark.slow
def test_a_new_article_asks_for_an_update(session: Session, alice: Member) -> None:
    question = ask(session, alice, slug="quay", title="Will the harbour quay reopen?")
    say(session, question, alice, 0.4, 1)
    text = "The quay in the harbour will not reopen this year, its builder says."
    store(session, [captured(text)], member=alice, captured_at=day(2))
    [one] = today(session, alice, now=day(3)).of(Todo.news)
    assert one.suggestion is not None
    assert (one.state.slug, one.suggestion.passage) == ("quay", text)
    assert set(one.suggestion.words) == {"harbour", "quay", "reopen"}
    assert today(session, alice, now=day(3)).fresh == []
    say(session, question, alice, 0.2, 4)
    assert listed(today(session, alice, now=day(5))) == []


@pytest.mark.slow
def test_results_are_listed_until_they_are_seen(session: Session, alice: Member) -> None:
    for number in range(2):
        question = ask(session, alice, slug=f"q{number}")
        say(session, question, alice, 0.2, 1)
        resolve(session, question, alice, "no", 2, at=3 + 2 * number)
        if number == 0:
            assert today(session, alice, now=day(4)).seen is None
            mark_seen(session, member=alice, now=day(4))
    needs = today(session, alice, now=day(6))
    assert [one.state.slug for one in new_results(session, alice, seen=needs.seen)] == ["q1"]
    assert needs.seen == day(4)
    mark_seen(session, member=alice, now=day(6))
    seen = today(session, alice, now=day(7)).seen
    assert new_results(session, alice, seen=seen) == []


def one_of_each(session: Session, alice: Member, bob: Member, number: int) -> None:
    """Put a question on each list of Today, with a path of some length on each."""
    closes = {"closing": 8, "awaiting": 5}
    for slug in ("closing", "awaiting", "again", "news", "fresh", "resolved"):
        title = "Will the harbour quay open?" if slug == "news" else slug
        wording = {"slug": f"{slug}-{number}", "title": f"{title} ({number})"}
        question = ask(session, alice, scheduled_close_time=day(closes.get(slug, 60)), **wording)
        for step in range(3):
            say(session, question, bob, 0.3 + step / 10, 1 + step)
        if slug in closes:
            continue
        say(session, question, alice, 0.5, 4, evidence=[CitedEvidence(note=f"note {number}")])
        if slug == "again":
            say(session, question, bob, 0.9, 5)
        if slug == "news":
            text = f"The harbour has a quay. ({number})"
            store(session, [captured(text)], member=alice, captured_at=day(5))
        if slug == "resolved":
            resolve(session, question, alice, "no", 5, at=5)


@on_both
@pytest.mark.slow
def test_it_asks_the_database_as_often_of_many_questions_as_of_few(engine: Engine) -> None:
    counts = []
    for number in range(2):
        with database.writing(engine) as session:
            alice, bob = (member_or_new(session, name, now=day(0)) for name in ("alice", "bob"))
            one_of_each(session, alice, bob, number)
        with database.reading(engine) as session:
            visibility.read_as(session, members.find_member(session, "alice"), now=day(6))
            with counted_statements(engine) as statements:
                needs = today(session, members.find_member(session, "alice"), now=day(6))
        counts.append(len(statements))
        assert [needs.totals[todo] for todo in (Todo.review, Todo.news, Todo.forecast)] == [
            number + 1
        ] * 3
    assert counts[0] == counts[1]


def test_of_two_forecasts_at_one_instant_the_later_row_is_current(
    session: Session, question: Question, alice: Member
) -> None:
    for p in (0.1, 0.9):
        say(session, question, alice, p, 1)
    current = updates.current_forecasts(session, alice, at=day(1))
    assert [forecast.probability for forecast in current.values()] == [0.9]
