"""Asking and forecasting in one act or one line, and the criteria that others need."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from sqlmodel import Session

from forecasts.access import teams
from forecasts.common.errors import BadInput, Refused
from forecasts.ledger.models import Member, QuestionText, Visibility
from forecasts.questions import registry, revisions, standing
from forecasts.updates import bulk, updates
from forecasts.updates.ask import ask, read_line
from forecasts.updates.evidence import CitedEvidence
from forecasts.values.value import Value
from tests.conftest import day

THIRTY = Value(probability=0.3)
NOW = datetime.fromisoformat("2026-11-27T12:00Z")


@pytest.mark.parametrize(
    ("typed", "title", "probability", "last_day"),
    [
        ("Will they meet this fall? 30%", "Will they meet this fall?", "30%", "11-30"),
        ("Will it rain tomorrow?  .3", "Will it rain tomorrow?", ".3", "11-28"),
        ("Will it rain tomorrow? 30", "Will it rain tomorrow?", "30", "11-28"),
        ("Will it rain tomorrow? - 1 in 3", "Will it rain tomorrow?", "1 in 3", "11-28"),
        ("Will it rain tomorrow? 3:7", "Will it rain tomorrow?", "3:7", "11-28"),
        ("Rain in London tomorrow, 30%", "Rain in London tomorrow", "30%", "11-28"),
        ("Rain in London tomorrow 30 %", "Rain in London tomorrow", "30 %", "11-28"),
        # Without its sign, where no number can be part of the date.
        ("Open by 30 June 2027, 8", "Open by 30 June 2027", "8", "06-30"),
        ("Open by 2027-06-30,80", "Open by 2027-06-30", "80", "06-30"),
        ("Rain in London tomorrow, .3", "Rain in London tomorrow", ".3", "11-28"),
        ("Will it rain?", "Will it rain?", None, None),
        # A figure that belongs to the title is not the probability.
        ("Will inflation exceed 3%", "Will inflation exceed 3%", None, None),
        ("Will inflation exceed 3%?", "Will inflation exceed 3%?", None, None),
        ("Will it be over 30", "Will it be over 30", None, None),
        ("Will they win rounds 3, 5, 8?", "Will they win rounds 3, 5, 8?", None, None),
        ("Will it exceed 3,500", "Will it exceed 3,500", None, None),
        ("Will they meet? By 5 December", "Will they meet? By 5 December", None, "12-05"),
    ],
)  # fmt: skip
def test_a_line_is_read_as_title_day_and_probability(
    typed: str, title: str, probability: str | None, last_day: str | None
) -> None:
    line = read_line(typed, now=NOW)
    assert (line.title, line.probability) == (title, probability)
    assert (line.closes and f"{line.closes:%m-%d}") == last_day
    line.require_clear()


@pytest.mark.parametrize(
    ("typed", "remedy"),
    [
        ("Open by 30 June, 27", "27%"),  # or in 2027
        ("Open by June, 8", "8%"), ("Open by Friday, 8", "8%"), ("Will it be Ida Holm, 16", "16%"),
        ("Will they win rounds 3, 5, 8", "8%"), ("Will growth slow, 0.3", "30%"),
        ("Rain in London tomorrow, 0", "0%"), ("Rain in London tomorrow, 100", "100%"),
    ],
)  # fmt: skip
def test_a_number_at_the_end_that_is_not_clear_is_named_with_a_remedy(
    typed: str, remedy: str
) -> None:
    line = read_line(typed, now=NOW)
    assert (line.title, line.probability) == (typed, None)
    number = typed.rpartition(" ")[2]
    with pytest.raises(BadInput, match=f"'{number}' at the end could be a probability") as caught:
        line.require_clear()
    assert caught.value.remedy == f"Write {remedy}, or end the question with a question mark."


def wording(**fields: Any) -> QuestionText:
    given = {"title": "Will it rain?", "open_time": day(0), "scheduled_close_time": day(10)}
    return registry.question_text(**given | fields)


@pytest.fixture
def alder(session: Session, alice: Member) -> str:
    """A team of alice's, so that the ledger is shared."""
    return teams.create(session, "Alder", member=alice, now=day(0)).name


@pytest.mark.slow
@pytest.mark.parametrize("typed", ["5,", " 5", ", 5", "?-", "by the end of ", "3:", "- "])
def test_a_very_long_line_is_read(typed: str) -> None:
    """Anyone may type one: reading time must not grow with the square of its length."""
    assert read_line(typed * (100_000 // len(typed)), now=NOW).title


def test_a_question_is_registered_and_forecast_in_one_act(session: Session, alice: Member) -> None:
    note = [CitedEvidence(note="The sky is clear.")]
    asked = ask(session, wording(), THIRTY, member=alice, now=day(1), evidence=note, origin="app")
    assert asked.question.slug == "will-it-rain"
    assert asked.forecast is not None
    assert (asked.forecast.probability, asked.forecast.origin) == (0.3, "app")
    [(citation, _)] = updates.evidence_of(session, asked.question)[asked.forecast.id]
    assert citation.stance == "opposes"
    assert not asked.kept_private


def test_a_refused_forecast_is_refused_with_its_question(session: Session, alice: Member) -> None:
    later = wording(open_time=day(5))
    with pytest.raises(Refused, match="opens at"):
        ask(session, later, THIRTY, member=alice, now=day(1))


def test_in_a_ledger_for_one_person_criteria_and_a_forecast_are_optional(
    session: Session, alice: Member
) -> None:
    asked = ask(session, wording(), member=alice, now=day(1))
    assert asked.forecast is None
    assert not asked.text.has_criteria
    assert asked.text.visibility == Visibility.everyone
    revisions.revise(session, asked.question, member=alice, now=day(1), title="Will it snow?")
    # A team makes the ledger shared; the question can still be changed.
    teams.create(session, "Alder", member=alice, now=day(1))
    revisions.revise(session, asked.question, member=alice, now=day(1), title="Will it hail?")


@pytest.mark.usefixtures("alder")
def test_in_a_shared_ledger_a_question_without_criteria_is_its_authors_alone(
    session: Session, alice: Member
) -> None:
    asked = ask(session, wording(), THIRTY, member=alice, now=day(1))
    assert asked.kept_private
    assert asked.text.visibility == Visibility.author
    with_criteria = wording(title="Will it snow?", resolution_criteria="As the gauge says.")
    asked = ask(session, with_criteria, THIRTY, member=alice, now=day(1))
    assert not asked.kept_private
    assert asked.text.visibility == Visibility.everyone


@pytest.mark.parametrize(
    ("audience", "criteria"),
    [("everyone", ""), ("Alder", " … "), ("everyone", "..."), ("Alder", "-"), ("Alder", "\u200b")],
)
def test_what_others_see_needs_criteria(
    session: Session, alice: Member, alder: str, audience: str, criteria: str
) -> None:
    assert alder == "Alder"
    text = wording(resolution_criteria=criteria, **teams.visibility_fields(session, audience))
    with pytest.raises(Refused, match="what others see needs them"):
        ask(session, text, THIRTY, member=alice, now=day(1), audience_chosen=True)
    with pytest.raises(Refused, match="what others see needs them"):
        registry.register(session, text, member=alice, now=day(1))


@pytest.mark.parametrize("audience", ["everyone", "Alder"])
def test_a_question_is_shown_to_others_once_it_has_criteria(
    session: Session, alice: Member, alder: str, audience: str
) -> None:
    question = ask(session, wording(), THIRTY, member=alice, now=day(1)).question
    shown = teams.visibility_fields(session, audience)
    with pytest.raises(Refused, match="no resolution criteria") as caught:
        revisions.revise(session, question, member=alice, now=day(1), **shown)
    assert caught.value.remedy == 'Write them first: forecasts revise will-it-rain --criteria "…"'
    with pytest.raises(Refused, match="no resolution criteria"):
        bulk.apply_action(
            session, bulk.BulkAction.show, audience, [question.slug], member=alice, now=day(1)
        )
    criteria = "As the gauge says."
    revisions.revise(
        session, question, member=alice, now=day(1), resolution_criteria=criteria, **shown
    )
    state = standing.current_state(session, question, now=day(1))
    assert state.text.visibility == shown["visibility"]
    # And cannot lose them again.
    with pytest.raises(Refused, match="no resolution criteria"):
        revisions.revise(session, question, member=alice, now=day(1), resolution_criteria="")
    assert alder == "Alder"
