"""Updates, withdrawals and undos: each a new row, while the question is open."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select

from forecasts.access.members import member_or_new
from forecasts.common.errors import LedgerError, NotFound, Refused
from forecasts.ledger import database
from forecasts.ledger.models import Citation, Evidence, Forecast, Member, Question, Stance
from forecasts.resolution import confirmation, proposals
from forecasts.updates import updates
from forecasts.updates.evidence import CitedEvidence
from forecasts.values.value import Value, value_of
from tests.conftest import ask, day, on_both


def say(session: Session, question: Question, member: Member, p: float, at: float) -> updates.Saved:
    return updates.update(session, question, Value(probability=p), member=member, now=day(at))


@on_both
def test_an_update_is_a_new_row(session: Session, question: Question, alice: Member) -> None:
    first, second = (say(session, question, alice, p, at) for p, at in ((0.0, 1), (0.6, 2)))
    assert (first.before, second.before) == (None, first.forecast)
    path = updates.history(session, question)
    assert [(row.probability, handle) for row, handle in path] == [(0.0, "alice"), (0.6, "alice")]
    assert updates.current_forecast(session, question, alice, at=day(1.5)) == first.forecast


def test_a_repeat_writes_nothing(session: Session, question: Question, alice: Member) -> None:
    by = {"member": alice, "now": day(1), "once": True}
    first = updates.update(session, question, Value(probability=0.3), **by)
    again = updates.update(session, question, Value(probability=0.3), **by)
    assert (again.forecast, again.before) == (first.forecast, first.forecast)
    assert len(updates.history(session, question)) == 1
    later = by | {"now": day(1) + updates.REPEATED_WITHIN}  # meant as a forecast of its own
    updates.update(session, question, Value(probability=0.3), **later)
    assert len(updates.history(session, question)) == 2


@on_both
def test_a_day_has_so_many_forecasts_of_a_member_on_a_question(
    session: Session, question: Question, alice: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORECASTS_DAILY_FORECASTS", "3")
    by = {"member": alice, "now": day(1)}
    two = [updates.NewForecast(question, Value(probability=p)) for p in (0.2, 0.3)]
    updates.update_all(session, two, **by)
    assert [error is None for error in updates.refusals(session, two, **by)] == [True, False]
    with pytest.raises(Refused, match="at most 3"):
        updates.update_all(session, two, **by)
    last = say(session, question, alice, 0.4, 1)
    once = updates.update(session, question, Value(probability=0.4), once=True, **by)
    assert once.forecast == last.forecast  # a repeated request gets its answer
    with pytest.raises(Refused, match=r"3 forecasts .* FORECASTS_DAILY_FORECASTS") as refused:
        say(session, question, alice, 0.5, 1.9)
    assert refused.value.code == "daily_limit"
    say(session, question, member_or_new(session, "bob", now=day(1)), 0.5, 1.9)
    updates.withdraw(session, question, member=alice, now=day(1.9))
    say(session, question, alice, 0.5, 2.1)


def test_an_invalid_value_is_refused(session: Session, question: Question, alice: Member) -> None:
    for value, words in (
        (Value(1.5), "from 0 to 1"), (Value(-0.1), "from 0 to 1"),
        (Value(float("nan")), "from 0 to 1"), (Value(float("inf")), "from 0 to 1"),
        (Value(probabilities=(0.5, 0.5)), "takes probability"),
    ):  # fmt: skip
        with pytest.raises(Refused, match=words):
            updates.update(session, question, value, member=alice, now=day(1))
        assert updates.history(session, question) == []


def test_updates_need_an_open_question(session: Session, alice: Member) -> None:
    question = ask(session, alice, open_time=day(2))
    too_early = r"opens at 2026-01-03.*it is 2026-01-02"
    for at, words in ((1, too_early), (10, "at 2026-01-11"), (11, "at 2026-01-11")):
        with pytest.raises(Refused, match=words):
            say(session, question, alice, 0.5, at)


def test_only_an_outcome_ends_updates(session: Session, question: Question, alice: Member) -> None:
    proposals.propose(
        session, question, "yes", known_at=day(3), now=day(3), member=alice, note="The gazette."
    )
    assert say(session, question, alice, 0.5, 4).forecast.probability == 0.5
    confirmation.confirm(session, question, "yes", known_at=day(5), now=day(5), member=alice)
    with pytest.raises(Refused, match=r"resolved \(yes\)"):
        say(session, question, alice, 0.5, 6)


@on_both
def test_a_withdrawal_keeps_history(session: Session, question: Question, alice: Member) -> None:
    made = say(session, question, alice, 0.3, 1)
    ended = updates.withdraw(session, question, member=alice, now=day(2))
    assert (ended.before, ended.forecast.withdrawn) == (made.forecast, True)
    assert updates.current_forecast(session, question, alice, at=day(3)) is None
    assert len(updates.history(session, question)) == 2
    with pytest.raises(Refused, match="nothing to withdraw"):
        updates.withdraw(session, question, member=alice, now=day(3))


@on_both
def test_evidence_is_stored_with_the_update_and_shared_by_its_address(
    session: Session, question: Question, alice: Member, bob: Member
) -> None:
    url = "https://example.org/forecast"
    for member, stance in ((alice, Stance.supports), (bob, Stance.opposes)):
        given = [CitedEvidence(url=url, stance=stance), CitedEvidence(note="It rained last year.")]
        saved = updates.update(
            session, question, Value(probability=0.4), member=member, now=day(1), evidence=given
        )
        assert [one.stance for one in saved.cited] == [stance, Stance.opposes]
        assert saved.outcome == "yes"
    assert len(session.exec(select(Evidence)).all()) == 2
    cited = updates.evidence_of(session, question)
    # A first forecast of 40% is a move down from 50%, so the note opposes yes.
    stances = [[citation.stance for citation, _ in cited[row]] for row in sorted(cited)]
    assert stances == [["supports", "opposes"], ["opposes", "opposes"]]


@on_both
def test_bad_evidence_is_refused(engine: Engine) -> None:
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        question = ask(session, alice, slug="rain")
    by = {"member": alice, "now": day(1)}
    for evidence, rule in (
        ([CitedEvidence()], "needs a URL, a title or a note"),
        ([CitedEvidence(url="javascript:alert(1)")], "not a web address"),
        ([CitedEvidence(note="a"), CitedEvidence(note="a")], "cited twice"),
        ([CitedEvidence(note="a", share=-1)], r"from 0 to 1; -1 is not"),
        ([CitedEvidence(note="a", share=float("nan"))], r"from 0 to 1; nan is not"),
        ([CitedEvidence(note="a", share=0.7), CitedEvidence(note="b", share=0.6)],
         r"sum to 1\.3, and they may sum to 1 \(100%\) at most"),
    ):  # fmt: skip
        with pytest.raises(LedgerError, match=rule), database.writing(engine) as session:
            updates.update(session, question, Value(probability=0.5), evidence=evidence, **by)
        with database.reading(engine) as session:
            for kind in (Forecast, Citation, Evidence):
                assert session.exec(select(kind)).all() == []


# Undo: a new row with the value before, or a withdrawal; the mistake stays.


def test_an_undo_enters_the_value_before_again(session: Session, alice: Member) -> None:
    question = ask(session, alice, slug="harbour", type="numeric", lower_bound="0", upper_bound="9")
    right, wrong = Value(quantiles={"0.1": 2.0, "0.9": 8.0}), Value(quantiles={"0.5": 7.0})
    updates.update(session, question, right, member=alice, now=day(1))
    mistake = updates.update(session, question, wrong, member=alice, now=day(2)).forecast
    updates.undo(session, mistake.id, member=alice, now=day(3))
    path = [row for row, _ in updates.history(session, question)]
    assert [row.made_at for row in path] == [day(1), day(2), day(3)]
    assert [value_of(row) for row in path] == [right, wrong, right]
    assert path[2].rationale == "Undoes the forecast of 2026-01-03 00:00 UTC."


@pytest.mark.parametrize("withdrawn", [False, True])
def test_a_first_forecast_is_withdrawn(
    session: Session, question: Question, alice: Member, withdrawn: bool
) -> None:
    if withdrawn:
        say(session, question, alice, 0.2, 0.5)
        updates.withdraw(session, question, member=alice, now=day(0.6))
    mistake = say(session, question, alice, 0.9, 1).forecast
    updates.undo(session, mistake.id, member=alice, now=day(2))
    assert updates.current_forecast(session, question, alice, at=day(2)) is None
    said = updates.current_forecast(session, question, alice, at=day(1.5))
    assert said is not None
    assert said.probability == 0.9
    # The withdrawal is itself undone by the value that it ended.
    ended = updates.history(session, question)[-1][0]
    updates.undo(session, ended.id, member=alice, now=day(3))
    said = updates.current_forecast(session, question, alice, at=day(3))
    assert said is not None
    assert said.probability == 0.9


def test_only_the_newest_is_undone(session: Session, question: Question, alice: Member) -> None:
    mistake = say(session, question, alice, 0.9, 1).forecast
    say(session, question, member_or_new(session, "bob", now=day(0)), 0.5, 2)
    say(session, question, alice, 0.3, 3)  # as by the API
    with pytest.raises(Refused) as refused:
        updates.undo(session, mistake.id, member=alice, now=day(4))
    assert str(refused.value) == (
        f"You have a later forecast on '{question.slug}', made at 2026-01-04 00:00 UTC: nothing "
        "was undone. Update it, if it is wrong."
    )
    assert len(updates.history(session, question)) == 3


def test_a_forecast_of_somebody_else_or_on_a_closed_question_is_not_undone(
    session: Session, question: Question, alice: Member
) -> None:
    bob = member_or_new(session, "bob", now=day(0))
    mistake = say(session, question, alice, 0.9, 1).forecast
    with pytest.raises(Refused, match="is not yours"):
        updates.undo(session, mistake.id, member=bob, now=day(2))
    for number in (0, mistake.id + 1, 2**31, 2**63):  # the last are beyond a column of ids
        with pytest.raises(NotFound):
            updates.undo(session, number, member=alice, now=day(2))
    with pytest.raises(Refused, match=r"^Nothing was undone: .* closed at .* made after the close"):
        updates.undo(session, mistake.id, member=alice, now=day(400))
    assert len(updates.history(session, question)) == 1
