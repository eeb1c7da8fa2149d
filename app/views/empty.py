"""An empty page: an example of its content as a picture, a sentence, and the first step."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from forecasts.documents import svg
from forecasts.documents.charts import DIAGONAL, Axis, Chart, Point, Series, percent_axis

_LINE = 34.0  # height of a line of a list
_NAME, _DRAWN, _WIDE, _VALUE = 0.02, 0.6, 0.18, 0.98  # shares of a line's width
_UP, _DOWN, _BACK = (0.2, 0.25, 0.5, 0.45, 0.9), (0.6, 0.5, 0.55, 0.2, 0.1), (0.4, 0.8, 0.3, 0.5)


def _blank(most: float, rules: int = 0) -> Axis:
    """Return an axis without labels, with so many rules between its ends."""
    return Axis("", 0.0, most, tuple(map(float, range(1, rules + 1))), ("",) * rules)


def _list(*lines: tuple[str, str, tuple[float, ...]], dots: bool = False) -> str:
    """Draw lines of a name, a value, and between them a path, or dots on a line."""
    names: list[svg.Word] = []
    series: list[Series] = []
    for place, (name, value, path) in enumerate(reversed(lines)):
        foot = (place + 0.36) / len(lines)
        names += [(_NAME, foot, name, "start"), (_VALUE, foot, value, "end")]
        points: tuple[Point, ...] = tuple(
            (_DRAWN + _WIDE * at / (len(path) - 1), place + 0.2 + 0.6 * share)
            for at, share in enumerate(path)
        )
        if dots:
            points = tuple((_DRAWN + _WIDE * share, place + 0.5) for share in path)
            series.append(Series("points", "mean", points[1:2]))
        series.append(Series("line", "curve", points))
    rules = _blank(float(len(lines)), len(lines) - 1)
    return svg.sketch(Chart(_blank(1), rules, tuple(series), _LINE * len(lines)), words=names)


def _scores() -> str:
    """Draw scores as dots, with their running mean."""
    scores = (0.36, 0.16, 0.42, 0.25, 0.09, 0.3, 0.12, 0.2, 0.04, 0.14)
    dots = tuple((place + 0.5, score) for place, score in enumerate(scores))
    mean = tuple((x, sum(scores[: at + 1]) / (at + 1)) for at, (x, _) in enumerate(dots))
    series = (
        Series("level", "reference", ((0.25,),)),
        Series("points", "bin", dots, sizes=(0.2,) * len(dots)),
        Series("line", "curve", mean),
    )
    said = [(0.98, 0.54, "always 50%", "end")]
    return svg.sketch(Chart(_blank(len(scores)), _blank(0.5), series, 130), words=said)


def _reliability() -> str:
    """Draw how often forecasts came true, beside the line on which they come true as often."""
    dots = ((0.1, 0.16), (0.3, 0.28), (0.5, 0.58), (0.7, 0.66), (0.9, 0.88))
    series = (
        Series("line", "reference", DIAGONAL),
        Series("line", "curve", dots),
        Series("points", "bin", dots, sizes=(0.2,) * len(dots)),
    )
    share = percent_axis("")
    said = [(0.02, 0.88, "came true", "start"), (0.98, 0.05, "forecast", "end")]
    return svg.sketch(Chart(share, share, series, 150), words=said)


# By page: the picture, and what it shows.
_EXAMPLES = {
    "questions": (
        _list(
            ("Will it rain in London tomorrow?", "70%", _UP),
            ("Will the bridge open by May?", "15%", _DOWN),
            ("How many visitors in June?", "1,200", _BACK),
        ),
        "questions, each with the path of its forecasts",
    ),
    "articles": (
        _list(
            ("“The bridge is to open by May”", "1 question", ()),
            ("“Visitors are expected to double”", "2 questions", ()),
        ),
        "articles, each with the number of its questions",
    ),
    "my_scores": (_scores(), "the scores of ten questions, and their mean, which improves"),
    "track_record": (_reliability(), "how often events came true at each forecast"),
    "compare": (
        _list(
            ("Ada against Ben", "+0.021", (0.3, 0.6, 0.9)),
            ("Ada against a bot", "−0.004", (0.1, 0.4, 0.7)),
            dots=True,
        ),
        "pairs of forecasters, each with the difference and how uncertain it is",
    ),
    "arena": (
        _list(
            ("1   Ada, a person", "+0.021", _UP),
            ("2   A bot", "+0.008", _BACK),
            ("3   Ben, a person", "−0.006", _DOWN),
        ),
        "a table of people and bots by rank, each with the path of their scores",
    ),
    "team": (
        _list(("Ada", "admin", ()), ("Ben", "forecaster", ()), ("A bot", "forecaster", ())),
        "the members of a team and their roles",
    ),
    "resolve": (
        _list(("Did it rain in London?", "Yes", ()), ("Did the bridge open by May?", "No", ())),
        "closed questions with their outcomes",
    ),
}


def empty(page: str, said: str) -> DeltaGenerator:
    """Show the example of a page's content and a sentence; return the place for the first step."""
    drawn, shows = _EXAMPLES[page]
    with st.container(border=True, key=f"empty-{page}"):
        left, right = st.columns([2, 3], gap="medium", vertical_alignment="center")
    left.badge("Example", color="gray")
    left.image(drawn, alt=f"Example: {shows}.", width="stretch")
    right.markdown(said)
    return right
