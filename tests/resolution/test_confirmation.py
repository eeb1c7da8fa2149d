"""Confirmed outcomes: their scores, the close that they imply, corrections, late forecasts."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

import scoring
from forecasts.access.members import member_or_new
from forecasts.common.errors import BadInput, Refused
from forecasts.ledger import database
from forecasts.ledger.models import Member, Question, Resolution, Score
from forecasts.questions import registry, revisions
from forecasts.resolution import confirmation, proposals
from forecasts.resolution.late_forecasts import LateForecasts, late_forecasts
from forecasts.scores import scores, stored_scores
from forecasts.scores.ledger_frames import scoring_frames
from forecasts.scores.stored_scores import resolution_scores
from forecasts.updates import updates
from forecasts.values.value import Value
from tests.conftest import ask, day, on_both, resolve, say
from tests.examples import examples
from tests.resolution.conftest import close_of, state_of

pytestmark = pytest.mark.slow


def brier(session: Session, resolution: Resolution) -> dict[str, float]:
    return {
        handle: score.score
        for score, handle in stored_scores.resolution_scores(session, resolution)
        if score.protocol == "brier"
    }


@on_both
def test_every_forecaster_is_scored_by_the_time_each_forecast_was_current(
    session: Session, question: Question, alice: Member, bob: Member
) -> None:
    say(session, question, alice, 0.4, 0)  # for four days
    say(session, question, alice, 0.9, 4)  # for six
    say(session, question, bob, 0.5, 5)
    resolution = resolve(session, question, alice, "yes", 10, at=11)
    by_hand = 0.4 * (1 - 0.4) ** 2 + 0.6 * (1 - 0.9) ** 2
    assert brier(session, resolution) == pytest.approx({"alice": by_hand, "bob": 0.25}, abs=1e-12)
    stored = {
        (handle, score.protocol): score
        for score, handle in stored_scores.resolution_scores(session, resolution)
    }
    assert stored["alice", "brier_original"].score == pytest.approx(2 * by_hand, abs=1e-12)
    assert stored["alice", "brier_final"].score == pytest.approx(0.01, abs=1e-12)
    assert stored["bob", "brier"].coverage == pytest.approx(0.5, abs=1e-12)
    assert stored["alice", "brier"].updates == 2


@on_both
def test_a_correction_supersedes(session: Session, question: Question, alice: Member) -> None:
    say(session, question, alice, 0.8, 0)
    wrong = resolve(session, question, alice, "no", 5, at=9)
    right = resolve(session, question, alice, "yes", 7, at=10, note="misread")
    assert right.supersedes_id == wrong.id
    assert [row.outcome for row in proposals.history(session, question)] == ["no", "yes"]
    state = state_of(session, question, 11)
    assert state.resolution == right
    assert state.text.actual_close_time == day(7)
    assert brier(session, wrong) == pytest.approx({"alice": 0.64})
    assert brier(session, right) == pytest.approx({"alice": 0.04})


def test_a_close_imported_with_its_resolution_goes_with_it(session: Session, alice: Member) -> None:
    text = registry.question_text(
        title="Imported?", open_time=day(0), scheduled_close_time=day(10), actual_close_time=day(4)
    )
    new = registry.NewQuestion("imported", text)
    [id_] = registry.insert_questions(session, [new], member=alice, now=day(20))
    imported = {"outcome": "yes", "known_at": day(4), "recorded_at": day(20)}
    session.add(Resolution(question_id=id_, state="confirmed", **imported))
    session.flush()
    question = session.get_one(Question, id_)
    resolve(session, question, alice, "yes", 8, at=21)
    assert close_of(session, question) == 8


@dataclass(frozen=True)
class Verdict:
    outcome: str
    known: float | None  # None: not given


VERDICTS = st.lists(
    st.builds(
        Verdict,
        outcome=st.sampled_from(["yes", "no", "annulled", "ambiguous"]),
        known=st.one_of(st.none(), st.integers(1, 24).map(lambda n: n / 2)),
    ),
    min_size=1,
    max_size=6,
)
SAME_AS_BY_HAND = [Verdict("yes", 4), Verdict("yes", 8)]
SUPERSEDED = [Verdict("yes", 4), Verdict("no", 2), Verdict("annulled", 2), Verdict("no", 5)]
BY_HAND = st.lists(st.one_of(st.none(), st.integers(1, 19).map(lambda n: n / 2)), max_size=3)


@settings(max_examples=examples(40))
@example(by_hand=[4], verdicts=SAME_AS_BY_HAND, reworded=9, same_time=False)
@example(by_hand=[6], verdicts=SUPERSEDED, reworded=1, same_time=False)
@given(by_hand=BY_HAND, verdicts=VERDICTS, reworded=st.integers(0, 6), same_time=st.booleans())
def test_after_any_corrections_a_question_closes_at_the_earliest_time_that_still_counts(
    engine: Engine,
    by_hand: list[float | None],
    verdicts: list[Verdict],
    reworded: int,
    same_time: bool,
) -> None:
    """``by_hand``: early closes, None takes one back; ``same_time``: all in the same instant."""
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        question = ask(session, alice)
        closed: float | None = None
        for at in by_hand:
            if at is not None and at != closed:
                revisions.close(session, question, at=day(at), member=alice, now=day(20))
                closed = at
            elif at is None and closed is not None:
                revisions.reopen(session, question, member=alice, now=day(20))
                closed = None
        current: Verdict | None = None
        for number, verdict in enumerate(verdicts):
            now = 20 if same_time else 20 + number
            before = 20.0 if current is None else current.known
            said = Verdict(verdict.outcome, before if verdict.known is None else verdict.known)
            if said == current:
                with pytest.raises(Refused, match="Nothing was changed"):
                    resolve(session, question, alice, said.outcome, verdict.known, at=now)
            else:
                resolve(session, question, alice, said.outcome, verdict.known, at=now)
                current = said
            if number == reworded:
                said_so = {"reason": "closed early", "background": "x"}  # and does not close it
                revisions.revise(session, question, member=alice, now=day(now), **said_so)
            candidates = [10, closed, current.known if current.outcome in ("yes", "no") else None]
            assert close_of(session, question) == min(c for c in candidates if c is not None)


def test_scores_are_a_cache_that_can_be_rebuilt_in_batches(
    session: Session, alice: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        question = ask(session, alice, slug=f"q{number}")
        say(session, question, alice, number / 10, 0)
        resolve(session, question, alice, "no", 10, at=10)

    def rows() -> list[tuple[object, ...]]:
        return sorted(
            (s.resolution_id, s.member_id, s.protocol, s.score, s.coverage, s.updates)
            for s in session.exec(select(Score))
        )

    before = rows()
    session.expire_all()
    monkeypatch.setattr("forecasts.questions.standing.BATCH", 2)
    assert scores.rebuild(session) == scores.Rebuilt(15, 5, scoring.__version__)
    assert rows() == before


def test_multiple_choice_is_scored_over_all_options(session: Session, alice: Member) -> None:
    question = ask(session, alice, type="multiple_choice", options=["a", "b", "c"])
    value = Value(probabilities=(0.5, 0.3, 0.2))
    updates.update(session, question, value, member=alice, now=day(0))
    resolution = resolve(session, question, alice, "b", 10, at=10)
    by_hand = (0.5**2 + 0.7**2 + 0.2**2) / 2
    assert brier(session, resolution) == pytest.approx({"alice": by_hand})


@on_both
def test_no_second_first_confirmation(session: Session, question: Question, alice: Member) -> None:
    first = resolve(session, question, alice, "yes", 5, at=6)
    known = {"known_at": day(5), "recorded_at": day(6)}
    session.add(Resolution(question_id=first.question_id, state="confirmed", outcome="no", **known))
    with pytest.raises(IntegrityError):
        session.flush()
    session.rollback()


def test_a_correction_keeps_the_time(session: Session, question: Question, alice: Member) -> None:
    resolve(session, question, alice, "no", 5, at=6)
    assert resolve(session, question, alice, "yes", at=8).known_at == day(5)
    with pytest.raises(Refused, match=r"already resolved: yes.*Nothing was changed"):
        resolve(session, question, alice, "yes", at=9)
    assert resolve(session, question, alice, "yes", 7, at=9).known_at == day(7)


def test_a_resolution_that_the_member_has_not_seen_is_not_corrected(
    session: Session, question: Question, alice: Member, bob: Member
) -> None:
    first = resolve(session, question, alice, "yes", 4, at=8, expected=None)
    with pytest.raises(Refused, match="meanwhile: yes, known at 2026-01-05 00:00 UTC"):
        resolve(session, question, bob, "no", at=9, expected=None)
    second = resolve(session, question, bob, "no", at=9, expected=first)
    assert second.supersedes_id == first.id
    with pytest.raises(Refused, match="was resolved meanwhile: no"):
        resolve(session, question, alice, "annulled", at=9, expected=first)
    resolve(session, question, alice, "annulled", at=9)  # nothing is expected


def test_the_impossible_is_refused(session: Session, question: Question, alice: Member) -> None:
    for outcome, known, error, words in (
        ("maybe", 5, BadInput, "not an outcome"),
        ("yes", 12, Refused, "cannot be known at"),
        ("yes", 0, Refused, "not after 'rain' opened"),
    ):
        with pytest.raises(error, match=words):
            resolve(session, question, alice, outcome, known, at=11)
    assert proposals.history(session, question) == []


def test_a_date_is_an_outcome_once_it_has_come(session: Session, alice: Member) -> None:
    bounds = {"lower_bound": "2026-01-01", "upper_bound": "2026-12-31"}
    question = ask(session, alice, type="date", scheduled_close_time=day(300), **bounds)
    for ahead in ("2026-01-10T12:00:01Z", "2026-01-11", "2027-06-01"):
        with pytest.raises(Refused, match="lies ahead"):
            resolve(session, question, alice, ahead, at=9.5)
        with pytest.raises(Refused, match="lies ahead"):
            proposals.propose(session, question, ahead, now=day(9.5), member=alice)
    named = ("below_lower_bound", "above_upper_bound", "annulled")
    for outcome in ("2026-01-09", "2026-01-10", "2026-01-10T12:00:00Z", *named):
        assert resolve(session, question, alice, outcome, at=9.5)


@pytest.mark.parametrize(
    ("beyond", "on_bound"), [("below_lower_bound", "0"), ("above_upper_bound", "10")]
)
def test_an_outcome_beyond_the_bounds_scores_as_one_on_the_bound(
    session: Session, alice: Member, beyond: str, on_bound: str
) -> None:
    for slug, outcome in (("beyond", beyond), ("on-it", on_bound)):
        question = ask(session, alice, slug=slug, type="numeric", lower_bound="0", upper_bound="10")
        value = Value(quantiles={"0.2": 3, "0.9": 8})
        updates.update(session, question, value, member=alice, now=day(0))
        resolve(session, question, alice, outcome, 9, at=9)
    one, other = scoring.score(*scoring_frames(session), ["crps"])["score"]
    assert one == pytest.approx(other, abs=1e-12)


def test_forecasts_from_the_time_on_do_not_count_and_are_counted(
    session: Session, question: Question, alice: Member, bob: Member
) -> None:
    say(session, question, alice, 0.5, 1)
    for at in (4, 5):
        say(session, question, bob, 0.99, at)
    updates.withdraw(session, question, member=bob, now=day(6))
    before = state_of(session, question, 7)
    late = late_forecasts(session, before, "yes", day(4))
    assert late == LateForecasts(2, 1)
    assert late.sentence == (
        "2 forecasts by 1 member no longer count: made after the outcome was known."
    )
    settled = confirmation.confirm(
        session, question, "yes", known_at=day(4), now=day(7), member=alice
    )
    assert (settled.before, settled.left_out) == (None, late)
    assert {handle for _, handle in resolution_scores(session, settled.resolution)} == {"alice"}


def test_a_time_moved_back_counts_only_those_that_counted_before(
    session: Session, question: Question, alice: Member, bob: Member
) -> None:
    say(session, question, alice, 0.5, 1)
    say(session, question, bob, 0.6, 3)
    say(session, question, bob, 0.99, 5)
    first, second = (
        confirmation.confirm(session, question, "yes", known_at=day(at), now=day(6), member=alice)
        for at in (4, 2)
    )
    assert second.before == first.resolution
    assert second.left_out == LateForecasts(1, 1)


def test_nothing_may_be_left_out(session: Session, question: Question, alice: Member) -> None:
    say(session, question, alice, 0.5, 5)
    before = state_of(session, question, 6)
    assert late_forecasts(session, before, "annulled", day(2)).sentence == ""
    assert late_forecasts(session, before, "yes", day(5.5)).forecasts == 0
    settled = confirmation.confirm(session, question, "annulled", now=day(6), member=alice)
    assert settled.left_out.forecasts == 0
