"""Confido: the CSV of predictions, of one question or of several, by its members or by its group.

Its ``brier`` is (0.25 - (outcome - p)²)·4, from -3 to 1 and higher is better: it is kept as a
printed score, never read as a Brier score. A file of one question has neither its id nor its title.
No file has the times of a question, and only one with buckets has the range of a number.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd

from forecasts.common.times import iso
from forecasts.folder.frames import TIME_DTYPE
from forecasts.folder.tables import Table
from forecasts.platforms.columns import csv_with, hashed_id, require_sound
from forecasts.platforms.record import (
    ORIGIN_COLUMNS,
    PRINTED_COLUMNS,
    Choices,
    LeftOut,
    PlatformRecord,
    frame_of,
    frames_of,
)
from forecasts.platforms.source import Source
from forecasts.values import distributions

_NEEDED = ("timestamp", "date", "time")
_KINDS = {
    "question_id": "text",
    "question": "text",
    "user_id": "text",
    "nick": "text",
    "timestamp": "number",
    "date": "text",
    "time": "text",
    "probability": "number",
    "mean": "text",
    "stdev": "number",
    "resolution": "text",
    "brier": "number",
}
_CROWD = "confido-group"
_NUMBER, _DAY = r"-?\d+(?:\.\d+)?", r"\d{4}-\d{2}-\d{2}"
_BUCKET = re.compile(r"bucket(\d+)(?:_(.+))?")
_RANGE = re.compile(rf"({_DAY})-({_DAY})|({_NUMBER})-({_NUMBER})")
_PLAIN_ID = re.compile(r"[A-Za-z0-9._-]{1,80}")
_TOLERANCE = 0.01  # of the sum of a forecast's buckets
_LEVELS = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)  # of a mean and a deviation
_WIDTH = 4  # deviations on either side of a mean that a range from forecasts covers
_DAY_SECONDS = 86_400
_LATEST = 253_370_764_800  # seconds from 1970 to 9999
_AFTER_LAST, _OPEN_FOR = pd.Timedelta(days=1), pd.Timedelta(days=365)


def recognises(source: Source) -> bool:
    """Return whether a CSV file has predictions of Confido."""
    return any(
        {*_NEEDED} <= {*header} and bool({"probability", "mean"} & {*header})
        for header in source.headers.values()
    )


def read(source: Source, choices: Choices) -> PlatformRecord:
    """Return the predictions of the file; the group's only with ``choices.aggregates``."""
    name = csv_with(source, _NEEDED)
    header = source.headers[name]
    buckets = _Buckets.of(header)
    table = source.table(name, _KINDS | dict.fromkeys(buckets.columns, "number"))
    rows = table.frame
    if "question_id" not in header:
        rows["question_id"] = rows["question"] = table.path.stem
    rows["kind"] = _kinds(rows)
    _check(table, buckets)
    require_sound(table)
    rows["who"] = _handles(rows, choices.owner)
    rows["made_at"] = pd.to_datetime(rows["timestamp"], unit="s", utc=True).astype(TIME_DTYPE)
    made = rows[(rows["who"] != _CROWD) | choices.aggregates].reset_index(names="row")
    groups = [group for _, group in made.groupby("question_id", sort=False)]
    questions = [_question(group, buckets) for group in groups]
    places = {"questions": [one.pop("row") for one in questions], "forecasts": made["row"].tolist()}
    ids = {
        group["question_id"].iloc[0]: one["question_id"]
        for group, one in zip(groups, questions, strict=True)
    }
    frames = frames_of(
        {column: [one[column] for one in questions] for column in (questions or [{}])[0]},
        {
            "question_id": made["question_id"].map(ids),
            "forecaster": made["who"],
            "made_at": made["made_at"],
            "probability": made["probability"],
            "quantiles": [_quantiles(row, buckets) for row in made.to_dict("records")],
        },
        bots=[_CROWD],
        place=lambda of, row: table.place(int(places[of][row])),
    )
    return PlatformRecord(
        platform="confido",
        frames=frames,
        origins=frame_of(
            ORIGIN_COLUMNS, {"question_id": list(ids.values()), "platform_id": list(ids)}
        ),
        printed=_printed(made, ids),
        left_out=list(_left_out(table, choices)),
        notes=list(_notes(table, made, buckets, choices)),
    )


@dataclass(frozen=True)
class _Buckets:
    """The columns of buckets, and the edges of their ranges; none if the header has no ranges."""

    columns: Sequence[str] = ()
    edges: Sequence[float] = ()

    @classmethod
    def of(cls, header: Sequence[str]) -> _Buckets:
        found = sorted(
            (match for name in header if (match := _BUCKET.fullmatch(name))),
            key=lambda match: int(match[1]),
        )
        columns = [match[0] for match in found]
        ranges = [_RANGE.fullmatch(match[2] or "") for match in found]
        try:
            ends = [
                [_figure(end) for end in each.groups() if end is not None]
                for each in ranges
                if each is not None
            ]
        except ValueError:  # an impossible day
            ends = []
        edges = [ends[0][0], *(high for _, high in ends)] if ends else []
        rises = all(low < high for low, high in itertools.pairwise(edges))
        return cls(columns, edges if len(ends) == len(columns) and rises else [])


def _figure(text: str) -> float:
    """Return a number, or a day in seconds since 1970; ValueError for anything else."""
    if re.fullmatch(_DAY, text):
        return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
    if not re.fullmatch(_NUMBER, text):
        raise ValueError(text)
    return float(text)


def _is_outcome(text: str, kind: str) -> bool:
    if kind == "binary":
        return text in ("0", "1")
    try:
        return math.isfinite(_figure(text)) and bool(re.fullmatch(_DAY, text)) == (kind == "date")
    except ValueError:
        return False


def _kinds(rows: pd.DataFrame) -> pd.Series[Any]:
    """Return the type of question that each row's forecast fits; blank without a forecast."""
    kind = rows["mean"].where(rows["mean"] == "", "numeric")
    kind = kind.mask(rows["mean"].str.fullmatch(_DAY), "date")
    return kind.mask(rows["probability"].notna(), "binary")


def _check(table: Table, buckets: _Buckets) -> None:
    first: dict[str, Any] = {}
    for row, one in enumerate(table.frame.to_dict("records")):
        same = first.setdefault(one["question_id"], one)

        def number(name: str, low: float, high: float, rule: str, row: int = row) -> None:
            value = table.frame[name].iloc[row]
            if row not in table.noted[name] and not low <= value <= high:
                table.wrong(row, name, "" if math.isnan(value) else value, rule)

        number("timestamp", 0, _LATEST, "a time in seconds since 1970")
        if one["kind"] in ("", "binary"):
            number("probability", 0, 1, "a probability from 0 to 1")
            if one["kind"] and one["mean"]:
                table.wrong(row, "mean", one["mean"], "blank beside a probability")
        else:
            number("stdev", 0, math.inf, "a standard deviation, 0 or more")
            if not _is_outcome(one["mean"], one["kind"]):
                table.wrong(row, "mean", one["mean"], "a number or a day")
        if one["kind"] and one["kind"] != same["kind"]:
            rule = f"a {same['kind']} forecast, as in the first row of this question"
            table.wrong(row, "mean" if one["mean"] else "probability", one["kind"], rule)
        elif one["resolution"] != same["resolution"]:
            rule = f"{same['resolution']!r}, as in the first row of this question"
            table.wrong(row, "resolution", one["resolution"], rule)
        elif one["resolution"] and not _is_outcome(one["resolution"], one["kind"]):
            rule = "0, 1 or blank" if one["kind"] == "binary" else "a number, a day or blank"
            table.wrong(row, "resolution", one["resolution"], rule)
        shares = [share for name in buckets.columns if not math.isnan(share := one[name])]
        if shares and (min(shares) < 0 or abs(sum(shares) - 1) > _TOLERANCE):
            rule = "probabilities that sum to 1, over all buckets"
            table.wrong(row, buckets.columns[0], f"{sum(shares):g} in all", rule)


def _handles(rows: pd.DataFrame, owner: str) -> pd.Series[Any]:
    """Return each row's forecaster: the nickname, or the id without one or if others share it.

    The only member in a file is its owner.
    """
    people = rows[rows["user_id"] != ""]
    members = people.groupby("nick")["user_id"].nunique()
    is_name = rows["nick"].map(members).eq(1) & (rows["nick"].str.strip() != "")
    handle = rows["nick"].str.strip().where(is_name, rows["user_id"])
    if people["user_id"].nunique() == 1:
        handle = handle.where(rows["user_id"] == "", owner)
    return handle.where(handle != "", _CROWD)


def _question(group: pd.DataFrame, buckets: _Buckets) -> dict[str, Any]:
    """Return the question of these predictions, with the times and the range they suggest."""
    one = group.iloc[0]
    kind, given, outcome = one["kind"], one["question_id"], one["resolution"]
    low, high = "", ""
    if kind == "binary":
        outcome = {"0": "no", "1": "yes"}.get(outcome, "")
    else:
        low, high = (_text(bound, kind) for bound in _range(group, buckets))
    last = group["made_at"].max()
    return {
        "row": one["row"],
        "question_id": f"confido-{given}"
        if _PLAIN_ID.fullmatch(given)
        else hashed_id("confido", given),
        "title": one["question"] or given,
        "type": kind,
        "lower_bound": low,
        "upper_bound": high,
        "open_time": group["made_at"].min(),
        "scheduled_close_time": last + (_AFTER_LAST if outcome else _OPEN_FOR),
        "resolution": outcome,
    }


def _range(group: pd.DataFrame, buckets: _Buckets) -> tuple[float, float]:
    """Return the question's range: that of its buckets, else one around its forecasts."""
    if buckets.edges:
        return buckets.edges[0], buckets.edges[-1]
    curves = [_curve(row) for row in group.to_dict("records")]
    ends = [curve.mean + side * _WIDTH * curve.stdev for curve in curves for side in (-1, 1)]
    ends += [_figure(text) for text in group["resolution"].unique() if text]
    low, high = min(ends), max(ends)
    # In round steps, so that one more forecast seldom moves it.
    step = 10.0 ** math.floor(math.log10(max(high - low, abs(high) * 1e-6, 1e-6)))
    if group["kind"].iloc[0] == "date":
        step = max(_DAY_SECONDS, math.ceil(step / _DAY_SECONDS) * _DAY_SECONDS)
    return math.floor(low / step) * step, (math.floor(high / step) + 1) * step


def _curve(row: Mapping[Any, Any]) -> NormalDist:
    """Return the normal curve with the mean and the deviation of a forecast."""
    spread = row["stdev"] * (_DAY_SECONDS if row["kind"] == "date" else 1)
    return NormalDist(_figure(row["mean"]), spread)


def _quantiles(row: Mapping[Any, Any], buckets: _Buckets) -> dict[str, Any] | None:
    """Return a forecast's quantiles: of its buckets, else of a normal curve."""
    kind = row["kind"]
    if kind == "binary":
        return None
    shares = np.array([row[name] for name in buckets.columns])
    if buckets.edges and not np.isnan(shares).all():
        rising = np.concatenate([[0.0], np.nancumsum(shares)])
        [found] = distributions.quantiles(
            (rising / rising[-1])[np.newaxis], np.array(buckets.edges), kind
        )
        return found
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


def _printed(made: pd.DataFrame, ids: dict[str, str]) -> pd.DataFrame:
    """Return the score of each forecaster's last forecast on each question."""
    scored = made.dropna(subset=["brier"]).sort_values("made_at", kind="stable")
    last = scored.drop_duplicates(["question_id", "who"], keep="last").reset_index()
    return frame_of(
        PRINTED_COLUMNS,
        {
            "question_id": last["question_id"].map(ids),
            "forecaster": last["who"],
            "name": ["brier"] * len(last),
            "score": last["brier"],
        },
    )


def _left_out(table: Table, choices: Choices) -> Iterator[LeftOut]:
    rows = table.frame
    if not choices.aggregates:
        for row in np.flatnonzero(rows["who"] == _CROWD).tolist():
            value = rows["probability"].iloc[row]
            shown = rows["mean"].iloc[row] if math.isnan(value) else f"{value:g}"
            yield LeftOut(table.place(row), shown, "the group's forecast, which nobody made")
    known = {*_KINDS, *(name for name in table.header if _BUCKET.fullmatch(name))}
    if unused := [name for name in table.header if name not in known]:
        reason = "a ledger has no place for these columns"
        yield LeftOut(table.path.name, ", ".join(unused), reason)


def _notes(table: Table, made: pd.DataFrame, buckets: _Buckets, choices: Choices) -> Iterator[str]:
    yield (
        "Confido exports no times of questions: each opens with its first forecast, and closes a "
        "day after its last if it is resolved, else a year after."
    )
    if "question_id" not in table.header:
        yield f"The file names no question; {table.path.stem!r}, its own name, is id and title."
    if (made["kind"] != "binary").any() and not buckets.edges:
        yield (
            "The file has no range of numbers: it covers the forecasts and the outcome, and each "
            "forecast is read as a normal curve."
        )
    if made["brier"].notna().any():
        yield (
            'Confido\'s "brier" is (0.25 - (outcome - p)²)·4, higher is better. It prints one for '
            "each forecast; the last of each forecaster is kept."
        )
    if (made["who"] == _CROWD).any():
        yield f"The group's forecasts are those of the bot {_CROWD}."
    if (made["who"] == choices.owner).any():
        yield f"The file has one member, taken as {choices.owner}."
