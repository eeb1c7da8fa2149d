"""The inbox: articles with the questions they bear on, and a member's answers."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select

from forecasts.access import roles, teams
from forecasts.access.members import member_or_new
from forecasts.access.visibility import read_as
from forecasts.articles import library
from forecasts.common.errors import Forbidden, NotFound, Refused
from forecasts.ledger import database
from forecasts.ledger.models import (
    Article,
    ArticleMatch,
    ArticleStory,
    Citation,
    Evidence,
    FeedEntry,
    FeedKeep,
    Member,
    Question,
    Role,
    Stance,
    Visibility,
)
from forecasts.news import feeds, inbox, matches
from forecasts.news.inbox import Section, Suggestion
from forecasts.news.matching import A_MONTH, THRESHOLD
from forecasts.questions import passages, registry, revisions
from forecasts.questions.standing import current_state
from forecasts.reading.article import CapturedArticle
from forecasts.reading.text_quotes import TextQuote
from forecasts.resolution.proposals import propose, reject
from forecasts.updates import updates
from forecasts.values.value import Value
from tests.conftest import ask, day, on_both, resolve, say

QUAY = "The new quay in the harbour opens next week, the mayor said."


def capture(session: Session, member: Member, text: str, at: float, title: str = "News") -> Article:
    article = CapturedArticle(title, None, None, None, f"https://example.org/{at}", text)
    [(stored, _)] = library.store(session, [article], member=member, captured_at=day(at))
    return stored


def suggested(session: Session, member: Member | None, at: float) -> list[Suggestion]:
    items = inbox.inbox(session, member, now=day(at))
    return [one for item in items for one in item.suggestions]


@pytest.fixture
def quay(session: Session, alice: Member) -> Question:
    question = ask(
        session, alice, title="Will the harbour quay open by June?", scheduled_close_time=day(90)
    )
    say(session, question, alice, 0.4, 1)
    return question


@on_both
def test_stored_matches_are_those_computed(session: Session, quay: Question, alice: Member) -> None:
    capture(session, alice, QUAY, 2)
    capture(session, alice, "The weather was fine.", 2.5)
    computed = list(matches.matches(session, now=day(3)))
    assert [one.question_id for one in computed] == [quay.id]
    assert matches.catch_up(session, now=day(3)) == 1
    assert matches.catch_up(session, now=day(3)) == 0
    assert list(matches.matches(session, now=day(3))) == computed
    # A new question is matched to the articles before it, and a new wording again.
    new = ask(session, alice, title="Will the mayor open the quay?", scheduled_close_time=day(80))
    both = sorted(one.question_id for one in matches.matches(session, now=day(3)))
    assert both == [quay.id, new.id]
    assert matches.catch_up(session, now=day(3)) == 1
    revisions.revise(session, new, title="Will the ferry sail?", member=alice, now=day(3))
    assert [one.question_id for one in matches.matches(session, now=day(3))] == [quay.id]
    matches.catch_up(session, now=day(3))
    stored = [(one.question_id, one.score) for one in session.exec(select(ArticleMatch))]
    assert matches.rebuild(session, now=day(3)) == 1
    assert stored == [(one.question_id, one.score) for one in session.exec(select(ArticleMatch))]


def test_articles_captured_during_a_run_are_matched_by_it(
    session: Session, quay: Question, alice: Member
) -> None:
    capture(session, alice, QUAY, 2.1)
    assert matches.catch_up(session, now=day(2)) == 1
    assert suggested(session, alice, 2) == []
    assert len(suggested(session, alice, 3)) == 1


@on_both
def test_texts_are_compared_before_the_matches_are_stored(engine: Engine) -> None:
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        ask(session, alice, title="Will the quay open?", scheduled_close_time=day(90))
        capture(session, alice, QUAY, 2)

    def clock() -> datetime:
        return day(3)

    assert matches.catch_up_apart(engine, clock=clock, now=day(3)) == 1
    assert matches.catch_up_apart(engine, clock=clock, now=day(3)) == 0
    with database.reading(engine) as session:
        assert len(session.exec(select(ArticleMatch)).all()) == 1


def test_closed_and_resolved_questions_and_old_articles_are_left_out(
    session: Session, quay: Question, alice: Member
) -> None:
    capture(session, alice, QUAY, 2)
    matches.catch_up(session, now=day(2))
    assert suggested(session, alice, 3)
    assert suggested(session, alice, 1.9) == []
    assert suggested(session, alice, 2.1 + matches.WINDOW.days) == []
    resolve(session, quay, alice, at=4)
    assert suggested(session, alice, 5) == []


def test_mine_come_first_then_others_and_possible_questions_then_the_rest(
    session: Session, quay: Question, alice: Member, bob: Member
) -> None:
    ask(session, bob, title="Will Lisbon's tram line close?", scheduled_close_time=day(90))
    for at, text in (
        (2.0, QUAY),
        (3.0, "The tram line in Lisbon is old, and it closes."),
        (4.0, "Nothing happened in the village, and nobody minded."),
    ):
        capture(session, alice, text, at)
    items = inbox.inbox(session, alice, now=day(5))
    assert [item.section for item in items] == [Section.mine, Section.new, Section.rest]
    [mine], [other], [] = (item.suggestions for item in items)
    assert mine.forecast is not None
    assert mine.passage == QUAY
    assert other.forecast is None
    assert len(inbox.inbox(session, alice, now=day(5), most=2)) == 2
    strangers = inbox.inbox(session, None, now=day(5))
    assert {item.section for item in strangers} == {Section.new, Section.rest}


def test_hidden_questions_are_not_suggested(
    session: Session, quay: Question, alice: Member, bob: Member
) -> None:
    hidden = ask(
        session,
        alice,
        title="Will the quay in the harbour sink?",
        visibility=Visibility.author,
        scheduled_close_time=day(90),
    )
    article = capture(session, alice, QUAY, 2)
    for stored in (False, True):
        if stored:
            matches.catch_up(session, now=day(3))
        read_as(session, bob, now=day(3))
        assert {one.state.id for one in suggested(session, bob, 3)} == {quay.id}
        read_as(session, alice, now=day(3))
        assert {one.state.id for one in suggested(session, alice, 3)} == {quay.id, hidden.id}
    read_as(session, bob, now=day(3))
    with pytest.raises(NotFound):
        inbox.dismiss(session, hidden, article, member=bob, now=day(3))
    with pytest.raises(NotFound):
        inbox.threshold(session, hidden, member=bob, now=day(3))
    with pytest.raises(NotFound):
        inbox.accept(session, hidden, article, Value(probability=0.5), member=bob, now=day(3))


@on_both
def test_an_accepted_article_is_cited_with_the_update(
    session: Session, quay: Question, alice: Member
) -> None:
    article = capture(session, alice, QUAY, 2)
    matches.catch_up(session, now=day(2))
    value = Value(probability=0.7)
    saved = inbox.accept(session, quay, article, value, member=alice, now=day(3))
    assert saved.forecast.probability == 0.7
    citation, evidence = session.exec(
        select(Citation, Evidence).where(Citation.evidence_id == Evidence.id)
    ).one()
    assert (citation.stance, evidence.quote) == (Stance.supports, QUAY)
    assert evidence.article_id == article.id
    assert [one.answer for one in suggested(session, alice, 4)] == ["accepted"]
    [item] = inbox.inbox(session, alice, now=day(4))
    assert item.section is not Section.mine


def test_an_article_can_be_cited_without_a_new_value(
    session: Session, quay: Question, alice: Member, bob: Member
) -> None:
    article = capture(session, alice, QUAY, 2)
    saved = inbox.accept(session, quay, article, member=alice, now=day(3))
    assert saved.forecast.probability == 0.4
    assert [one.stance for one in saved.cited] == [Stance.context]
    with pytest.raises(Refused, match="not forecast"):
        inbox.accept(session, quay, article, member=bob, now=day(3))


def test_dismissed_and_muted_articles_are_answered(
    session: Session, quay: Question, alice: Member, bob: Member
) -> None:
    one = capture(session, alice, QUAY, 2)
    inbox.dismiss(session, quay, one, member=alice, now=day(3))
    assert [found.answer for found in suggested(session, alice, 3)] == ["dismissed"]
    assert [found.answer for found in suggested(session, bob, 3)] == [None]
    two = capture(session, alice, "A quay in the harbour is a kind of wharf.", 4)
    inbox.dismiss(session, quay, two, member=alice, now=day(4), kind=True)
    capture(session, alice, "The quay of the harbour is long.", 5)
    answers = {found.article_id: found.answer for found in suggested(session, alice, 6)}
    assert answers == {one.id: "dismissed", two.id: "muted"}
    assert len(suggested(session, bob, 6)) == 3


def test_a_member_sets_a_threshold_or_it_is_learned(
    session: Session, quay: Question, alice: Member
) -> None:
    def held() -> inbox.Threshold:
        return inbox.threshold(session, quay, member=alice, now=day(9))

    assert held() == inbox.Threshold(THRESHOLD, False, 0, 0)
    article = capture(session, alice, QUAY, 2)
    [found] = suggested(session, alice, 3)
    inbox.set_threshold(session, quay, 0.95, member=alice, now=day(3))
    assert held().is_own
    assert suggested(session, alice, 3) == []
    inbox.set_threshold(session, quay, None, member=alice, now=day(3))
    assert suggested(session, alice, 3) == [found]
    inbox.dismiss(session, quay, article, member=alice, now=day(3))
    assert (held().dismissed, held().is_own) == (1, False)
    for bad in (0.1, 1.5, float("nan")):
        with pytest.raises(Refused, match="threshold"):
            inbox.set_threshold(session, quay, bad, member=alice, now=day(3))


def test_who_may_not_forecast_sets_no_threshold(
    session: Session, quay: Question, alice: Member, bob: Member
) -> None:
    roles.ensure_admin(session, alice, now=day(0))
    teams.appoint(session, bob, Role.viewer, member=alice, now=day(0))
    with pytest.raises(Forbidden):
        inbox.set_threshold(session, quay, 0.5, member=bob, now=day(1))
    assert inbox.threshold(session, quay, member=bob, now=day(1)).score == THRESHOLD


def test_the_newest_suggestion_is_the_one_captured_last(
    session: Session, quay: Question, alice: Member
) -> None:
    say(session, quay, alice, 0.4, 0.5)
    newest = capture(session, alice, QUAY, 5)
    capture(session, alice, f"{QUAY} So the mayor said.", 3)
    made = updates.current_forecast(session, quay, alice, at=day(6))
    assert made is not None
    mine = {quay.id: (current_state(session, quay, now=day(6)), made)}
    [(_, article)] = inbox.newest_suggestions(session, alice, mine, now=day(6)).values()
    assert article.id == newest.id


def test_a_broad_question_is_suggested_at_most_twenty_times_a_month(
    session: Session, quay: Question, alice: Member
) -> None:
    for number in range(A_MONTH + 45):
        capture(session, alice, f"{QUAY} Number {number}.", 2 + number / 100, title=f"Day {number}")
    assert len(suggested(session, alice, 4)) == A_MONTH
    matches.catch_up(session, now=day(4))
    assert len(session.exec(select(ArticleMatch)).all()) == matches.KEPT
    assert len(suggested(session, alice, 4)) == A_MONTH


def test_today_has_the_newest_article_since_the_forecast(
    session: Session, quay: Question, alice: Member
) -> None:
    def newest(at: float) -> str | None:
        mine = updates.current_forecast(session, quay, alice, at=day(at))
        assert mine is not None
        state = current_state(session, quay, now=day(at))
        found = inbox.newest_suggestions(session, alice, {quay.id: (state, mine)}, now=day(at))
        return found[quay.id][1].title if found else None

    capture(session, alice, QUAY, 0.5, title="Too old")
    assert newest(1.5) is None
    capture(session, alice, QUAY + " Again.", 2, title="First")
    later = capture(session, alice, QUAY + " And again.", 3, title="Second")
    assert newest(2.5) == "First"
    assert newest(4) == "Second"
    inbox.dismiss(session, quay, later, member=alice, now=day(4))
    assert newest(4) == "First"
    say(session, quay, alice, 0.5, 5)
    assert newest(6) is None


def test_the_source_of_a_question_is_not_new(session: Session, alice: Member) -> None:
    article = capture(session, alice, QUAY, 2)
    source = passages.find_passage(session, article.id, TextQuote("The new quay"))
    text = registry.question_text(
        title="Will the harbour quay close?", open_time=day(0), scheduled_close_time=day(90)
    )
    question = registry.register(session, text, member=alice, now=day(1), sources=[source])
    say(session, question, alice, 0.4, 1.5)
    assert [one.answer for one in suggested(session, alice, 3)] == ["source"]


def test_a_subject_has_the_articles_since_the_forecast_one_of_each_story(
    session: Session, quay: Question, alice: Member, bob: Member
) -> None:
    capture(session, alice, QUAY, 0.5, title="Too old")
    one = capture(session, alice, QUAY + " Again.", 2, title="First")
    like = capture(session, alice, QUAY + " Ada too.", 2.5, title="First, elsewhere")
    other = capture(session, alice, "The harbour quay is open by June, says Ada.", 3, title="Other")
    for article in (one, like):
        row = {"article_id": article.id, "story_id": one.id, "signature": b"s"}
        session.add(ArticleStory(**row))
    waiting = inbox.overview(session, alice, now=day(4)).waiting
    [mine] = inbox.subjects(session, waiting, now=day(4))
    assert mine.state.id == quay.id
    assert [(one.article.title, one.others) for one in mine.reports] == [
        ("Other", 0),
        ("First, elsewhere", 1),
    ]
    [theirs] = inbox.overview(session, bob, now=day(4)).waiting
    assert len(theirs.found) == 4
    inbox.dismiss(session, quay, other, member=alice, now=day(4))
    [left] = inbox.overview(session, alice, now=day(4)).waiting
    assert [one.article_id for one in left.found] == [like.id, one.id]
    say(session, quay, alice, 0.5, 5)
    assert inbox.overview(session, alice, now=day(6)).waiting == []


def test_a_dismissal_is_taken_back(session: Session, quay: Question, alice: Member) -> None:
    article = capture(session, alice, QUAY, 2)
    with pytest.raises(Refused, match="not dismissed"):
        inbox.reopen(session, quay, article, member=alice, now=day(3))
    for kind in (False, True):
        inbox.dismiss(session, quay, article, member=alice, now=day(3), kind=kind)
        assert inbox.overview(session, alice, now=day(3)).waiting == []
        inbox.reopen(session, quay, article, member=alice, now=day(3))
        assert [one.answer for one in suggested(session, alice, 3)] == [None]
    assert inbox.threshold(session, quay, member=alice, now=day(3)).dismissed == 0


def test_other_articles_have_possible_questions(
    session: Session, quay: Question, alice: Member
) -> None:
    capture(session, alice, QUAY, 2)
    vote = "Farvale will hold a referendum on the ferry subsidy by 15 March 2026."
    new = capture(session, alice, vote, 3, title="Farvale votes")
    every = inbox.overview(session, alice, now=day(4))
    [(article, others)] = every.others
    assert (article.id, others) == (new.id, 0)
    [(number, draft)] = inbox.drafts_in(session, [new.id], now=day(4))[new.id]
    assert number == 1
    assert "Farvale" in draft.question
    assert [one.question_id for one in every.waiting] == [quay.id]


@on_both
def test_a_page_compares_only_the_newest_articles_and_a_run_the_others(
    session: Session, alice: Member
) -> None:
    for number in range(100, 100 + matches.AT_ONCE + 3):
        ask(session, alice, title=f"Will pier {number} open?", scheduled_close_time=day(90))
        text = f"Pier {number} opens, said the mayor."
        capture(session, alice, text, 2 + number / 1000, title=f"Pier {number} opens")
    before = inbox.overview(session, alice, now=day(3))
    assert before.uncompared == 3
    compared = {one.article_id for row in before.waiting for one in row.found}
    assert len(compared) == matches.AT_ONCE
    every = {item.article.id for item in inbox.inbox(session, alice, now=day(3))}
    assert max(every - compared) < min(compared)
    assert all(item.suggestions for item in inbox.inbox(session, alice, now=day(3)))
    matches.catch_up(session, now=day(3))
    after = inbox.overview(session, alice, now=day(3))
    assert after.uncompared == 0
    assert {one.article_id for row in after.waiting for one in row.found} == every


@on_both
def test_a_new_question_has_the_older_articles_compared_by_the_button(
    session: Session, quay: Question, alice: Member
) -> None:
    for number in range(matches.AT_ONCE + 3):
        capture(session, alice, f"Bilbao opens pier {number}.", 2 + number / 1000)
    matches.catch_up(session, now=day(3))
    assert inbox.overview(session, alice, now=day(3)).uncompared == 0
    ask(session, alice, title="Will Bilbao open a pier?")
    before = inbox.overview(session, alice, now=day(3))
    assert before.uncompared == 3
    capture(session, alice, "Bilbao opens a quay.", 2.9)
    assert inbox.overview(session, alice, now=day(3)).uncompared == 3
    revisions.revise(session, quay, title="Will Bilbao close?", member=alice, now=day(3))
    matches.catch_up(session, now=day(3))
    assert inbox.overview(session, alice, now=day(3)).uncompared == 0


def test_drafts_are_made_of_the_first_articles_alone(
    session: Session, alice: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "DRAFTED", 1)
    for number, town in enumerate(("Farvale", "Brenholt")):
        vote = f"{town} will hold a referendum on the ferry subsidy by 15 March 2026."
        capture(session, alice, vote, 2 + number, title=f"{town} votes")
    found = {one.article.title: len(one.drafts) for one in inbox.inbox(session, alice, now=day(4))}
    assert found == {"Brenholt votes": 1, "Farvale votes": 0}


@on_both
def test_the_best_stored_matches_of_a_question_have_no_texts_unless_asked(
    session: Session, quay: Question, alice: Member
) -> None:
    for number in range(3):
        capture(session, alice, f"{QUAY} Number {number}.", 2 + number / 100)
    matches.catch_up(session, now=day(3))
    every = sorted(matches.matches(session, now=day(3)), key=lambda one: -one.score)
    best = list(matches.matches(session, now=day(3), best=2))
    assert sorted(one.score for one in best) == sorted(one.score for one in every[:2])
    assert {(one.passage, *one.words) for one in best} == {("",)}
    whole = matches.matches(session, now=day(3), best=2, whole=[quay.id], only=[quay.id])
    assert sorted(whole) == sorted(every)
    one = every[0]
    assert list(matches.matches(session, now=day(3), article=one.article_id)) == [one]


@on_both
def test_unmatched_articles_of_a_feed_are_listed_or_not(
    session: Session, quay: Question, alice: Member, bob: Member
) -> None:
    feed, _ = feeds.add(session, "https://one.example/f", member=alice, now=day(1))
    other, _ = feeds.add(session, "https://two.example/f", member=alice, now=day(1))
    matched = capture(session, alice, QUAY, 2)
    rest = capture(session, alice, "The weather was fine.", 2.5)
    both = capture(session, alice, "The weather will be fine.", 2.6)
    for which, article in ((feed, matched), (feed, rest), (feed, both), (other, both)):
        entry = {"feed_id": which.id, "key": f"k{article.id}", "article_id": article.id}
        session.add(FeedEntry(**entry, recorded_at=day(2)))

    def listed(member: Member) -> tuple[set[int], set[int]]:
        every = inbox.overview(session, member, now=day(3))
        items = inbox.inbox(session, member, now=day(3))
        return {article.id for article, _ in every.others}, {item.article.id for item in items}

    pasted = capture(session, alice, "The weather was bad.", 1.5)
    session.add(FeedEntry(feed_id=feed.id, key="k", article_id=pasted.id, recorded_at=day(2)))
    everything = {rest.id, both.id, pasted.id}, {matched.id, rest.id, both.id, pasted.id}
    assert listed(alice) == everything
    feeds.keep(session, "1", FeedKeep.matched, member=alice, now=day(3))
    assert listed(alice) == ({both.id, pasted.id}, {matched.id, both.id, pasted.id})
    assert listed(bob) == everything
    feeds.keep(session, "1", FeedKeep.all, member=alice, now=day(3))
    assert listed(alice) == everything


@on_both
def test_cited_articles_are_of_the_first_feed_of_the_member_that_brought_them(
    session: Session, quay: Question, alice: Member, bob: Member
) -> None:
    first, _ = feeds.add(session, "https://one.example/f", title="One", member=alice, now=day(1))
    other, _ = feeds.add(session, "https://two.example/f", title="Two", member=alice, now=day(1))
    article = capture(session, alice, QUAY, 2)
    capture(session, alice, "The weather was fine.", 2)
    for feed in (first, other):
        entry = FeedEntry(feed_id=feed.id, key="k", article_id=article.id, recorded_at=day(2))
        session.add(entry)
        session.flush()
    assert feeds.of_evidence(session, member=alice) == {}
    inbox.accept(session, quay, article, Value(0.6), member=alice, now=day(3))
    assert [*feeds.of_evidence(session, member=alice).values()] == ["One"]
    feeds.remove(session, "One", member=alice, now=day(4))
    assert [*feeds.of_evidence(session, member=alice).values()] == ["Two"]
    assert feeds.of_evidence(session, member=bob) == feeds.of_evidence(session, member=None) == {}


@on_both
def test_an_article_that_seems_to_tell_the_outcome_is_marked(
    session: Session, quay: Question, alice: Member
) -> None:
    options = {"type": "multiple_choice", "options": ["June", "July"]}
    ask(session, alice, title="Will the harbour quay open in June or July?", **options)
    opened = "It rained. The harbour quay opened on Friday, the mayor said."
    capture(session, alice, opened, 2, "Harbour quay")
    capture(session, alice, QUAY, 3)
    told = {(one.state.id, one.article_id): one.told for one in suggested(session, alice, 4)}
    said = "The harbour quay opened on Friday, the mayor said."
    assert sorted(filter(None, told.values())) == [said]
    assert told[quay.id, 1] == said
    waiting = inbox.overview(session, alice, now=day(4)).waiting
    for texts, expected in ((0, []), (5, [said])):
        rows = inbox.subjects(session, waiting, now=day(4), texts=texts)
        found = [one.suggestion.told for row in rows for one in row.reports]
        assert [*filter(None, found)] == expected


def test_an_article_older_than_the_question_tells_nothing(session: Session, alice: Member) -> None:
    opened = "The harbour quay opened on Friday, the mayor said."
    article = CapturedArticle("Quay", None, None, day(-20), "https://example.org/q", opened)
    library.store(session, [article], member=alice, captured_at=day(1))
    ask(session, alice, title="Will the harbour quay open by June?")
    [one] = suggested(session, alice, 2)
    assert one.told == ""


def test_a_question_that_is_hidden_between_two_reads_is_left_out(
    session: Session, quay: Question, alice: Member, bob: Member
) -> None:
    capture(session, alice, QUAY, 2)
    read_as(session, bob, now=day(3))
    waiting = inbox.overview(session, bob, now=day(3)).waiting
    assert len(waiting) == 1
    read_as(session, alice, now=day(3))
    revisions.revise(session, quay, visibility=Visibility.author, member=alice, now=day(3))
    read_as(session, bob, now=day(3))
    assert inbox.subjects(session, waiting, now=day(3)) == []


def test_an_outcome_is_told_once_until_someone_answers(
    session: Session, quay: Question, alice: Member
) -> None:
    opened = "The harbour quay opened on Friday, the mayor said."
    capture(session, alice, opened, 2)
    [one] = suggested(session, alice, 3)
    assert one.told == opened
    proposal = propose(session, quay, "yes", note=opened, member=alice, now=day(3))
    [one] = suggested(session, alice, 3)
    assert one.told == ""
    # After a rejection, only a later article tells it again.
    reject(session, proposal, member=alice, now=day(4), note="Only the west end.")
    [one] = suggested(session, alice, 4)
    assert one.told == ""
    again = "On Sunday, the harbour quay opened for all."
    capture(session, alice, again, 5)
    assert sorted(one.told for one in suggested(session, alice, 6)) == ["", again]
