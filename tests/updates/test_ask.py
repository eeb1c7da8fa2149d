"""Asking and forecasting in one act or one line, and the criteria that others need."""

from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session

from forecasts.access import teams
from forecasts.common.errors import BadInput, Refused
from forecasts.ledger.models import Member, QuestionText, Visibility
from forecasts.questions import registry, revisions, standing
from forecasts.updates import bulk, updates
from forecasts.updates.ask import LONGEST, ask, pasted_line, read_line, require_question_only
from forecasts.updates.evidence import CitedEvidence
from forecasts.values.value import Value
from tests.conftest import day

THIRTY = Value(probability=0.3)
NOW = datetime.fromisoformat("2026-11-27T12:00Z")


with (Path(__file__).parent / "lines.tsv").open(encoding="utf-8", newline="") as file:
    LINES = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


@pytest.mark.parametrize("row", LINES, ids=lambda row: row["typed"])
def test_a_line_is_read_as_title_day_and_probability(row: dict[str, str]) -> None:
    """``unclear``: how to write the number that could be one of two things."""
    line = read_line(row["typed"], now=NOW)
    assert (line.title, line.probability or "") == (row["title"], row["probability"])
    assert (f"{line.closes:%m-%d}" if line.closes else "") == row["last_day"]
    if not row["unclear"]:
        line.require_clear()
        return
    with pytest.raises(BadInput, match=f"'{line.unclear}' could be") as caught:
        line.require_clear()
    remedy = f"Write {row['unclear']}, or end the question with a question mark."
    if "?" in row["title"]:
        remedy = "Write the probability after the question mark."
    elif not row["title"].endswith(line.unclear):
        remedy = f"End the question with a question mark, and write {row['unclear']} after it."
    elif row["unclear"] == line.unclear:
        remedy = "Write a question mark before 30%, or after it if it is not your forecast."
    assert caught.value.remedy == remedy


def wording(**fields: Any) -> QuestionText:
    given = {"title": "Will it rain?", "open_time": day(0), "scheduled_close_time": day(10)}
    return registry.question_text(**given | fields)


@pytest.mark.parametrize(
    ("pasted", "line"),
    [
        ("Will it rain tomorrow?\n30%", "Will it rain tomorrow? 30%"),
        ("Will it rain tomorrow?\r\n\r\n  30 \n", "Will it rain tomorrow? 30"),
        ("Will it rain tomorrow\n30%", "Will it rain tomorrow, 30%"),
        ("Will it\nrain tomorrow? 30%", "Will it rain tomorrow? 30%"),
        ("Will it rain tomorrow?", "Will it rain tomorrow?"),
        ("Will it rain tomorrow?\nForecasters say so.", None),
        ("Rain is likely\nIts chance is 30%", None),
        ("https://example.org/rain", None),
        ("Will https://example.org be up tomorrow?", "Will https://example.org be up tomorrow?"),
        (f"Will it {'rain ' * LONGEST}tomorrow? 30%", None),
    ],
)
def test_a_pasted_text_is_an_article_unless_it_is_one_line_or_a_question_with_its_probability(
    pasted: str, line: str | None
) -> None:
    assert pasted_line(pasted, now=NOW) == line


@pytest.fixture
def alder(session: Session, alice: Member) -> str:
    """A team of alice's, so that the ledger is shared."""
    return teams.create(session, "Alder", member=alice, now=day(0)).name


@pytest.mark.parametrize("typed", ["5,", " 5", ", 5", "?-", "by the end of ", "3:", "- "])
def test_a_very_long_line_is_read_without_its_day(typed: str) -> None:
    """Anyone may type one: reading time must not grow with the square of its length."""
    doubt = read_line(typed * (50_000 // len(typed)), now=NOW).doubt
    assert doubt is None or "too long" in doubt.message


def test_a_question_is_registered_and_forecast_in_one_act(session: Session, alice: Member) -> None:
    note = [CitedEvidence(note="The sky is clear.")]
    asked = ask(session, wording(), THIRTY, member=alice, now=day(1), evidence=note, origin="app")
    assert asked.question.slug == "will-it-rain"
    assert asked.forecast is not None
    assert (asked.forecast.probability, asked.forecast.origin) == (0.3, "app")
    [(citation, _)] = updates.evidence_of(session, asked.question)[asked.forecast.id]
    assert citation.stance == "opposes"
    assert not asked.kept_private
    later = wording(title="Will it snow?", open_time=day(5))
    with pytest.raises(Refused, match="opens at"):  # the forecast, and so both
        ask(session, later, THIRTY, member=alice, now=day(1))


def test_for_one_person_criteria_and_forecast_are_optional(session: Session, alice: Member) -> None:
    asked = ask(session, wording(), member=alice, now=day(1))
    assert asked.forecast is None
    assert not asked.text.has_criteria
    assert asked.text.visibility == Visibility.everyone
    revisions.revise(session, asked.question, member=alice, now=day(1), title="Will it snow?")
    # A team makes the ledger shared; the question can still be changed.
    teams.create(session, "Alder", member=alice, now=day(1))
    revisions.revise(session, asked.question, member=alice, now=day(1), title="Will it hail?")


@pytest.mark.usefixtures("alder")
def test_in_a_shared_ledger_it_is_private_without_criteria(session: Session, alice: Member) -> None:
    asked = ask(session, wording(), THIRTY, member=alice, now=day(1))
    assert asked.kept_private
    assert asked.text.visibility == Visibility.author
    with_criteria = wording(title="Will it snow?", resolution_criteria="As the gauge says.")
    asked = ask(session, with_criteria, THIRTY, member=alice, now=day(1))
    assert not asked.kept_private
    assert asked.text.visibility == Visibility.everyone


@pytest.mark.usefixtures("alder")
def test_a_question_others_see_needs_criteria(session: Session, alice: Member) -> None:
    for audience, criteria in (
        *(("everyone", ""), ("Alder", " … "), ("everyone", "...")),
        *(("Alder", "-"), ("Alder", "\u200b")),
    ):
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


def test_a_value_after_a_title_of_another_type_is_for_the_field_of_its_forecast() -> None:
    for typed, given in (
        ("How many ships pass by 20 January? 3", "3"), ("When will it open? 20 May", "20 May"),
        ("Who wins by May? Anna=60%", "Anna=60%"), ("How many ships by 20 January, 3%", "3%"),
        ("How many ships pass by 20 January?", ""),
    ):  # fmt: skip
        line = read_line(typed, now=NOW)
        assert (line.given, line.probability) == (given, None)
        assert not line.title.endswith(given or "3")
    for title in ("How many ships? 3", "Will it rain? 30%", "Will it rain? (30)"):
        with pytest.raises(BadInput, match="comes after the question"):
            require_question_only(title)
    assert require_question_only(" Will it\nrain? By May ") == "Will it rain? By May"
