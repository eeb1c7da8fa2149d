"""The chart of a question's paths: distinct lines, labelled times."""

from __future__ import annotations

import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd
import pytest

from app import times
from app.charts import question_chart as chart_paths
from app.charts.density import density_chart
from app.charts.options_chart import describe_options, options_chart
from app.charts.question_chart import HIGHLIGHTED, OTHERS, describe_paths, paths_chart, time_axis
from forecasts.access.preferences import Preferences
from forecasts.questions.registry import question_text
from forecasts.scores.paths import CROWD, Paths
from forecasts.updates.previews import Slice
from tests.conftest import day

THEME = Path(chart_paths.__file__).parents[1] / ".streamlit" / "config.toml"
TIMES = {"open_time": day(0), "scheduled_close_time": day(1)}
RAIN = question_text(title="Will it rain?", **TIMES)
DEPTH = question_text(
    title="How deep?", type="numeric", lower_bound="0", upper_bound="30", unit="m", **TIMES
)
WHEN = question_text(
    title="When?", type="date", lower_bound="2027-01-01", upper_bound="2027-12-31", **TIMES
)
NAMES = ["ana", "ben", "cleo", "dan", "eva", "fay"]


def paths(lasting: timedelta = timedelta(days=30), names: list[str] = NAMES) -> Paths:
    """Return a line per name from the same moment, and a crowd."""
    ends = [day(0), day(0) + lasting]
    steps = pd.DataFrame(
        [(name, 1, end, 0.5, "50%") for name in names for end in ends],
        columns=["forecaster", "stretch", "time", "value", "forecast"],
    ).assign(low=0.5, high=0.5)
    crowd = pd.DataFrame(
        [(1, end, 0.5, len(names)) for end in ends], columns=["stretch", "time", "value", "live"]
    ).assign(low=0.5, high=0.5)
    marks = pd.DataFrame(
        [(names[0], day(0), 0.5, "50%", "opposes", "Clouds", None, "They are dark", 0.02)],
        columns=[
            "forecaster",
            "time",
            "value",
            "forecast",
            "stance",
            "evidence",
            "url",
            "reason",
            "points",
        ],
    )
    return Paths(steps, crowd, marks)


def dated(shown: Paths) -> Paths:
    """Return the paths with the same day as every value."""
    for frame in (shown.steps, shown.crowd, shown.marks):
        frame["value"] = pd.Timestamp("2027-03-01", tz="UTC")
    for frame in (shown.steps, shown.crowd):
        frame["low"] = frame["high"] = frame["value"]
    return shown


def drawn(shown: Paths | None = None, text: Any = RAIN, named: int = HIGHLIGHTED) -> dict[str, Any]:
    return paths_chart(shown or paths(), text, me="ana", highlighted=NAMES[1 : named + 1])


def lines(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return [layer for layer in spec["layer"] if layer["mark"]["type"] == "line"]


def rows(spec: dict[str, Any], layer: dict[str, Any]) -> list[dict[Any, Any]]:
    """Return the rows of the layer's data."""
    frame: pd.DataFrame = spec["datasets"][layer["data"]["name"]]
    return frame.to_dict("records")


def scale(spec: dict[str, Any], channel: str) -> dict[str, Any]:
    """Return the channel's range by name in the legend."""
    [of] = {str(line["encoding"][channel]["scale"]) for line in lines(spec)}
    chosen = lines(spec)[0]["encoding"][channel]["scale"]
    assert of == str(chosen)
    return dict(zip(chosen["domain"], chosen["range"], strict=True))


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours as defined in WCAG 2."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (
            p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("outcome", [None, "12"])
@pytest.mark.parametrize(
    "lasting", [pytest.param(timedelta(0), marks=pytest.mark.long), timedelta(days=30)]
)
def test_the_chart_is_what_the_schema_of_vega_lite_allows(
    lasting: timedelta, outcome: str | None
) -> None:
    for text in (RAIN, DEPTH, WHEN):
        shown = paths(lasting)
        if text is WHEN:
            shown = dated(shown)
        spec = paths_chart(shown, text, me="ana", highlighted=NAMES[1:3], outcome=outcome)
        frames = {name: frame.astype(str) for name, frame in spec["datasets"].items()}
        # Altair checks it against the schema.
        alt.LayerChart.from_dict(
            spec | {"datasets": {name: frame.to_dict("records") for name, frame in frames.items()}}
        )


def test_every_line_has_a_colour_of_its_own_and_a_dash_of_its_own() -> None:
    spec = drawn()
    colours, dashes = scale(spec, "color"), scale(spec, "strokeDash")
    assert list(colours) == list(dashes) == [*NAMES[: HIGHLIGHTED + 1], OTHERS, CROWD]
    assert len(set(colours.values())) == len(colours)
    own = [str(dash) for who, dash in dashes.items() if who != OTHERS]
    assert len(set(own)) == len(own)


def test_the_crowd_is_grey_and_dashed_and_nobody_else_is() -> None:
    spec = drawn()
    red, green, blue = (int(scale(spec, "color")[CROWD][i : i + 2], 16) for i in (1, 3, 5))
    assert max(red, green, blue) - min(red, green, blue) < 16
    assert scale(spec, "strokeDash")[CROWD] == [6, 4]
    assert scale(spec, "strokeDash")[OTHERS] == scale(spec, "strokeDash")["ana"] == [1, 0]


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_every_line_can_be_seen_on_the_background(mode: str) -> None:
    background = tomllib.loads(THEME.read_text())["theme"][mode]["backgroundColor"]
    for who, colour in scale(drawn(), "color").items():
        assert contrast(colour, background) >= 3, who


def test_those_who_are_not_named_share_one_quiet_line_style() -> None:
    spec = drawn(named=1)
    assert list(scale(spec, "color")) == ["ana", "ben", OTHERS, CROWD]
    [quiet] = [line for line in lines(spec) if line["mark"]["strokeWidth"] == 1]
    assert [field["field"] for field in quiet["encoding"]["detail"]] == ["forecaster", "stretch"]


def test_no_line_joins_two_stretches() -> None:
    for line in lines(drawn()):
        assert "stretch" in [field["field"] for field in line["encoding"]["detail"]]


@pytest.mark.parametrize(
    ("lasting", "labels"),
    [
        (timedelta(hours=5), "%Y-%m-%d %H:%M"),
        (timedelta(days=5), "%Y-%m-%d %H:%M"),
        (timedelta(days=30), "%Y-%m-%d"),
        (timedelta(days=2000), "%Y-%m"),
    ],
)
def test_times_are_labelled_in_utc_with_the_year_and_the_whole_day_of_24_hours(
    lasting: timedelta, labels: str
) -> None:
    for line in lines(drawn(paths(lasting))):
        x = line["encoding"]["x"]
        assert x["axis"]["format"] == labels
        assert x["scale"]["type"] == "utc"


def test_a_line_of_seconds_stands_in_an_hour_so_that_its_ticks_can_be_told_apart() -> None:
    spec = drawn(paths(timedelta(seconds=3)))
    first, last = lines(spec)[0]["encoding"]["x"]["scale"]["domain"]
    assert (first["hours"], last["hours"]) == (0, 1)
    assert first["utc"]


def test_a_median_day_is_labelled_as_a_day() -> None:
    y = lines(drawn(dated(paths()), WHEN))[0]["encoding"]["y"]
    assert (y["axis"]["format"], y["scale"]["type"]) == ("%Y-%m-%d", "utc")


def test_a_ledger_of_one_forecaster_without_evidence_is_drawn_too() -> None:
    alone = paths(names=["ana"])
    spec = drawn(Paths(alone.steps, alone.crowd, alone.marks.iloc[:0]))
    assert list(scale(spec, "color")) == ["ana", CROWD]
    shapes = [layer for layer in spec["layer"] if "shape" in layer["encoding"]]
    assert shapes == []


def test_evidence_against_points_down() -> None:
    [marks] = [layer for layer in drawn()["layer"] if "shape" in layer["encoding"]]
    shape = marks["encoding"]["shape"]["scale"]
    assert dict(zip(shape["domain"], shape["range"], strict=True)) == {
        "supports": "triangle-up",
        "opposes": "triangle-down",
        "context": "circle",
    }


def test_a_mark_tells_what_was_cited_and_once_there_is_an_outcome_what_it_earned() -> None:
    def told(outcome: str | None) -> list[str]:
        spec = paths_chart(paths(), RAIN, me="ana", highlighted=[], outcome=outcome)
        [marks] = [layer for layer in spec["layer"] if "shape" in layer["encoding"]]
        [row] = rows(spec, marks)
        return [str(row[field["field"]]) for field in marks["encoding"]["tooltip"]]

    assert told(None)[:2] == ["Clouds", "opposes"]
    assert told("yes")[-1] == "+0.0200 (above 0: helped)"
    assert len(told("yes")) == len(told(None)) + 1


def test_numbers_have_a_band_of_the_crowd_and_one_of_the_reader() -> None:
    shown = paths()
    shown.steps["low"], shown.steps["high"] = 0.2, 0.9
    spec = drawn(shown, DEPTH)
    bands = [layer for layer in spec["layer"] if layer["mark"]["type"] == "area"]
    assert [layer["data"]["name"] for layer in bands] == ["crowdBand", "ownBand"]
    for band in bands:
        assert band["encoding"]["y"]["field"] == "low"
        assert band["encoding"]["y2"] == {"field": "high"}
    assert {row["forecaster"] for row in rows(spec, bands[1])} == {"ana"}
    assert {row["middle"] for row in rows(spec, bands[1])} == {"0.2 m to 0.9 m"}
    assert describe_paths(shown, DEPTH, me="ana").count("(middle 50%: 0.5 m to 0.5 m)") == 1


def test_a_crowd_of_one_has_no_band_of_its_own() -> None:
    spec = drawn(paths(names=["ana"]), DEPTH, named=0)
    bands = [layer for layer in spec["layer"] if layer["mark"]["type"] == "area"]
    assert [layer["data"]["name"] for layer in bands] == ["ownBand"]


def test_probabilities_have_no_band() -> None:
    assert "area" not in [layer["mark"]["type"] for layer in drawn()["layer"]]


PORTS = question_text(
    title="Which port?",
    type="multiple_choice",
    options=["Busan", "Ulsan", "Incheon", "Pohang", "Mokpo", "Yeosu", "Other"],
    **TIMES,
)


def by_option(values: list[float]) -> list[Paths]:
    """Return the paths of each option; everyone gives it the same value."""
    every = []
    for value in values:
        one = paths()
        for frame in (one.steps, one.crowd):
            frame["value"] = value
        every.append(one)
    return every


def test_every_option_is_drawn_the_leaders_named_and_the_rest_grey() -> None:
    every = by_option([0.05, 0.4, 0.01, 0.2, 0.03, 0.3, 0.01])
    spec = options_chart(every, PORTS, me="ana")
    colours = scale(spec, "color")
    assert list(colours) == [
        "40% Ulsan",
        "30% Yeosu",
        "20% Pohang",
        "5% Busan",
        "3% Mokpo",
        "Other options",
    ]
    assert len(set(colours.values())) == len(colours)
    drawn_options = {row["option"] for line in lines(spec) for row in rows(spec, line)}
    assert drawn_options == set(PORTS.options or [])
    [quiet] = [line for line in lines(spec) if line["data"]["name"] == "quiet"]
    assert {row["option"] for row in rows(spec, quiet)} == {"Incheon", "Other"}
    [dots] = points(spec)
    assert {row["forecaster"] for row in rows(spec, dots)} == {"ana"}
    said = describe_options(every, PORTS, outcome=None)
    assert "The lines end at 40% Ulsan; 30% Yeosu; 20% Pohang" in said


def test_the_outcome_is_among_the_named_options() -> None:
    every = by_option([0.05, 0.4, 0.01, 0.2, 0.03, 0.3, 0.01])
    colours = scale(options_chart(every, PORTS, me="ana", outcome="Incheon"), "color")
    assert list(colours)[:2] == ["1% Incheon (outcome)", "40% Ulsan"]


def test_options_of_two_are_drawn_without_a_rest() -> None:
    text = question_text(title="?", type="multiple_choice", options=["A", "B"], **TIMES)
    spec = options_chart(by_option([0.25, 0.75]), text, me="nobody")
    assert list(scale(spec, "color")) == ["75% B", "25% A"]
    assert points(spec) == []
    frames = {name: frame.astype(str) for name, frame in spec["datasets"].items()}
    alt.LayerChart.from_dict(
        spec | {"datasets": {name: frame.to_dict("records") for name, frame in frames.items()}}
    )


def test_the_density_is_drawn_between_quantiles_and_a_jump_is_left_out() -> None:
    slices = [Slice(0, 3, 0.1, 1.0), Slice(3, 3, 0.4, None), Slice(3, 30, 0.5, 0.56)]
    spec = density_chart(slices, DEPTH)
    area, _ = spec["layer"]
    drawn = spec["datasets"][area["data"]["name"]].to_dict("records")
    assert [(row["low"], row["high"], row["chance"]) for row in drawn] == [
        (0, 3, "10%"),
        (3, 30, "50%"),
    ]
    assert drawn[1]["to"] == "30 m"


def points(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the visible layers of dots."""
    return [
        layer
        for layer in spec["layer"]
        if layer["mark"]["type"] == "point" and layer["mark"]["opacity"] > 0
    ]


def test_a_single_forecast_is_seen_before_its_line_has_any_length() -> None:
    shown = paths(timedelta(0), names=["ana"])
    spec = drawn(Paths(shown.steps, shown.crowd, shown.marks.iloc[:0]), named=0)
    [dots] = points(spec)
    assert len(rows(spec, dots)) == 1


def test_a_number_that_came_true_is_a_rule_with_its_name() -> None:
    spec = paths_chart(paths(), DEPTH, me="ana", highlighted=[], outcome="12")
    [rule] = [layer for layer in spec["layer"] if layer["mark"]["type"] == "rule"]
    assert rows(spec, rule) == [{"value": 12.0, "label": "outcome 12"}]
    assert lines(spec)[0]["encoding"]["y"]["title"] == "Median, m"


@pytest.mark.parametrize("outcome", [None, "below_lower_bound"])
def test_there_is_no_rule_where_no_number_is_known(outcome: str | None) -> None:
    spec = paths_chart(paths(), DEPTH, me="ana", highlighted=[], outcome=outcome)
    assert "rule" not in [layer["mark"]["type"] for layer in spec["layer"]]


def test_an_axis_of_one_value_spans_what_the_question_asks_between() -> None:
    spec = paths_chart(paths(), DEPTH, me="ana", highlighted=[])
    assert lines(spec)[0]["encoding"]["y"]["scale"]["domain"] == [0, 30]


def test_hours_are_labelled_in_the_readers_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(times, "my_preferences", lambda: Preferences(time_zone="Asia/Tokyo"))
    hours, days = (
        time_axis(pd.Series(pd.to_datetime([day(0), day(length)])))["axis"] for length in (2, 30)
    )
    assert hours["labelExpr"] == "utcFormat(datum.value + 32400000, '%Y-%m-%d %H:%M')"
    assert "labelExpr" not in days
