"""A question's forecasts over time, as documents draw them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import pandas as pd
import pytest

from forecasts.documents.charts import LINES, STYLES, Chart
from forecasts.documents.vega_lite import vega_lite
from forecasts.ledger.models import Forecast, QuestionText, QuestionType
from forecasts.scores.paths import CROWD, Paths, paths_of
from forecasts.updates.previews import Slice
from forecasts.views.question_charts import (
    OTHERS,
    density,
    describe_options,
    describe_paths,
    options_chart,
    path_chart,
)
from tests.conftest import day
from tests.nasty import HANDLES, MARKUP

_COUNT = iter(range(10**6))


def text(**fields: object) -> QuestionText:
    given = {
        "title": "Will it rain?",
        "open_time": day(0),
        "scheduled_close_time": day(10),
    }
    return QuestionText(**(given | fields))


def forecast(at: datetime, by: int = 1, **value: object) -> Forecast:
    row = Forecast(
        id=next(_COUNT), question_id=1, member_id=by, made_at=at, recorded_at=at, origin="test"
    )
    for name, given in value.items():
        setattr(row, name, given)
    return row


def of_kind(chart: Chart, shape: str) -> list[list[tuple[float, ...]]]:
    return [list(series.points) for series in chart.series if series.shape == shape]


def test_one_forecaster_has_a_line_with_a_dot_for_each_forecast() -> None:
    rows = [(forecast(day(d), probability=p), "alice") for d, p in ((1, 0.3), (4, 0.7))]
    chart = path_chart(paths_of(rows, text(), now=day(6)), text(), me="alice")
    [line] = of_kind(chart, "steps")
    assert [(x - day(0).timestamp()) / 86_400 for x, _ in line] == [1, 4, 6]
    assert [y for _, y in line] == [0.3, 0.7, 0.7]
    assert of_kind(chart, "points") == [line[:2]]


def test_a_withdrawal_leaves_a_gap_and_the_legend_names_the_line_once() -> None:
    rows = [
        (forecast(day(1), probability=0.3), "alice"),
        (forecast(day(2), withdrawn=True), "alice"),
        (forecast(day(4), probability=0.6), "alice"),
    ]
    chart = path_chart(paths_of(rows, text(), now=day(6)), text(), me="alice")
    assert len(of_kind(chart, "steps")) == 2
    assert [series.label for series in chart.series if series.label] == ["alice"]


def test_several_forecasters_have_thin_lines_and_their_median() -> None:
    rows = [
        (forecast(day(1), 1, probability=0.2), "alice"),
        (forecast(day(2), 2, probability=0.6), "bob"),
    ]
    chart = path_chart(paths_of(rows, text(), now=day(6)), text(), crowd="median")
    assert [series.style for series in chart.series] == ["quiet", "quiet", "curve"]
    assert [y for _, y in chart.series[-1].points] == pytest.approx([0.2, 0.4, 0.4])


def test_a_number_has_its_middle_half_and_its_outcome() -> None:
    asked = text(type=QuestionType.numeric, lower_bound="0", upper_bound="100", unit="mm")
    quantiles = {"0.25": 10.0, "0.5": 20.0, "0.75": 40.0}
    rows = [(forecast(day(1), quantiles=quantiles), "alice")]
    chart = path_chart(paths_of(rows, asked, now=day(6)), asked, me="alice", outcome="55")
    [band] = of_kind(chart, "band")
    assert band[0][1:] == pytest.approx((10, 40))
    assert of_kind(chart, "level") == [[(55.0,)]]
    assert chart.y.low <= 10
    assert chart.y.high >= 55


@pytest.mark.parametrize("outcome", ["one", None])
def test_the_outcome_and_the_likeliest_options_have_lines_of_their_own(
    outcome: str | None,
) -> None:
    names = ["one", "two", "three", "four", "five", "six", MARKUP[0]]
    asked = text(type=QuestionType.multiple_choice, options=names)
    vector = [0.02, 0.33, 0.25, 0.2, 0.12, 0.05, 0.03]
    rows = [(forecast(day(1), probabilities=vector), "alice")]
    every = [paths_of(rows, asked, now=day(6), option=place) for place in range(7)]
    chart = options_chart(every, asked, me="alice", outcome=outcome, when=str)
    named = ["33% two", "25% three", "20% four", "12% five", "5% six"]
    if outcome is not None:
        named = ["2% one (outcome)", *named[:-1]]
    labels = [series.label for series in chart.series if series.label]
    assert labels == ["Other options", *reversed(named)]
    assert len(of_kind(chart, "points")) == 5
    assert "; ".join(named) in describe_options(every, asked, outcome=outcome)


NAMES = ["ana", "ben", "cleo", "dan", "eva", "fay"]


def shown(kind: QuestionType = QuestionType.binary, names: list[str] = NAMES) -> Chart:
    """Return the chart for ana: everyone forecasts on day 1, she with evidence."""
    asked, lines = paths(kind, names)
    return path_chart(lines, asked, me="ana", highlighted=names[1:5], outcome="12", when=str)


def paths(kind: QuestionType, names: list[str]) -> tuple[QuestionText, Paths]:
    bounds = {"lower_bound": "0", "upper_bound": "30", "unit": "m"}
    asked = text(type=kind, **(bounds if kind == QuestionType.numeric else {}))
    quantiles = {"0.25": 5.0, "0.5": 8.0, "0.75": 10.0}
    value = {"quantiles": quantiles} if kind == QuestionType.numeric else {"probability": 0.5}
    rows = [(forecast(day(1), place, **value), name) for place, name in enumerate(names)]
    lines = paths_of(rows, asked, now=day(6))
    mark = (names[0], day(1), 0.5, "50%", "opposes", "Clouds", "", "They are dark", 0.02)
    heads = ["forecaster", "time", "value", "forecast", "stance", "evidence", "url", "reason"]
    marks = pd.DataFrame([mark], columns=[*heads, "points"])
    return asked, replace(lines, marks=marks)


def test_the_reader_and_those_highlighted_have_lines_of_their_own() -> None:
    chart = shown()
    styles = {one.label: one.style for one in chart.series if one.label}
    assert styles == {OTHERS: "quiet", CROWD: "crowd"} | dict(zip(NAMES, LINES, strict=False))
    looks = {(STYLES[style].stroke, STYLES[style].dash) for style in styles.values()}
    assert len(looks) == len(styles)


def test_tooltips_are_sentences_with_evidence_and_points() -> None:
    chart = shown()
    said = [sentence for one in chart.series for sentence in one.sentences]
    assert f"ana: 50%, {day(1)}" in {one.replace("\xa0", " ") for one in said}
    [mark] = [one for one in chart.series if one.style == "opposes"]
    assert mark.sentences == (
        f"Clouds (opposes) · ana: 50%, {day(1)} · They are dark · Earned +0.0200 (above 0: helped)",
    )
    assert STYLES["opposes"].mark == "triangle-down"


def test_numbers_have_bands_of_the_crowd_and_the_reader() -> None:
    bands = [one.style for one in shown(QuestionType.numeric).series if one.shape == "band"]
    assert bands == ["crowd-band", "band"]
    alone = shown(QuestionType.numeric, ["ana"])
    assert [one.style for one in alone.series if one.shape == "band"] == ["band"]
    assert "band" not in [one.shape for one in shown().series]
    asked, lines = paths(QuestionType.numeric, NAMES)
    assert "8 m (middle 50%: 5 m to 10 m)" in describe_paths(lines, asked, me="ana")


def test_an_axis_of_one_value_spans_the_range_of_the_question() -> None:
    asked, lines = paths(QuestionType.numeric, ["ana"])
    lines.steps[["low", "high"]] = 8.0
    chart = path_chart(lines, asked, me="ana")
    assert (chart.y.low, chart.y.high) == (0, 30)
    first, last = chart.x.low, chart.x.high
    assert last - first >= 3600


def test_a_density_is_drawn_between_quantiles_without_a_jump() -> None:
    asked, _ = paths(QuestionType.numeric, NAMES)
    slices = [Slice(0, 3, 0.1, 1.0), Slice(3, 3, 0.4, None), Slice(3, 30, 0.5, 0.56)]
    figure = density(slices, asked)
    bars, _ = figure.charts[0].series
    assert bars.points == ((0, 3, 1.0), (3, 30, 0.56))
    assert bars.sentences == ("10% from 0 m to 3 m", "50% from 3 m to 30 m")
    assert figure.table is not None
    assert len(figure.table.rows) == 3


def test_a_page_reads_no_name_as_a_field_or_an_expression() -> None:
    names = HANDLES
    spec = vega_lite(shown(QuestionType.numeric, names), height=340, legend=True)
    held = [(place, said) for place, said in strings(spec) if said in names]
    assert {said for _, said in held} == set(names[1:5])
    assert {place for place, _ in held} <= {"domain", "datum", "label"}


def strings(node: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text of a chart with the property that holds it."""
    if isinstance(node, str):
        yield place, node
    elif isinstance(node, list):
        for item in node:
            yield from strings(item, place)
    elif isinstance(node, dict):
        for name, item in node.items():
            yield from strings(item, name)
