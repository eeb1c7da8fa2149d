"""Every forecaster's path and the crowd's, as the chart draws them."""

from __future__ import annotations

from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session

from forecasts import questions, updates
from forecasts.access import member_or_new
from forecasts.models import Forecast, Member, Question
from forecasts.paths import paths
from forecasts.updates import Cited
from forecasts.values import Value
from tests.conftest import ask, day


def drawn(session: Session, question: Question, at: float, option: int = 0):  # type: ignore[no-untyped-def]
    text = questions.wording(session, question)
    return paths(session, question, text, now=day(at), option=option)


def test_a_line_holds_its_last_value_until_now(
    session: Session, question: Question, alice: Member
) -> None:
    updates.update(session, question, Value(probability=0.3), member=alice, now=day(1))
    steps = drawn(session, question, 4).steps
    assert list(steps["time"]) == [day(1), day(4)]
    assert list(steps["value"]) == [0.3, 0.3]


def test_a_line_ends_at_the_close(session: Session, question: Question, alice: Member) -> None:
    updates.update(session, question, Value(probability=0.3), member=alice, now=day(1))
    assert drawn(session, question, 99).steps["time"].max() == day(10)


def test_a_withdrawal_breaks_the_line(session: Session, question: Question, alice: Member) -> None:
    updates.update(session, question, Value(probability=0.3), member=alice, now=day(1))
    updates.withdraw(session, question, member=alice, now=day(2))
    seen = drawn(session, question, 4)
    assert list(seen.steps["value"].isna()) == [False, True, True]
    assert list(seen.crowd["live"]) == [1, 0, 0]


def imported(
    session: Session, question: Question, member: Member, at: float, p: float | None
) -> None:
    """Write a row as an import does: at whatever time it was made."""
    assert question.id is not None
    assert member.id is not None
    row = Forecast(
        question_id=question.id,
        member_id=member.id,
        made_at=day(at),
        recorded_at=day(20),
        withdrawn=p is None,
        probability=p,
        origin="import",
    )
    session.add(row)
    session.flush()


def test_what_was_said_before_the_open_stands_from_the_open_on(
    session: Session, question: Question, alice: Member, bob: Member
) -> None:
    imported(session, question, alice, -3, 0.9)
    imported(session, question, alice, -2, 0.3)
    imported(session, question, bob, -2, 0.5)
    imported(session, question, bob, -1, None)
    seen = drawn(session, question, 4)
    assert list(seen.steps["time"]) == [day(0), day(4)]
    assert list(seen.steps["value"]) == [0.3, 0.3]
    assert list(seen.crowd["time"]) == [day(0), day(4)]
    assert list(seen.crowd["live"]) == [1, 1]
    assert len(drawn(session, question, -1).steps) == 0


def test_what_was_said_from_the_close_on_is_neither_drawn_nor_in_the_crowd(
    session: Session, question: Question, alice: Member, bob: Member
) -> None:
    imported(session, question, alice, 1, 0.3)
    imported(session, question, alice, 10, 0.8)
    imported(session, question, bob, 12, 0.9)
    seen = drawn(session, question, 20)
    assert list(seen.steps["forecaster"]) == ["alice", "alice"]
    assert list(seen.steps["time"]) == [day(1), day(10)]
    assert list(seen.crowd["time"]) == [day(1), day(10)]
    assert list(seen.crowd["value"]) == [0.3, 0.3]
    assert list(seen.crowd["live"]) == [1, 1]


def test_evidence_is_marked_where_it_came_in(
    session: Session, question: Question, alice: Member
) -> None:
    cited = [Cited(note="Clouds", publisher="The Sky")]
    updates.update(
        session, question, Value(probability=0.3), member=alice, now=day(1), evidence=cited,
        rationale="They are dark",
    )  # fmt: skip
    [mark] = drawn(session, question, 4).marks.to_dict("records")
    assert (mark["evidence"], mark["stance"], mark["reason"]) == (
        "Clouds · The Sky",
        "supports",
        "They are dark",
    )


def test_the_path_of_one_option_is_drawn(session: Session, alice: Member) -> None:
    port = ask(session, alice, type="multiple_choice", options=["A", "B", "C"])
    vector = Value(probabilities=(0.5, 0.3, 0.2))
    updates.update(session, port, vector, member=alice, now=day(1))
    assert list(drawn(session, port, 2, option=2).steps["value"]) == [0.2, 0.2]


def test_of_quantiles_the_median_is_drawn(session: Session, alice: Member) -> None:
    depth = ask(session, alice, type="numeric", lower_bound="0", upper_bound="30")
    value = Value(quantiles={"0.25": 4.0, "0.75": 8.0, "below": 0.01})
    updates.update(session, depth, value, member=alice, now=day(1))
    assert list(drawn(session, depth, 2).steps["value"]) == [6.0, 6.0]


def test_a_median_day_is_a_time(session: Session, alice: Member) -> None:
    end = ask(session, alice, type="date", lower_bound="2027-01-01", upper_bound="2027-12-31")
    updates.update(session, end, Value(quantiles={"0.5": "2027-03-01"}), member=alice, now=day(1))
    assert drawn(session, end, 2).steps["value"].iloc[0].isoformat() == "2027-03-01T00:00:00+00:00"


def test_without_forecasts_there_is_nothing_to_draw(session: Session, question: Question) -> None:
    seen = drawn(session, question, 4)
    assert (len(seen.steps), len(seen.crowd), len(seen.marks)) == (0, 0, 0)


@given(
    st.lists(
        st.tuples(st.sampled_from("abcd"), st.sampled_from([0.0, 0.1, 0.5, 0.9, None])),
        max_size=12,
    )
)
def test_the_crowd_is_the_median_of_what_stands(
    session: Session, alice: Member, acts: list[tuple[str, float | None]]
) -> None:
    question = ask(session, alice, title="Will it hail?")
    standing: dict[str, float] = {}
    expected = []
    for number, (name, p) in enumerate(acts):
        member = member_or_new(session, name, now=day(0))
        if p is not None:
            updates.update(
                session, question, Value(probability=p), member=member, now=day(1 + number / 100)
            )
            standing[name] = p
        elif standing.pop(name, None) is None:
            continue
        else:
            updates.withdraw(session, question, member=member, now=day(1 + number / 100))
        expected.append(median(standing.values()) if standing else None)
    crowd = drawn(session, question, 5).crowd
    seen = [None if value != value else value for value in crowd["value"]]
    assert seen[: len(expected)] == pytest.approx(expected)
