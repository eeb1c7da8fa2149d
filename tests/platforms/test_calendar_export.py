"""The calendar file of an export."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from forecasts.common.errors import BadInput, Refused
from forecasts.ledger.models import Member
from forecasts.platforms import icalendar as calendar
from forecasts.platforms.icalendar import escaped, folded
from forecasts.resolution import confirmation
from forecasts.scores.ledger_frames import ledger_frames
from forecasts.updates import updates
from forecasts.values.value import Value
from tests.conftest import ask, day
from tests.examples import examples

pytestmark = pytest.mark.slow


def test_it_has_the_open_questions_soonest_close_first_and_names_the_rest(
    session: Session, alice: Member, tmp_path: Path
) -> None:
    ask(session, alice, title="Later?", scheduled_close_time=day(20), slug="later")
    ask(session, alice, title="Soon; or not?", scheduled_resolve_time=day(12), slug="soon")
    over = ask(session, alice, title="Over?")
    updates.update(session, over, Value(probability=0.3), member=alice, now=day(1))
    confirmation.confirm(session, over, "yes", known_at=day(2), now=day(3), member=alice)
    written = calendar.write(ledger_frames(session), tmp_path / "new" / "questions.ics")
    [file] = written.files
    lines = file.read_bytes().decode().split("\r\n")
    assert [line for line in lines if line.startswith("SUMMARY")] == [
        "SUMMARY:Closes: Soon\\; or not?",
        "SUMMARY:To be resolved: Soon\\; or not?",
        "SUMMARY:Closes: Later?",
    ]
    assert "DTSTART:20260111T000000Z" in lines
    assert not any(line.startswith("URL") for line in lines)
    assert written.left_out == ["1 resolved question", "1 forecast"]


def test_a_file_gets_its_ending_and_is_replaced_only_when_asked(
    session: Session, alice: Member, tmp_path: Path
) -> None:
    ask(session, alice)
    frames, folder = ledger_frames(session), tmp_path / "calendars"
    assert calendar.write(frames, folder / "my.list").files == [folder / "my.list.ics"]
    with pytest.raises(Refused, match=r"my.list.ics' exists"):
        calendar.write(frames, folder / "my.list")
    calendar.write(frames, folder / "my.list", overwrite=True)
    assert [file.name for file in folder.iterdir()] == ["my.list.ics"]
    assert calendar.write(frames, folder / "A.ICS").files == [folder / "A.ICS"]
    with pytest.raises(BadInput, match="cannot be written"):
        calendar.write(frames, folder / "A.ICS" / "questions.ics")


@settings(max_examples=examples(25))
@given(st.text())
def test_any_words_stay_within_their_property(words: str) -> None:
    line = folded(f"SUMMARY:{escaped(words)}")
    assert line.endswith("\r\n")
    parts = line[:-2].split("\r\n")
    assert all(len(part.encode()) <= 75 for part in parts)
    assert all(part.startswith(" ") for part in parts[1:])
    whole = "".join([parts[0], *(part[1:] for part in parts[1:])])
    assert "\n" not in whole
    assert "\r" not in whole
    value = whole.removeprefix("SUMMARY:")
    assert re.fullmatch(r"(?:[^\\;,]|\\[\\;,n])*", value, re.DOTALL)
