import pytest
from sqlmodel import Session, select

from forecasts import questions, resolutions, revisions, scores, updates
from forecasts.errors import BadInput, Refused
from forecasts.models import Member, Question, Resolution, Score
from forecasts.questions import Status
from forecasts.values import Value
from tests.conftest import ask, day


def say(session: Session, question: Question, member: Member, p: float, at: float) -> None:
    updates.update(session, question, Value(probability=p), member=member, now=day(at))


def brier(session: Session, resolution: Resolution) -> dict[str, float]:
    return {
        handle: score.score
        for score, handle in scores.of_question(session, resolution)
        if score.protocol == "brier"
    }


def test_confirming_scores_every_forecaster_by_the_time_each_forecast_stood(
    session: Session, question: Question, alice: Member, bob: Member
) -> None:
    say(session, question, alice, 0.4, 0)  # stands for four days
    say(session, question, alice, 0.9, 4)  # stands for six
    say(session, question, bob, 0.5, 5)
    resolution = resolutions.confirm(
        session, question, "yes", known_at=day(10), now=day(11), member=alice
    )
    by_hand = 0.4 * (1 - 0.4) ** 2 + 0.6 * (1 - 0.9) ** 2
    assert brier(session, resolution) == pytest.approx({"alice": by_hand, "bob": 0.25}, abs=1e-12)
    stored = {
        (handle, score.protocol): score for score, handle in scores.of_question(session, resolution)
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
    resolution = resolutions.confirm(
        session, question, "yes", known_at=day(5), now=day(9), member=alice
    )
    assert brier(session, resolution) == {"alice": 0.25}
    assert questions.wording(session, question).actual_close_time == day(5)


def test_a_correction_supersedes_and_both_resolutions_stay_readable(
    session: Session, question: Question, alice: Member
) -> None:
    say(session, question, alice, 0.8, 0)
    wrong = resolutions.confirm(session, question, "no", known_at=day(5), now=day(9), member=alice)
    right = resolutions.confirm(
        session, question, "yes", known_at=day(7), now=day(10), member=alice, note="misread"
    )
    assert right.supersedes_id == wrong.id
    assert [row.outcome for row in resolutions.history(session, question)] == ["no", "yes"]
    stands = questions.as_it_stands(session, question, now=day(11))
    assert stands.resolution == right
    assert stands.text.actual_close_time == day(7)
    assert brier(session, wrong) == pytest.approx({"alice": 0.64})
    assert brier(session, right) == pytest.approx({"alice": 0.04})


def test_a_close_by_hand_outlasts_a_correction(
    session: Session, question: Question, alice: Member
) -> None:
    revisions.close(session, question, at=day(3), member=alice, now=day(3))
    for outcome, known in (("no", 5.0), ("yes", 7.0)):
        resolutions.confirm(
            session, question, outcome, known_at=day(known), now=day(9), member=alice
        )
        assert questions.wording(session, question).actual_close_time == day(3)


def test_resolving_twice_with_the_same_words_is_refused(
    session: Session, question: Question, alice: Member
) -> None:
    resolutions.confirm(session, question, "yes", known_at=day(5), now=day(6), member=alice)
    with pytest.raises(Refused, match="already resolved: yes"):
        resolutions.confirm(session, question, "yes", known_at=day(5), now=day(7), member=alice)


def test_annulling_leaves_no_scores(session: Session, question: Question, alice: Member) -> None:
    say(session, question, alice, 0.5, 1)
    resolution = resolutions.confirm(
        session, question, "annulled", now=day(6), member=alice, note="badly worded"
    )
    assert brier(session, resolution) == {}
    assert questions.as_it_stands(session, question, now=day(7)).status == Status.annulled


@pytest.mark.parametrize(
    ("outcome", "known", "error", "words"),
    [
        ("maybe", 5, BadInput, "not an outcome"),
        ("yes", 12, Refused, "cannot be known at"),
        ("yes", 0, Refused, "before 'rain' opened"),
    ],
)
def test_a_resolution_that_cannot_be_is_refused(
    session: Session,
    question: Question,
    alice: Member,
    outcome: str,
    known: float,
    error: type[Exception],
    words: str,
) -> None:
    with pytest.raises(error, match=words):
        resolutions.confirm(
            session, question, outcome, known_at=day(known), now=day(11), member=alice
        )
    assert resolutions.history(session, question) == []


def test_a_proposal_waits_until_somebody_accepts_it(
    session: Session, question: Question, alice: Member
) -> None:
    proposal = resolutions.propose(
        session, question, "yes", known_at=day(5), now=day(6), member=alice
    )
    assert questions.as_it_stands(session, question, now=day(6)).status == Status.proposed
    assert [row for row, _ in resolutions.open_proposals(session)] == [proposal]
    resolutions.accept(session, proposal, now=day(7), member=alice)
    assert questions.as_it_stands(session, question, now=day(7)).status == Status.resolved
    assert resolutions.open_proposals(session) == []
    with pytest.raises(Refused, match="decided already"):
        resolutions.accept(session, proposal, now=day(8), member=alice)


def test_a_proposal_that_was_overtaken_by_a_resolution_cannot_overturn_it(
    session: Session, question: Question, alice: Member
) -> None:
    proposal = resolutions.propose(
        session, question, "no", known_at=day(5), now=day(6), member=alice
    )
    resolutions.confirm(session, question, "yes", known_at=day(5), now=day(7), member=alice)
    assert resolutions.open_proposals(session) == []
    with pytest.raises(Refused, match="resolved since"):
        resolutions.accept(session, proposal, now=day(8), member=alice)


def test_a_rejected_proposal_leaves_the_question_awaiting(
    session: Session, question: Question, alice: Member
) -> None:
    proposal = resolutions.propose(
        session, question, "yes", known_at=day(9), now=day(11), member=alice
    )
    with pytest.raises(Refused, match="takes a reason"):
        resolutions.reject(session, proposal, now=day(12), member=alice, note=" ")
    resolutions.reject(session, proposal, now=day(12), member=alice, note="no such report")
    assert questions.as_it_stands(session, question, now=day(12)).status == Status.awaiting
    assert [row.state for row in resolutions.history(session, question)] == ["proposed", "rejected"]


def test_scores_are_a_cache_that_can_be_made_anew(
    session: Session, question: Question, alice: Member
) -> None:
    say(session, question, alice, 0.25, 2)
    resolutions.confirm(session, question, "no", known_at=day(6), now=day(6), member=alice)

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
    resolution = resolutions.confirm(
        session, question, "b", known_at=day(10), now=day(10), member=alice
    )
    by_hand = (0.5**2 + 0.7**2 + 0.2**2) / 2
    assert brier(session, resolution) == pytest.approx({"alice": by_hand})


def test_the_database_allows_one_first_confirmation_a_question(
    session: Session, question: Question, alice: Member
) -> None:
    from sqlalchemy.exc import IntegrityError

    first = resolutions.confirm(session, question, "yes", known_at=day(5), now=day(6), member=alice)
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
