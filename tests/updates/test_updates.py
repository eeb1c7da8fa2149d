import pytest
from sqlmodel import Session, select

from forecasts.common.errors import BadInput, LedgerError, Refused
from forecasts.ledger.models import (
    Citation,
    Evidence,
    Forecast,
    Member,
    Question,
    Stance,
)
from forecasts.questions import registry
from forecasts.resolution import confirmation, proposals
from forecasts.updates import updates
from forecasts.updates.evidence import CitedEvidence
from forecasts.values.value import Value
from tests.conftest import ask, day


def say(session: Session, question: Question, member: Member, p: float, at: float) -> Forecast:
    return updates.update(
        session, question, Value(probability=p), member=member, now=day(at)
    ).forecast


def test_an_update_is_a_new_row_and_the_earlier_one_stays(
    session: Session, question: Question, alice: Member
) -> None:
    say(session, question, alice, 0.3, 1)
    say(session, question, alice, 0.6, 2)
    path = updates.history(session, question)
    assert [(row.probability, handle) for row, handle in path] == [(0.3, "alice"), (0.6, "alice")]
    standing = updates.current_forecast(session, question, alice, at=day(1.5))
    assert standing is not None
    assert standing.probability == 0.3


def test_a_probability_of_exactly_0_is_a_forecast_like_any_other(
    session: Session, question: Question, alice: Member
) -> None:
    say(session, question, alice, 0.0, 1)
    standing = updates.current_forecast(session, question, alice, at=day(2))
    assert standing is not None
    assert standing.probability == 0.0


@pytest.mark.parametrize("p", [1.5, -0.1, float("nan"), float("inf")])
def test_a_value_that_is_no_probability_is_refused_and_nothing_is_written(
    session: Session, question: Question, alice: Member, p: float
) -> None:
    with pytest.raises(Refused, match="from 0 to 1"):
        say(session, question, alice, p, 1)
    assert updates.history(session, question) == []


def test_an_update_before_the_question_opens_is_refused_with_both_times(
    session: Session, alice: Member
) -> None:
    question = ask(session, alice, open_time=day(2))
    with pytest.raises(Refused, match=r"opens at 2026-01-03.*it is 2026-01-02"):
        say(session, question, alice, 0.5, 1)


@pytest.mark.parametrize("at", [10, 11])
def test_an_update_from_the_close_on_is_refused(
    session: Session, question: Question, alice: Member, at: float
) -> None:
    with pytest.raises(Refused, match="closed at 2026-01-11"):
        say(session, question, alice, 0.5, at)


def test_an_update_on_a_resolved_question_is_refused(
    session: Session, question: Question, alice: Member
) -> None:
    confirmation.confirm(session, question, "yes", known_at=day(3), now=day(3), member=alice)
    with pytest.raises(Refused, match=r"resolved \(yes\)"):
        say(session, question, alice, 0.5, 4)


def test_a_proposal_does_not_stop_forecasting_while_the_question_is_open(
    session: Session, question: Question, alice: Member
) -> None:
    proposals.propose(session, question, "yes", known_at=day(3), now=day(3), member=alice)
    assert say(session, question, alice, 0.5, 4).probability == 0.5


def test_a_vector_on_a_binary_question_is_refused(
    session: Session, question: Question, alice: Member
) -> None:
    with pytest.raises(Refused, match="takes probability"):
        updates.update(session, question, Value(probabilities=(0.5, 0.5)), member=alice, now=day(1))


def test_withdrawing_ends_the_standing_forecast_and_keeps_the_path(
    session: Session, question: Question, alice: Member
) -> None:
    say(session, question, alice, 0.3, 1)
    updates.withdraw(session, question, member=alice, now=day(2))
    assert updates.current_forecast(session, question, alice, at=day(3)) is None
    assert len(updates.history(session, question)) == 2
    with pytest.raises(Refused, match="nothing to withdraw"):
        updates.withdraw(session, question, member=alice, now=day(3))


def test_evidence_is_stored_with_the_update_and_shared_by_its_address(
    session: Session, question: Question, alice: Member, bob: Member
) -> None:
    url = "https://example.org/forecast"
    for member, stance in ((alice, Stance.supports), (bob, Stance.opposes)):
        updates.update(
            session,
            question,
            Value(probability=0.4),
            member=member,
            now=day(1),
            evidence=[
                CitedEvidence(url=url, stance=stance),
                CitedEvidence(note="It rained last year."),
            ],
        )
    assert len(session.exec(select(Evidence)).all()) == 2
    cited = updates.evidence_of(session, question)
    # A first forecast of 40% is a move down from 50%, so the note opposes yes.
    stances = [[citation.stance for citation, _ in cited[row]] for row in sorted(cited)]
    assert stances == [["supports", "opposes"], ["opposes", "opposes"]]


@pytest.mark.parametrize(
    ("evidence", "rule"),
    [
        ([CitedEvidence()], "needs a URL, a title or a note"),
        ([CitedEvidence(url="javascript:alert(1)")], "not a web address"),
        ([CitedEvidence(note="a"), CitedEvidence(note="a")], "cited twice"),
        ([CitedEvidence(note="a", share=-1)], r"from 0 to 1; -1 is not"),
        ([CitedEvidence(note="a", share=float("nan"))], r"from 0 to 1; nan is not"),
        (
            [CitedEvidence(note="a", share=0.7), CitedEvidence(note="b", share=0.6)],
            r"sum to 1\.3, and they may sum to 1 \(100%\) at most",
        ),
    ],
)
def test_an_update_whose_evidence_is_refused_leaves_nothing_behind(
    engine, evidence: list[CitedEvidence], rule: str
) -> None:
    from forecasts.access.members import member_or_new
    from forecasts.ledger import database

    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        question = ask(session, alice, slug="rain")
    with pytest.raises(LedgerError, match=rule), database.writing(engine) as session:
        updates.update(
            session,
            question,
            Value(probability=0.5),
            member=alice,
            now=day(1),
            evidence=evidence,
        )
    with database.reading(engine) as session:
        assert session.exec(select(Forecast)).all() == []
        assert session.exec(select(Citation)).all() == []
        assert session.exec(select(Evidence)).all() == []


def test_a_question_that_does_not_exist_is_named(session: Session) -> None:
    with pytest.raises(LedgerError, match="no question 'nowhere'"):
        registry.find(session, "nowhere")


def test_a_naive_time_is_refused(session: Session, question: Question, alice: Member) -> None:
    from forecasts.common.times import read_time

    with pytest.raises(BadInput, match="no time zone"):
        read_time("2026-01-02T10:00:00")
