"""An empty page: an example of its content as a picture, a sentence, and the first step."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from forecasts.documents import svg
from forecasts.documents.charts import DIAGONAL, Axis, Chart, Point, Series, percent_axis

_LINE = 34.0  # height of a line of a list
_DRAWN, _WIDE = 0.6, 0.18  # where a line's path begins, and its width, as shares of the line's


def _list(text: str) -> str:
    """Draw a list: in each line a name, a value, and between them a path, in tenths."""
    lines = text.split("\n")
    words: list[svg.Word] = []
    series: list[Series] = []
    for place, line in enumerate(reversed(lines)):
        name, value, *path = line.split(" | ")
        foot = (place + 0.36) / len(lines)
        words += [(0.02, foot, name, "start"), (0.98, foot, value, "end")]
        tenths = [int(tenth) for tenth in "".join(path)]
        step = _WIDE / max(1, len(tenths) - 1)
        points = ((_DRAWN + step * at, place + 0.2 + 0.06 * y) for at, y in enumerate(tenths))
        series.append(Series("line", "curve", tuple(points)))
    between = tuple(map(float, range(1, len(lines))))
    rules = Axis("", 0.0, float(len(lines)), between, ("",) * len(between))
    plain = Axis("", 0.0, 1.0, (), ())
    return svg.sketch(Chart(plain, rules, tuple(series), _LINE * len(lines)), words=words)


def _dots(dots: tuple[Point, ...], line: tuple[Point, ...], *words: svg.Word) -> str:
    """Draw dots and the curve through them, beside a dashed line."""
    series = (
        Series("line", "reference", line),
        Series("points", "bin", dots, sizes=(0.2,) * len(dots)),
        Series("line", "curve", dots),
    )
    return svg.sketch(Chart(percent_axis(""), percent_axis(""), series, 140), words=words)


# By page: what the picture shows, and the picture.
_EXAMPLES = {
    "questions": (
        "questions, each with the path of its forecasts",
        _list(
            "Will it rain in London tomorrow? | 70% | 22548\n"
            "Will the bridge open by May? | 15% | 65521\nHow many visitors in June? | 1,200 | 4835"
        ),
    ),
    "articles": (
        "articles, each with the number of its questions",
        _list("“To open by May” | 1 question\n“Visitors expected to double” | 2 questions"),
    ),
    "my_scores": (
        "scores that improve from question to question",
        _dots(
            ((0.1, 0.8), (0.3, 0.6), (0.5, 0.66), (0.7, 0.3), (0.9, 0.2)),
            ((0.0, 0.5), (1.0, 0.5)),
            (0.98, 0.54, "always 50%", "end"),
        ),
    ),
    "track_record": (
        "how often events came true at each forecast",
        _dots(
            ((0.1, 0.16), (0.3, 0.28), (0.5, 0.58), (0.7, 0.66), (0.9, 0.88)),
            DIAGONAL,
            *((0.02, 0.88, "came true", "start"), (0.98, 0.05, "forecast", "end")),
        ),
    ),
    "compare": (
        "pairs of forecasters, each with the path of their difference",
        _list("Ada against Ben | +0.021 | 23548\nAda against a bot | −0.004 | 65532"),
    ),
    "arena": (
        "people and bots by rank, each with the path of their scores",
        _list("1  Ada | +0.021 | 23548\n2  A bot | +0.008 | 4836\n3  Ben | −0.006 | 65521"),
    ),
    "team": (
        "the members of a team and their roles",
        _list("Ada | admin\nBen | forecaster\nA bot | forecaster"),
    ),
    "resolve": (
        "closed questions with their outcomes",
        _list("Did it rain in London? | Yes\nDid the bridge open by May? | No"),
    ),
}


def empty(page: str, said: str) -> DeltaGenerator:
    """Show the example of a page's content and a sentence; return the place for the first step."""
    shows, drawn = _EXAMPLES[page]
    with st.container(border=True, key=f"empty-{page}"):
        left, right = st.columns([2, 3], gap="medium", vertical_alignment="center")
    left.badge("Example", color="gray")
    left.image(drawn, alt=f"Example: {shows}.", width="stretch")
    right.markdown(said)
    return right
