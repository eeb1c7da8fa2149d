"""Scores, means and differences are written in one place, with three significant digits."""

from __future__ import annotations

import re
from pathlib import Path

from forecasts.documents.numbers import column, interval, number, signed, signed_interval

ROOT = Path(__file__).parents[2]
DECIMALS = re.compile(r"\{[^{}]*:[+,]*\.([3-9]f|\d[eg])\}|%\+?\.[3-9]f")
# A hyphen for a minus, more than three significant digits, or zeros that say nothing.
FAULTY = re.compile(
    r"(?<![\w.,/(-])-\.?\d+(?:\.\d+)?(?![\w-])|(?<![\d.,])(?:0\.0*[1-9]\d{3,}|[1-9]\.\d{3,})"
    r"(?![\d.])|(?<![\d.,])0\.\d{4,}0(?![\d.])"
)
# They write other quantities: counts, leads, ticks of axes, p-values, figures of a question.
OTHERS = {
    "common/text.py", "reports/member_scores.py", "documents/charts.py", "scores/crowd_moves.py",
    "views/question_charts.py", "values/value.py", "access/preferences.py", "platforms/manifold.py",
    "platforms/infer.py", "reports/comparison/wording.py", "reports/verdict.py",
    "app_pages/arena.py", "documents/numbers.py",
}  # fmt: skip


def faulty(text: str) -> list[str]:
    """Return the numbers of a text that a person should not read so."""
    return [found.group() for found in FAULTY.finditer(text)]


def test_a_score_has_three_significant_digits_and_a_difference_its_sign() -> None:
    for value, said in (
        (0.25, "0.250"), (0.16749, "0.167"), (0.05253, "0.0525"), (0.0001, "0.0001"),
        (0.000143, "0.0001"), (-0.0076, "−0.0076"), (0.02, "0.0200"),
        (0.00001, "<0.0001"), (-0.00004, ">−0.0001"),
        (-0.0257, "−0.0257"), (1.3863, "1.39"), (12.345, "12.3"), (0.99961, "1.00"), (123.4, "123"),
        (None, "–"),
    ):  # fmt: skip
        assert number(value) == said
        assert faulty(said) == []
    assert [signed(value) for value in (0.02, -0.02, 0.0, None)] == [
        "+0.0200",
        "−0.0200",
        "0.0000",
        "–",
    ]
    assert interval((-1e-17, 0.00003)) == "0.0000 to <0.0001"
    assert interval((0.0123, 0.8)) == "0.012 to 0.800"
    assert signed_interval((-0.017, 0.0032)) == "−0.0170 to +0.0032"


def test_the_numbers_of_a_column_have_the_same_decimals() -> None:
    for values, said in (
        ([-0.0076, -0.00649, 0.052, None], ["−0.0076", "−0.0065", "+0.0520", "–"]),
        ([0.818, 0.000441, 0.0224], ["+0.818", "0.000", "+0.022"]),
        ([0.000342, 0.00002], ["+0.0003", "<0.0001"]),
    ):
        assert list(map(column(values, lambda value: value, signed), values)) == said
    ends = [(0.0123, 0.8), None]
    assert list(map(column(ends, lambda value: value, interval), ends)) == ["0.012 to 0.800", "–"]


def test_numbers_that_nobody_should_read_are_found() -> None:
    for text in ("scored -0.0257", "lost 0.00010", "0.1234", "1.3863", "from 0.25 to -2.6"):
        assert faulty(text), text
    for text in ("−0.0257 on 2026-01-31", "0.0042", "A-1", "10-20", "1,234.5", "v0.1.0", "42.0"):
        assert not faulty(text), text


def test_no_other_module_formats_a_score() -> None:
    found = {
        "/".join(path.parts[-2:]) if path.parts[-3] != "reports" else "/".join(path.parts[-3:])
        for folder in ("forecasts", "app")
        for path in (ROOT / folder).rglob("*.py")
        if DECIMALS.search(path.read_text())
    }
    assert found <= OTHERS
