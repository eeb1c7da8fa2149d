from dataclasses import dataclass
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlmodel import Session, select

import scoring
from forecasts.access.members import member_or_new
from forecasts.common.errors import Refused
from forecasts.ledger import database
from forecasts.ledger.models import Member, Question, Resolution, Score
from forecasts.questions import registry, revisions
from forecasts.questions import standing as question_standing
from forecasts.questions.standing import Status
from forecasts.resolution import confirmation, resolutions
from forecasts.scores import scores, stored_scores
from forecasts.updates import updates
from forecasts.values.value import Value
from tests.conftest import ask, day
from tests.examples import examples

pytestmark = pytest.mark.slow


def say(session: Session, question: Question, member: Member, p: float, at: float) -> None:
    updates.update(session, question, Value(probability=p), member=member, now=day(at))


def brier(session: Session, resolution: Resolution) -> dict[str, float]:
    return {
        handle: score.score
        for score, handle in stored_scores.resolution_scores(session, resolution)
        if score.protocol == "brier"
    }


def test_confirming_scores_every_forecaster_by_the_time_each_forecast_stood(
    session: Session, question: Question, alice: Member, bob: Member
) -> None:
    say(session, question, alice, 0.4, 0)  # stands for four days
    say(session, question, alice, 0.9, 4)  # stands for six
    say(session, question, bob, 0.5, 5)
    resolution = confirmation.confirm(
        session, question, "yes", known_at=day(10), now=day(11), member=alice
    ).resolution
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


def test_a_question_closes_when_its_outcome_became_known(
    session: Session, question: Question, alice: Member
) -> None:
    say(session, question, alice, 0.5, 0)
    say(session, question, alice, 1.0, 8)  # hindsight: the outcome was known on day 5
    resolution = confirmation.confirm(
        session, question, "yes", known_at=day(5), now=day(9), member=alice
    ).resolution
    assert brier(session, resolution) == {"alice": 0.25}
    assert registry.newest_wording(session, question).actual_close_time == day(5)


def test_a_correction_supersedes_and_both_resolutions_stay_readable(
    session: Session, question: Question, alice: Member
) -> None:
    say(session, question, alice, 0.8, 0)
    wrong = confirmation.confirm(
        session, question, "no", known_at=day(5), now=day(9), member=alice
    ).resolution
    right = confirmation.confirm(
        session, question, "yes", known_at=day(7), now=day(10), member=alice, note="misread"
    ).resolution
    assert right.supersedes_id == wrong.id
    assert [row.outcome for row in resolutions.history(session, question)] == ["no", "yes"]
    state = question_standing.current_state(session, question, now=day(11))
    assert state.resolution == right
    assert state.text.actual_close_time == day(7)
    assert brier(session, wrong) == pytest.approx({"alice": 0.64})
    assert brier(session, right) == pytest.approx({"alice": 0.04})


def close_of(session: Session, question: Question) -> float:
    closes = registry.newest_wording(session, question).close_time
    return (closes - day(0)) / timedelta(days=1)


def test_a_close_by_hand_outlasts_a_correction(
    session: Session, question: Question, alice: Member
) -> None:
    revisions.close(session, question, at=day(3), member=alice, now=day(3))
    for outcome, known in (("no", 5.0), ("yes", 7.0)):
        confirmation.confirm(
            session, question, outcome, known_at=day(known), now=day(9), member=alice
        )
        assert close_of(session, question) == 3


def test_the_close_is_as_it_was_once_what_was_known_earlier_is_corrected(
    session: Session, question: Question, alice: Member
) -> None:
    revisions.close(session, question, at=day(6), member=alice, now=day(6))
    steps = [("yes", 4.0, 4), ("yes", 8.0, 6), ("no", 2.0, 2), ("annulled", 2.0, 6), ("no", 5.0, 5)]
    for number, (outcome, known, closes) in enumerate(steps):
        now = day(9 + number / 10)
        confirmation.confirm(session, question, outcome, known_at=day(known), now=now, member=alice)
        assert close_of(session, question) == closes


def test_a_close_by_hand_at_the_moment_when_the_outcome_was_known_is_by_hand_all_the_same(
    session: Session, question: Question, alice: Member
) -> None:
    revisions.close(session, question, at=day(4), member=alice, now=day(4))
    confirmation.confirm(session, question, "yes", known_at=day(4), now=day(4), member=alice)
    confirmation.confirm(session, question, "yes", known_at=day(8), now=day(9), member=alice)
    assert close_of(session, question) == 4


def test_a_new_wording_in_between_does_not_hide_where_a_close_comes_from(
    session: Session, question: Question, alice: Member
) -> None:
    confirmation.confirm(session, question, "yes", known_at=day(4), now=day(5), member=alice)
    revisions.revise(
        session, question, member=alice, now=day(6), reason="closed early", title="Did it rain?"
    )
    assert close_of(session, question) == 4
    confirmation.confirm(session, question, "annulled", now=day(7), member=alice)
    assert close_of(session, question) == 10


def test_a_close_that_an_import_brought_with_its_resolution_goes_with_it(
    session: Session, alice: Member
) -> None:
    text = registry.question_text(
        title="Imported?",
        open_time=day(0),
        scheduled_close_time=day(10),
        actual_close_time=day(4),
    )
    new = registry.NewQuestion("imported", text)
    [question] = registry.insert_questions(session, [new], member=alice, now=day(20))
    assert question.id is not None
    imported = {"outcome": "yes", "known_at": day(4), "recorded_at": day(20)}
    session.add(Resolution(question_id=question.id, state="confirmed", **imported))
    session.flush()
    confirmation.confirm(session, question, "yes", known_at=day(8), now=day(21), member=alice)
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
BY_HAND = st.lists(st.one_of(st.none(), st.integers(1, 19).map(lambda n: n / 2)), max_size=3)


@settings(max_examples=examples(40))
@given(by_hand=BY_HAND, verdicts=VERDICTS, reworded=st.integers(0, 6), still=st.booleans())
def test_however_it_was_resolved_and_corrected_a_question_closes_at_the_earliest_that_still_holds(
    engine: Engine,
    by_hand: list[float | None],
    verdicts: list[Verdict],
    reworded: int,
    still: bool,
) -> None:
    """``by_hand``: early closes, None takes one back; ``still``: all in the same instant."""
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
        standing: Verdict | None = None
        for number, verdict in enumerate(verdicts):
            now = day(20 if still else 20 + number)
            before = 20.0 if standing is None else standing.known
            said = Verdict(verdict.outcome, before if verdict.known is None else verdict.known)
            known = None if verdict.known is None else day(verdict.known)
            if said == standing:
                with pytest.raises(Refused, match="Nothing was changed"):
                    confirmation.confirm(
                        session, question, said.outcome, known_at=known, now=now, member=alice
                    )
            else:
                confirmation.confirm(
                    session, question, said.outcome, known_at=known, now=now, member=alice
                )
                standing = said
            if number == reworded:
                revisions.revise(
                    session, question, member=alice, now=now, reason="x", background="x"
                )
            candidates = [10, closed, standing.known if standing.outcome in ("yes", "no") else None]
            assert close_of(session, question) == min(c for c in candidates if c is not None)


def test_resolving_twice_with_the_same_words_is_refused(
    session: Session, question: Question, alice: Member
) -> None:
    confirmation.confirm(session, question, "yes", known_at=day(5), now=day(6), member=alice)
    with pytest.raises(Refused, match="already resolved: yes"):
        confirmation.confirm(session, question, "yes", known_at=day(5), now=day(7), member=alice)


def test_annulling_leaves_no_scores(session: Session, question: Question, alice: Member) -> None:
    say(session, question, alice, 0.5, 1)
    resolution = confirmation.confirm(
        session, question, "annulled", now=day(6), member=alice, note="badly worded"
    ).resolution
    assert brier(session, resolution) == {}
    assert question_standing.current_state(session, question, now=day(7)).status == Status.annulled


def test_scores_are_a_cache_that_can_be_made_anew(
    session: Session, question: Question, alice: Member
) -> None:
    say(session, question, alice, 0.25, 2)
    confirmation.confirm(session, question, "no", known_at=day(6), now=day(6), member=alice)

    def rows() -> list[tuple[object, ...]]:
        return [
            (s.resolution_id, s.member_id, s.protocol, s.score, s.coverage, s.updates)
            for s in session.exec(select(Score)).all()
        ]

    before = rows()
    session.expire_all()
    assert scores.rebuild(session).scores == len(before) == 3
    assert rows() == before


def test_a_multiple_choice_question_is_scored_over_all_options(
    session: Session, alice: Member
) -> None:
    question = ask(session, alice, type="multiple_choice", options=["a", "b", "c"])
    updates.update(
        session, question, Value(probabilities=(0.5, 0.3, 0.2)), member=alice, now=day(0)
    )
    resolution = confirmation.confirm(
        session, question, "b", known_at=day(10), now=day(10), member=alice
    ).resolution
    by_hand = (0.5**2 + 0.7**2 + 0.2**2) / 2
    assert brier(session, resolution) == pytest.approx({"alice": by_hand})


def test_the_database_allows_one_first_confirmation_a_question(
    session: Session, question: Question, alice: Member
) -> None:
    from sqlalchemy.exc import IntegrityError

    first = confirmation.confirm(
        session, question, "yes", known_at=day(5), now=day(6), member=alice
    ).resolution
    session.add(
        Resolution(
            question_id=first.question_id,
            state="confirmed",
            outcome="no",
            known_at=day(5),
            recorded_at=day(6),
        )
    )
    with pytest.raises(IntegrityError):
        session.flush()
    session.rollback()


def test_a_correction_keeps_when_the_outcome_was_known_unless_it_is_told(
    session: Session, question: Question, alice: Member
) -> None:
    confirmation.confirm(session, question, "no", known_at=day(5), now=day(6), member=alice)
    kept = confirmation.confirm(session, question, "yes", now=day(8), member=alice).resolution
    assert kept.known_at == day(5)
    with pytest.raises(Refused, match="Nothing was changed"):
        confirmation.confirm(session, question, "yes", now=day(9), member=alice)
    told = confirmation.confirm(
        session, question, "yes", known_at=day(7), now=day(9), member=alice
    ).resolution
    assert told.known_at == day(7)


def test_more_resolutions_are_scored_than_one_statement_takes(
    session: Session, alice: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        question = ask(session, alice, slug=f"q{number}")
        say(session, question, alice, number / 10, 0)
        confirmation.confirm(session, question, "no", known_at=day(10), now=day(10), member=alice)
    before = sorted(session.exec(select(Score.score)))
    monkeypatch.setattr(question_standing, "_BATCH", 2)
    assert scores.rebuild(session) == scores.Rebuilt(15, 5, scoring.__version__)
    assert sorted(session.exec(select(Score.score))) == before


@pytest.mark.parametrize("by_id", [True, False])
def test_what_was_resolved_meanwhile_is_not_corrected_unseen(
    session: Session, question: Question, alice: Member, bob: Member, by_id: bool
) -> None:
    first = confirmation.confirm(
        session, question, "yes", known_at=day(4), now=day(8), member=alice, expected=None
    ).resolution
    with pytest.raises(Refused, match="meanwhile: yes, known at 2026-01-05 00:00 UTC"):
        confirmation.confirm(session, question, "no", now=day(9), member=bob, expected=None)
    seen = first.id if by_id else first
    second = confirmation.confirm(
        session, question, "no", now=day(9), member=bob, expected=seen
    ).resolution
    assert second.supersedes_id == first.id
    with pytest.raises(Refused, match="was resolved meanwhile: no"):
        confirmation.confirm(session, question, "annulled", now=day(9), member=alice, expected=seen)
    confirmation.confirm(session, question, "annulled", now=day(9), member=alice)  # not asked
