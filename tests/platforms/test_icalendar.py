"""Lines of a calendar that any program reads."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from forecasts.platforms.icalendar import escaped, folded
from tests.examples import examples


@settings(max_examples=examples(60))
@given(st.text())
def test_whatever_somebody_writes_stays_within_its_property(words: str) -> None:
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
