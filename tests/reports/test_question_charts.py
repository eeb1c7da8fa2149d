"""A question's forecasts over time, as documents draw them."""

from __future__ import annotations

from datetime import datetime

import pytest

from forecasts.documents.charts import Chart
from forecasts.ledger.models import Forecast, QuestionText, QuestionType
from forecasts.reports.question_charts import options_chart, path_chart
from forecasts.scores.paths import paths_of
from tests.conftest import day
from tests.nasty import MARKUP

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


def test_the_outcome_and_the_likeliest_options_have_lines_of_their_own() -> None:
    names = ["one", "two", "three", "four", "five", MARKUP[0]]
    asked = text(type=QuestionType.multiple_choice, options=names)
    vector = [0.05, 0.3, 0.25, 0.2, 0.15, 0.05]
    rows = [(forecast(day(1), probabilities=vector), "alice")]
    every = [paths_of(rows, asked, now=day(6), option=place) for place in range(6)]
    chart = options_chart(every, asked, outcome="one")
    labels = [series.label for series in chart.series if series.label]
    assert labels == ["other options", "four", "three", "two", "one ✓"]
