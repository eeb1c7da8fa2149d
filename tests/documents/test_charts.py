"""Charts: one description, drawn on a page and in a file."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import altair as alt
import pytest

from forecasts.documents import svg
from forecasts.documents.charts import (
    LINES,
    STYLES,
    Axis,
    Chart,
    Forest,
    ForestRow,
    Series,
    Shape,
    percent_axis,
    round_ticks,
)
from forecasts.documents.vega_lite import forest, vega_lite

POINTS: dict[Shape, tuple[tuple[float, ...], ...]] = {
    "line": ((0.0, 0.1), (0.5, 0.4)),
    "steps": ((0.0, 0.2), (0.5, 0.3)),
    "level": ((0.25,),),
    "band": ((0.0, 0.1, 0.2), (1.0, 0.3, 0.6)),
    "interval": ((0.5, 0.2, 0.7),),
    "points": ((0.5, 0.6), (0.7, 0.6)),
    "bars": ((0.0, 0.1, 0.5), (0.1, 0.2, 0.7)),
}
EVERY_SHAPE = tuple(
    Series(shape, "curve" if shape != "band" else "band", points, shape, ("said",) * len(points))
    for shape, points in POINTS.items()
)
DAYS = Axis("", 0.0, 2 * 86_400.0, (0.0, 2 * 86_400.0), ("1970-01-01", "1970-01-03"), "dates")


def chart(*series: Series, x: Axis | None = None) -> Chart:
    return Chart(x or percent_axis("Forecast"), percent_axis("Happened"), series)


def checked(spec: dict[str, Any]) -> dict[str, Any]:
    """Return the chart, which the schema of Vega-Lite allows."""
    alt.LayerChart.from_dict(spec)  # Altair checks it
    return spec


def test_a_sketch_has_its_words_and_the_colours_of_either_scheme() -> None:
    drawn = svg.sketch(chart(*EVERY_SHAPE), 190, [(0.5, 0.25, "<b>", "end")])
    root = ElementTree.fromstring(drawn)  # well formed, so that an image shows it
    assert root.attrib["width"] == "190"
    [text] = root.findall("{*}text")
    assert (text.text, text.attrib["x"], text.attrib["text-anchor"]) == ("<b>", "95", "end")
    assert "prefers-color-scheme: dark" in drawn
    assert ".curve{" in drawn
    assert ".crowd{" not in drawn  # a style of none of its shapes


def test_every_shape_is_drawn_inside_its_picture() -> None:
    root = ElementTree.fromstring(svg.picture((chart(*EVERY_SHAPE), chart(EVERY_SHAPE[0]))))
    width, height = map(float, root.attrib["viewBox"].split()[2:])
    for shape in root.iter():
        for name, most in (("x1", width), ("x2", width), ("cx", width), ("y1", height),
                           ("y2", height), ("cy", height)):  # fmt: skip
            assert 0 <= float(shape.attrib.get(name, 0)) <= most
    drawn = {shape.attrib.get("class") for shape in root.iter()}
    assert {"curve", "band", "grid"} <= drawn
    assert {text.text for text in root.findall(".//{*}text")} >= {*POINTS, "Forecast", "75%"}


def test_marks_for_and_against_differ_in_shape() -> None:
    marks = [Series("points", style, ((0.5, 0.5),)) for style in ("supports", "opposes", "context")]
    drawn = svg.picture((chart(*marks),))
    paths = [line for line in drawn.split("<") if line.startswith("path")]
    assert len(set(paths)) == len(paths) == 2
    layers = vega_lite(chart(*marks), height=100)["layer"]
    shapes = [layer["mark"]["shape"] for layer in layers]
    assert shapes == ["triangle-up", "triangle-down", "circle"]


def test_words_in_a_chart_are_text() -> None:
    series = Series("line", "curve", POINTS["line"], "<b>&</b>\x1b")
    drawn = ElementTree.fromstring(svg.inline((chart(series),), "<i>", "id"))
    assert not [*drawn.findall(".//{*}b"), *drawn.findall(".//{*}i")]
    assert "<b>&</b>" in {text.text for text in drawn.findall(".//text")}


def test_a_plot_within_a_picture_has_no_words() -> None:
    assert "<text" not in svg.plot(chart(*EVERY_SHAPE), 0, 0, 100)


def test_the_shapes_on_a_page_have_the_points_and_their_sentences() -> None:
    spec = checked(vega_lite(chart(*EVERY_SHAPE), height=200))
    rows = [row for layer in spec["layer"] for row in layer["data"]["values"]]
    assert len(rows) == sum(map(len, POINTS.values())) + 4  # the points of lines to touch
    assert {row["sentence"] for row in rows} == {"said"}
    with_tooltip = [layer for layer in spec["layer"] if "tooltip" in layer["encoding"]]
    assert len(with_tooltip) == len(POINTS)


def test_series_alike_are_one_layer_that_keeps_their_lines_apart() -> None:
    members = [Series("steps", "quiet", POINTS["steps"], "members" * (n == 0)) for n in range(50)]
    [layer] = checked(vega_lite(chart(*members), height=100))["layer"]
    assert {row["series"] for row in layer["data"]["values"]} == set(range(50))
    assert layer["encoding"]["detail"]["field"] == "series"


def test_a_legend_names_each_line_with_its_colour_and_dash() -> None:
    lines = [Series("line", style, POINTS["line"], f"line {style}") for style in LINES]
    spec = checked(vega_lite(chart(*lines, EVERY_SHAPE[2]), height=100, legend=True))
    # On a narrow screen a second column of names would be cut.
    legend = spec["layer"][0]["encoding"]["color"]["legend"]
    longest = max(len(f"line {style}") for style in LINES)
    assert legend["columns"] == {"expr": f"width < {14 * longest + 80} ? 1 : 2"}
    color, dash = (spec["layer"][0]["encoding"][name]["scale"] for name in ("color", "strokeDash"))
    assert color["domain"] == dash["domain"] == [f"line {style}" for style in LINES]
    assert len(set(color["range"])) == len(LINES) == len(set(map(str, dash["range"])))
    plain = vega_lite(chart(*lines), height=100)["layer"][0]
    assert "color" not in plain["encoding"]
    assert plain["mark"]["strokeWidth"] == STYLES["curve"].width


def test_times_have_the_readers_hours_and_the_days_of_utc() -> None:
    of_two_days = vega_lite(chart(EVERY_SHAPE[2], x=DAYS), height=100, offset=timedelta(hours=2))
    assert of_two_days["layer"][0]["encoding"].keys() == {"y", "tooltip"}
    moved = Series("points", "mean", ((86_400.0, 0.5),))
    spec = checked(vega_lite(chart(moved, x=DAYS), height=100, offset=timedelta(hours=2)))
    x = spec["layer"][0]["encoding"]["x"]
    assert x["axis"]["labelExpr"] == "utcFormat(datum.value + 7200000, '%m-%d %H:%M')"
    assert spec["layer"][0]["data"]["values"][0]["x"] == 86_400_000
    long = Axis("", 0.0, 500 * 86_400.0, (), (), "dates")
    spec = vega_lite(chart(moved, x=long), height=100, offset=timedelta(hours=2))
    assert spec["layer"][0]["encoding"]["x"]["axis"]["format"] == "%Y-%m"
    assert "labelExpr" not in spec["layer"][0]["encoding"]["x"]["axis"]


def test_updates_within_minutes_have_an_axis_with_short_labels_and_the_day_below() -> None:
    for seconds, form in ((90.0, "%H:%M:%S"), (3_600.0, "%H:%M"), (2 * 86_400.0, "%m-%d %H:%M")):
        axis = Axis("", 86_400.0, 86_400.0 + seconds, (), (), "dates")
        series = Series("points", "mean", ((86_400.0, 0.5),))
        x = vega_lite(chart(series, x=axis), height=100)["layer"][0]["encoding"]["x"]
        assert x["axis"]["format"] == form
        assert x["title"] == "1970-01-02"


def test_a_forest_plot_shows_rows_with_an_interval() -> None:
    firm = ForestRow("a − b", (0.1,), (0.0, 0.2), "better")
    rows = (firm, None, ForestRow("a − c", (0.3,), (-0.1, 0.4), "open", firm=False))
    spec = forest(Forest(-1.0, 1.0, 0.0, rows), "Difference")
    reference, whiskers, dots = checked(spec)["layer"]
    assert reference["data"]["values"] == [{"at": 0.0}]
    assert [row["sentence"] for row in dots["data"]["values"]] == ["a − b: better", "a − c: open"]
    assert whiskers["data"] == dots["data"]
    assert "circle" in svg.inline_row(Forest(-1.0, 1.0, 0.0, rows), firm)
    assert forest(Forest(0.0, 1.0, None, (None,)), "None") is None


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-3, 97), (0.001, 0.0012), (1e9, 3e9)])
def test_ticks_are_round_and_span_the_values(low: float, high: float) -> None:
    ticks = round_ticks(low, high)
    assert ticks[0] <= low
    assert ticks[-1] >= high
    assert 3 <= len(ticks) <= 8
