"""Metaculus exports: ends of forecasts, options, numbers, dates, and lists that are hostile."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecasts.ledger.models import QuestionText
from forecasts.platforms.record import PlatformRecord
from forecasts.updates.previews import knots
from forecasts.values.value import Value, check_value
from tests.platforms.metaculus_files import (
    QUESTION_HEADER,
    crowd,
    export,
    forecast,
    made,
    question,
    read,
    refused,
    write,
)
from tests.remarks import notes_of

pytestmark = pytest.mark.slow

P, VECTOR, CDF = "Probability Yes", "Probability Yes Per Category", "Continuous CDF"
END = "End Time"
BOB = forecast(who="bob", at="2026-01-01 01:00:00", **{P: 0.6})
CHOICE = question(**{"Question Type": "multiple_choice", "MC Options (All)": "['a', 'b', 'Other']"})
OLD_OPTIONS = {"MC Options (All)": "", "MC Options": "['a', 'b', 'Other']"}
HISTORY = (
    "[['0001-01-01T00:00:00', ['a', 'Other']], ['2026-01-05T00:00:00+00:00', ['a', 'b', 'Other']]]"
)
EVEN_RANGE = repr(np.linspace(0.0, 100.0, 201).tolist())
AMOUNT = question(
    **{"Question Type": "numeric", "Lower Bound": 0.0, "Upper Bound": 100.0,
       "Continuous Range": EVEN_RANGE}
)  # fmt: skip


def ann(record: PlatformRecord) -> list[tuple[Any, ...]]:
    return [one[1:] for one in made(record) if one[0] == "ann"]


def at(day: int, p: float, end: str = "", number: int = 41) -> Any:
    """Return a forecast of ann's that starts, and perhaps ends, on a day of January."""
    ends = {END: f"2026-01-{end}+00:00"} if end else {}
    return forecast(number, at=f"2026-01-{day:02d} 00:00:00", **{P: p} | ends)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([at(2, 0.3, "03 00:00:00"), at(3, 0.4)], [("02 00", 0.3), ("03 00", 0.4)]),
        (
            [at(4, 0.4, "06 12:00:00"), at(2, 0.0, "03 00:00:00")],
            [("02 00", 0.0), ("03 00", None), ("04 00", 0.4), ("06 12", None)],
        ),
        (
            [at(2, 0.3, "03 00:00:00"), at(3, 0.4, number=42)],
            [("02 00", 0.3), ("03 00", None), ("03 00", 0.4)],
        ),
    ],
    ids=["followed", "withdrawn", "on another question"],
)
def test_a_forecast_that_ends_is_withdrawn_unless_another_follows(
    tmp_path: Path, rows: list[Any], expected: list[Any]
) -> None:
    record = read(export(tmp_path, [question(), question(42)], [BOB, *rows]))
    assert ann(record) == expected


@pytest.mark.parametrize(
    ("first", "second", "asked"),
    [
        ("[0.2, 0.3, 0.5]", "[0.4, None, 0.6]", CHOICE),
        # The option b was removed, so it is not current any more.
        ("[0.2, 0.3, 0.5]", "[0.4, None, 0.6]", {**CHOICE, "MC Options (Current)": "['a']"}),
        ("(0.2, 0.3, 0.5)", "[ 0.4,nan ,6e-1]", CHOICE),
        ("[0.2, 0.3, 0.5]", "[0.4, None, 0.6]", {**CHOICE, **OLD_OPTIONS}),
    ],
    ids=["added later", "removed", "a tuple and nan", "an old column"],
)
def test_vectors_align_with_all_options(
    tmp_path: Path, first: str, second: str, asked: dict[str, Any]
) -> None:
    rows = [BOB | {P: "", VECTOR: first}, forecast(**{VECTOR: second})]
    folder = export(tmp_path, [asked], [*rows, crowd(**{VECTOR: "[" + "0," * 100_000 + "0]"})])
    write(folder / "question_data.csv", [*QUESTION_HEADER, "MC Options"], [asked])
    frames = read(folder).frames
    assert frames.questions["options"].tolist() == [["a", "b", "Other"]]
    vectors = dict(
        zip(frames.forecasts["forecaster"], frames.forecasts["probabilities"], strict=True)
    )
    assert vectors == {"ann": [0.4, None, 0.6], "bob": [0.2, 0.3, 0.5]}


@pytest.mark.parametrize(
    ("exported", "now"),
    [("2026-02-01", "2026-03-01"), ("2026-03-01", "2026-02-01"), ("", "2026-02-01")],
)
def test_an_end_ahead_of_the_export_or_the_import_is_none_yet(
    tmp_path: Path, exported: str, now: str
) -> None:
    readme = f"This data was exported on {exported} 22:23:07.015940+00:00\n" if exported else ""
    rows = [BOB, forecast(at="2026-01-02 00:00:00", **{P: 0.3, END: "2026-02-02 00:00:00+00:00"})]
    folder = export(tmp_path, [question()], rows, README=readme)
    record = read(folder, now=datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert ann(record) == [("02 00", 0.3)]
    assert notes_of(record) == ["1 forecast expires later, and has not ended yet."]
    later = read(export(tmp_path, [question()], rows, README=""))
    assert ann(later) == [("02 00", 0.3), ("02 00", None)]


def test_a_vector_over_the_options_of_its_time_is_read_by_the_history(tmp_path: Path) -> None:
    old = CHOICE | {"MC Options (All)": "", "MC Options History": HISTORY}
    rows = [
        BOB | {P: "", VECTOR: "[0.4, 0.6]"},
        forecast(at="2026-01-06 00:00:00", **{VECTOR: "[0.1, 0.2, 0.7]"}),
    ]
    frames = read(export(tmp_path, [old], rows)).frames
    assert frames.questions["options"].tolist() == [["a", "b", "Other"]]
    assert frames.forecasts["probabilities"].tolist() == [[0.4, None, 0.6], [0.1, 0.2, 0.7]]
    late = rows[1] | {VECTOR: "[0.3, 0.7]"}
    assert "3 probabilities that sum to 1" in refused(export(tmp_path, [old], [rows[0], late]))


def test_vectors_that_rounding_kept_from_one_are_divided_by_their_sum(tmp_path: Path) -> None:
    rows = [BOB | {P: "", VECTOR: "[0.2, 0.3, 0.5]"}, forecast(**{VECTOR: "[0.3, 0.3, 0.399]"})]
    record = read(export(tmp_path, [CHOICE], rows))
    assert sum(record.frames.forecasts["probabilities"].iloc[1]) == pytest.approx(1, abs=1e-12)
    assert "1 forecast on several options did not sum to 1" in notes_of(record)[0]
    bad = export(tmp_path, [CHOICE], [forecast(**{VECTOR: "[0.3, 0.3, 0.3]"})])
    assert "column Probability Yes Per Category: '[0.3, 0.3, 0.3]'" in refused(bad)


# --- numbers and dates ------------------------------------------------------------------------


def curve(record: PlatformRecord) -> tuple[list[float], list[float]]:
    """Return the levels and figures of the only forecast, which must suit its question."""
    [row] = record.frames.questions.to_dict("records")
    text = QuestionText.model_construct(
        title="?", type=row["type"], options=None,
        lower_bound=row["lower_bound"], upper_bound=row["upper_bound"],
    )  # fmt: skip
    [quantiles] = record.frames.forecasts["quantiles"].tolist()
    return knots(check_value(Value(quantiles=quantiles), text), text)


def test_a_cdf_of_201_points_becomes_quantiles_at_the_numbers_of_the_range(tmp_path: Path) -> None:
    cdf = np.interp(np.arange(201), [0, 50, 150, 200], [0.01, 0.25, 0.9, 0.98]).tolist()
    record = read(export(tmp_path, [AMOUNT], [forecast(**{CDF: repr(cdf)})]))
    levels, figures = curve(record)
    assert figures == [0, 25, 75, 100]
    assert levels == pytest.approx([0.01, 0.25, 0.9, 0.98], abs=1e-9)


def test_a_discrete_cdf_is_not_zipped_with_the_range(tmp_path: Path) -> None:
    """Ten outcomes have eleven points from bound to bound, whatever the 201 of the range are."""
    spots = question(
        **{"Question Type": "discrete", "Lower Bound": -0.5, "Upper Bound": 9.5,
           "Continuous Range": repr(np.linspace(-0.5, 9.5, 201).tolist())}
    )  # fmt: skip
    cdf = [0.1, 0.1, 0.1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.95, 0.95, 0.95]
    levels, figures = curve(read(export(tmp_path, [spots], [forecast(**{CDF: repr(cdf)})])))
    assert np.interp([-0.5, 1.5, 2.5, 6.5, 7.5, 9.5], figures, levels) == pytest.approx(
        [0.1, 0.1, 0.5, 0.5, 0.95, 0.95], abs=1e-6
    )  # the first is below the bounds, one minus the last above them


def test_a_logarithmic_range_is_kept_also_for_other_lengths_of_cdf(tmp_path: Path) -> None:
    wide = AMOUNT | {
        "Lower Bound": 1.0, "Upper Bound": 10_000.0,
        "Continuous Range": repr(np.geomspace(1, 10_000, 201).tolist()),
    }  # fmt: skip
    long = np.interp(np.arange(201), [0, 100, 200], [0, 0.9, 1]).tolist()
    short = [0.0, 0.45, 0.9, 0.95, 1.0]
    for cdf in (long, short):
        levels, figures = curve(read(export(tmp_path, [wide], [forecast(**{CDF: repr(cdf)})])))
        assert np.interp([1, 10, 100, 1000], figures, levels) == pytest.approx([0, 0.45, 0.9, 0.95])


def test_an_old_files_scaling_has_the_bounds_and_the_zero_point(tmp_path: Path) -> None:
    folder = export(tmp_path, [], [forecast(**{CDF: "[0.0, 0.5, 1.0]"})])
    scaling = (
        "{'Range Min': 1.0, 'Range Max': 10000.0, 'Zero Point': 0.0, 'Open Lower Bound': True}"
    )
    (folder / "question_data.csv").write_text(
        "Question ID,Question Title,Question Type,Scaling,Open Time,Scheduled Close Time\n"
        f'41,How many?,numeric,"{scaling}",2026-01-01 00:00:00+00:00,2026-01-11 00:00:00+00:00\n'
    )
    record = read(folder)
    assert record.frames.questions["upper_bound"].tolist() == ["10000"]
    assert curve(record)[1] == pytest.approx([1, 100, 10_000])


def test_dates_have_days_for_bounds_and_quantiles(tmp_path: Path) -> None:
    days = [f"2026-{month:02d}-01" for month in range(1, 13)]
    landing = question(
        **{"Question Type": "date", "Lower Bound": "2026-01-01", "Upper Bound": "2026-01-11",
           "Continuous Range": repr([days[0]] * 100 + ["2026-01-06"] + ["2026-01-11"] * 100)}
    )  # fmt: skip
    cdf = np.interp(np.arange(201), [0, 50, 200], [0.0, 0.5, 0.9]).tolist()
    record = read(export(tmp_path, [landing], [forecast(**{CDF: repr(cdf)})]))
    [quantiles] = record.frames.forecasts["quantiles"].tolist()
    assert record.frames.questions[["lower_bound", "upper_bound"]].values.tolist() == [
        ["2026-01-01", "2026-01-11"]
    ]
    assert quantiles == {"0.5": "2026-01-03T12:00:00Z", "above": pytest.approx(0.1)}


def test_a_cdf_that_falls_and_a_question_without_bounds_are_named(tmp_path: Path) -> None:
    falling = forecast(**{CDF: "[0.0, 0.6, 0.5]"})
    said = refused(export(tmp_path, [AMOUNT], [falling]))
    assert "forecast_data.csv, line 2, column Continuous CDF: '[0.0, 0.6, 0.5]' must be at" in said
    said = refused(export(tmp_path, [AMOUNT | {"Lower Bound": ""}], []))
    assert "question_data.csv, line 2, column Lower Bound is blank; it must be the bound" in said


# --- hostile lists ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "hostile",
    [
        "[" + "0," * 1_000_000 + "0]",
        "[" * 5_000 + "]" * 5_000,
        "[" + "9" * 99_000 + "]",
        "[0.1] * 10**9",
        "__import__('os').getcwd()",
        "[0.5, 'x']",
        "[]",
        "[0.5",
        "5",
    ],
    ids=["a million", "nested", "digits", "product", "call", "text", "empty", "open", "number"],
)
@pytest.mark.parametrize("column", [VECTOR, CDF, "MC Options (All)", "MC Options History"])
def test_hostile_lists_are_refused_with_place_and_rule(
    tmp_path: Path, column: str, hostile: str
) -> None:
    if column.startswith("MC"):
        folder = export(tmp_path, [CHOICE | {column: hostile}], [])
        place = f"question_data.csv, line 2, column {column}: "
        if column == "MC Options History" and hostile == "[]":
            return  # no history is one
    else:
        asked = CHOICE if column == VECTOR else AMOUNT
        folder = export(tmp_path, [asked], [forecast(**{column: hostile})])
        place = f"forecast_data.csv, line 2, column {column}: "
    said = refused(folder)
    assert place in said
    assert len(said) < 2_000
