"""Confido: the CSV of predictions, of one question or of several, by its members or by its group.

Its ``brier`` is (0.25 - (outcome - p)²)·4, from -3 to 1 and higher is better: it is kept as a
printed score, never read as a Brier score. A file of one question has neither its id nor its title.
No file has the times of a question, and only one with buckets has the range of a number.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd

from forecasts.common.times import iso
from forecasts.platforms.handles import hashed_id
from forecasts.platforms.reading import PROBABILITY, Column, Line, Reading, Rows
from forecasts.platforms.record import Choices, PlatformRecord
from forecasts.platforms.source import Source
from forecasts.values import distributions

_LATEST = 253_370_764_800  # seconds from 1970 to 9999
_STDEV = "a standard deviation, 0 or more"
_COLUMNS = (
    *(Column(name) for name in ("question_id", "question", "user_id", "nick", "mean")),
    Column(
        "timestamp",
        kind="number",
        needed=True,
        required=True,
        low=0,
        high=_LATEST,
        rule="a time in seconds since 1970",
    ),
    *(Column(name, needed=True) for name in ("date", "time")),
    Column("probability", "number", **PROBABILITY),
    Column("stdev", "number", low=0, rule=_STDEV),
    Column("resolution", agrees=True),
    Column("brier", "number"),
)
_CROWD = "confido-group"
_FIGURES = {"binary": "0 or 1", "numeric": "a number", "date": "a day"}
_NUMBER, _DAY = r"-?\d+(?:\.\d+)?", r"\d{4}-\d{2}-\d{2}"
_BUCKET = re.compile(r"bucket(\d+)(?:_(.+))?")
_RANGE = re.compile(rf"({_DAY})-({_DAY})|({_NUMBER})-({_NUMBER})")
_PLAIN_ID = re.compile(r"[A-Za-z0-9._-]{1,80}")
_TOLERANCE = 0.01  # of the sum of a forecast's buckets
_LEVELS = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)  # of a mean and a deviation
_WIDTH = 4  # deviations on either side of a mean that a range from forecasts covers
_DAY_SECONDS = 86_400
_AFTER_LAST, _OPEN_FOR = pd.Timedelta(days=1), pd.Timedelta(days=365)


def read(source: Source, choices: Choices) -> PlatformRecord:
    """Return the predictions of the file; the group's only with ``choices.aggregates``."""
    needed = [one.name for one in _COLUMNS if one.needed]
    header = source.headers[source.csv_with(needed)]
    buckets = _Buckets.of(header)
    rows = Rows(source, [*_COLUMNS, *(Column(name, "number") for name in buckets.columns)])
    if "question_id" not in header:
        rows.frame["question_id"] = rows.frame["question"] = rows.table.path.stem
    every = list(rows)
    for row in every:
        row["kind"] = _kind(row)
    _check(every, rows, buckets)
    rows.require_sound()
    reading = Reading("confido", bots={_CROWD})
    _name_forecasters(every, choices.owner)
    groups: defaultdict[str, list[Line]] = defaultdict(list)
    for row in every:
        row["made_at"] = pd.Timestamp(row["timestamp"], unit="s", tz="UTC").as_unit("us")
        if row["who"] != _CROWD or choices.aggregates:
            groups[row["question_id"]].append(row)
        else:
            shown = row["mean"] or f"{row['probability']:g}"
            reading.leave_out(row.place, shown, "the group's forecast, which nobody made")
    for group in groups.values():
        question = _question(group, buckets)
        reading.question(group[0].place, question)
        last = {}  # the score of each forecaster's last forecast
        for row in sorted(group, key=itemgetter("made_at")):
            who = {"question_id": question["question_id"], "forecaster": row["who"]}
            value = {"probability": row["probability"], "quantiles": _quantiles(row, buckets)}
            reading.forecast(row.place, who | {"made_at": row["made_at"]} | value)
            if not math.isnan(row["brier"]):
                last[row["who"]] = who | {"name": "brier", "score": row["brier"]}
        reading.printed += last.values()
    made = [row for group in groups.values() for row in group]
    reading.left_out += rows.unused(but=lambda name: _BUCKET.fullmatch(name) is not None)
    _add_notes(reading, rows, made, buckets, choices)
    return reading.record()


@dataclass(frozen=True)
class _Buckets:
    """The columns of buckets, and the edges of their ranges; none if the header has no ranges."""

    columns: Sequence[str] = ()
    edges: Sequence[float] = ()

    @classmethod
    def of(cls, header: Sequence[str]) -> _Buckets:
        found = [match for name in header if (match := _BUCKET.fullmatch(name))]
        found.sort(key=lambda match: int(match[1]))
        ranges = [_RANGE.fullmatch(match[2] or "") for match in found]
        try:
            ends = [[_figure(end) for end in one.groups() if end] for one in ranges if one]
        except ValueError:  # an impossible day
            ends = []
        edges = [ends[0][0], *(high for _, high in ends)] if ends else []
        rises = all(low < high for low, high in itertools.pairwise(edges))
        columns = [match[0] for match in found]
        return cls(columns, edges if len(ends) == len(columns) and rises else [])


def _figure(text: str) -> float:
    """Return a number, or a day in seconds since 1970; ValueError for anything else."""
    if re.fullmatch(_DAY, text):
        return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
    if not re.fullmatch(_NUMBER, text):
        raise ValueError(text)
    return float(text)


def _is_figure(text: str, kind: str) -> bool:
    if kind == "binary":
        return text in ("0", "1")
    try:
        return math.isfinite(_figure(text)) and bool(re.fullmatch(_DAY, text)) == (kind == "date")
    except ValueError:
        return False


def _kind(row: Line) -> str:
    """Return the type of question that a row's forecast fits; blank without a forecast."""
    if not math.isnan(row["probability"]):
        return "binary"
    if re.fullmatch(_DAY, row["mean"]):
        return "date"
    return "numeric" if row["mean"] else ""


def _check(every: Sequence[Line], rows: Rows, buckets: _Buckets) -> None:
    """Note what the columns' own rules leave: cells that do not fit each other."""
    noted, first = rows.table.noted, {row["question_id"]: row for row in reversed(every)}
    for row in every:
        kind, mean, same = row["kind"], row["mean"], first[row["question_id"]]
        if kind == "" and row.number not in noted["probability"]:
            row.wrong("probability", PROBABILITY["rule"])
        if kind == "binary" and mean:
            row.wrong("mean", "blank beside a probability")
        if mean and kind != "binary":
            if not _is_figure(mean, kind):
                row.wrong("mean", _FIGURES[kind])
            if math.isnan(row["stdev"]) and row.number not in noted["stdev"]:
                row.wrong("stdev", _STDEV)
        if kind and kind != same["kind"]:
            rule = f"a {same['kind']} forecast, as in the first row of this question"
            row.wrong("mean" if mean else "probability", rule, kind)
        elif kind and (outcome := row["resolution"]) and not _is_figure(outcome, kind):
            row.wrong("resolution", f"{_FIGURES[kind]}, or blank")
        shares = [share for name in buckets.columns if not math.isnan(share := row[name])]
        if shares and (min(shares) < 0 or abs(sum(shares) - 1) > _TOLERANCE):
            rule = "probabilities that sum to 1, over all buckets"
            row.wrong(buckets.columns[0], rule, f"{sum(shares):g} in all")
    rows.require_agreement([row["question_id"] for row in every])


def _name_forecasters(every: Sequence[Line], owner: str) -> None:
    """Fill in each row's forecaster: the nickname, or the id without one or if others share it.

    The only member in a file is its owner.
    """
    ids: defaultdict[str, set[str]] = defaultdict(set)
    for row in every:
        if row["user_id"]:
            ids[row["nick"]].add(row["user_id"])
    is_alone = len(set().union(*ids.values())) == 1
    for row in every:
        is_name = len(ids[row["nick"]]) == 1 and row["nick"].strip()
        row["who"] = (row["nick"].strip() if is_name else row["user_id"]) or _CROWD
        if is_alone and row["user_id"]:
            row["who"] = owner


def _question(group: Sequence[Line], buckets: _Buckets) -> dict[str, Any]:
    """Return the question of these predictions, with the times and the range they suggest."""
    kind, given, outcome = (group[0][name] for name in ("kind", "question_id", "resolution"))
    low, high = "", ""
    if kind == "binary":
        outcome = {"0": "no", "1": "yes"}.get(outcome, "")
    else:
        low, high = (_text(bound, kind) for bound in _range(group, buckets))
    plain, made = _PLAIN_ID.fullmatch(given), [row["made_at"] for row in group]
    return {
        "question_id": f"confido-{given}" if plain else hashed_id("confido", given),
        "platform_id": given,
        "title": group[0]["question"] or given,
        "type": kind,
        "lower_bound": low,
        "upper_bound": high,
        "open_time": min(made),
        "scheduled_close_time": max(made) + (_AFTER_LAST if outcome else _OPEN_FOR),
        "resolution": outcome,
    }


def _range(group: Sequence[Line], buckets: _Buckets) -> tuple[float, float]:
    """Return the question's range: that of its buckets, else one around its forecasts."""
    if buckets.edges:
        return buckets.edges[0], buckets.edges[-1]
    curves = map(_curve, group)
    ends = [curve.mean + side * _WIDTH * curve.stdev for curve in curves for side in (-1, 1)]
    ends += [_figure(text) for row in group if (text := row["resolution"])]
    low, high = min(ends), max(ends)
    # In round steps, so that one more forecast seldom moves it.
    step = 10.0 ** math.floor(math.log10(max(high - low, abs(high) * 1e-6, 1e-6)))
    if group[0]["kind"] == "date":
        step = max(_DAY_SECONDS, math.ceil(step / _DAY_SECONDS) * _DAY_SECONDS)
    return math.floor(low / step) * step, (math.floor(high / step) + 1) * step


def _curve(row: Line) -> NormalDist:
    """Return the normal curve with the mean and the deviation of a forecast."""
    spread = row["stdev"] * (_DAY_SECONDS if row["kind"] == "date" else 1)
    return NormalDist(_figure(row["mean"]), spread)


def _quantiles(row: Line, buckets: _Buckets) -> dict[str, Any] | None:
    """Return a forecast's quantiles: of its buckets, else of a normal curve."""
    kind = row["kind"]
    if kind == "binary":
        return None
    shares = np.array([row[name] for name in buckets.columns])
    if buckets.edges and not np.isnan(shares).all():
        rising = np.concatenate([[0.0], np.nancumsum(shares)])
        cdf, at = (rising / rising[-1])[np.newaxis], np.array(buckets.edges)
        return distributions.quantiles(cdf, at, kind)[0]
    curve = _curve(row)
    low, high = (buckets.edges[0], buckets.edges[-1]) if buckets.edges else (-math.inf, math.inf)
    figures = (curve.inv_cdf(level) if curve.stdev else curve.mean for level in _LEVELS)
    inside = (min(max(figure, low), high) for figure in figures)
    return {
        repr(level): _text(figure, kind) if kind == "date" else figure
        for level, figure in zip(_LEVELS, inside, strict=True)
    }


def _text(figure: float, kind: str) -> str:
    if kind == "date":
        return iso(datetime.fromtimestamp(min(max(figure, -_LATEST / 5), _LATEST), UTC))
    return f"{figure:.15g}"


def _add_notes(
    reading: Reading,
    rows: Rows,
    made: Sequence[Line],
    buckets: _Buckets,
    choices: Choices,
) -> None:
    reading.note(
        "Confido exports no times of questions: each opens with its first forecast, and closes a "
        "day after its last if it is resolved, else a year after."
    )
    if "question_id" not in rows.table.header:
        name = rows.table.path.stem
        reading.note(f"The file names no question: its own name, {name!r}, is ID and title.")
    if any(row["kind"] != "binary" for row in made) and not buckets.edges:
        reading.note(
            "The file has no range of numbers: it covers the forecasts and the outcome, and each "
            "forecast is read as a normal curve."
        )
    if reading.printed:
        reading.note(
            'Confido\'s "brier" is (0.25 - (outcome - p)²)·4, higher is better. It prints one for '
            "each forecast; the last of each forecaster is kept."
        )
    who = {row["who"] for row in made}
    if _CROWD in who:
        reading.note(f"The group's forecasts are those of the bot {_CROWD}.")
    if choices.owner in who:
        reading.note(f"The file has one member, taken as {choices.owner}.")
