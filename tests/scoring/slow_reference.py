"""The scoring contract implemented again, slowly and plainly.

Questions and forecasts are dictionaries, times are integer microseconds, and everything is a loop
over questions, forecasters or moments. It shares no code with the package.
"""

from __future__ import annotations

import itertools
import math
from statistics import median
from typing import Any

import pandas as pd

DAY = 86_400_000_000
Row = dict[str, Any]
Segment = tuple[int, int, Any]

# Rule, timing, reference, scale. The rule "gjo" is Good Judgment Open's.
Choice = tuple[str, str, str | None, float | str]
PROTOCOLS: dict[str, Choice] = {
    "brier": ("brier", "live_average", None, 1),
    "brier_original": ("brier_original", "live_average", None, 1),
    "brier_final": ("brier", "final", None, 1),
    "log": ("log", "live_average", None, 1),
    "spherical": ("spherical", "live_average", None, 1),
    "rps": ("rps", "live_average", None, 1),
    "crps": ("crps", "live_average", None, 1),
    "skill": ("brier", "scheduled_average", "peers", 100),
    "crowd_skill": ("brier", "scheduled_average", "crowd_mean", 100),
    "crowd_median": ("brier", "scheduled_average", "crowd_median", 100),
    "metaculus_baseline": ("log", "scheduled_average", "uniform", "100 / ln K"),
    "metaculus_peer": ("log", "scheduled_average", "peers", 100),
    "metaculus_spot_baseline": ("log", "spot", "uniform", "100 / ln K"),
    "metaculus_spot_peer": ("log", "spot", "peers", 100),
    "gjo_brier": ("gjo", "daily", None, 1),
    "gjo_accuracy": ("gjo", "daily", "daily_median", "participation"),
    "brier_lead(2)": ("brier", "lead(2)", None, 1),
    "log_lead(0.5)": ("log", "lead(0.5)", None, 1),
}


# --- one forecast -----------------------------------------------------------------------------


def vectors(p: Any, question: Row) -> tuple[list[float], list[float]]:
    """The options that the forecast had, and the outcome among them."""
    y = question["outcome"]
    if question["type"] == "binary":
        return [1 - p, p], [1 - y, y]
    if p[y] is None:
        y = len(p) - 1
    there = [k for k in range(len(p)) if p[k] is not None]
    return [p[k] for k in there], [1.0 if k == y else 0.0 for k in there]


def rule(name: str, p: Any, question: Row) -> float:
    if name == "crps":
        return crps(p, question)
    if name == "gjo":
        ordered = question["type"] == "multiple_choice" and question["ordered"]
        name = "rps_original" if ordered else "brier_original"
    factor = 2 if name.endswith("_original") else 1
    formula = {"brier": brier, "log": log, "spherical": spherical, "rps": rps}
    return factor * formula[name.removesuffix("_original")](*vectors(p, question))


def brier(p: list[float], y: list[float]) -> float:
    return sum((a - b) ** 2 for a, b in zip(p, y, strict=True)) / 2


def log(p: list[float], y: list[float]) -> float:
    total = 0.0
    for a, b in zip(p, y, strict=True):
        if b > 0:
            total += math.inf if a == 0 else -b * math.log(a)
    return total


def spherical(p: list[float], y: list[float]) -> float:
    hit = sum(a * b for a, b in zip(p, y, strict=True))
    return 1 - hit / math.sqrt(sum(a * a for a in p))


def rps(p: list[float], y: list[float]) -> float:
    if len(p) == 1:
        return 0.0
    splits = range(1, len(p))
    return sum((sum(p[:k]) - sum(y[:k])) ** 2 for k in splits) / len(splits)


def crps(quantiles: dict[str, float], question: Row) -> float:
    """Piece by piece; two Gauss points integrate the square of a line exactly."""
    lower, upper = question["lower_bound"], question["upper_bound"]
    pairs = sorted((float(k), v) for k, v in quantiles.items() if k not in ("below", "above"))
    knots = [(lower, quantiles.get("below", 0.0)), *[(v, k) for k, v in pairs],
             (upper, 1 - quantiles.get("above", 0.0))]  # fmt: skip
    outcome = min(max(question["outcome"], lower), upper)

    def cumulative(z: float) -> float:
        for (z0, f0), (z1, f1) in itertools.pairwise(knots):
            if z0 <= z < z1:
                return f0 + (f1 - f0) * (z - z0) / (z1 - z0)
        raise AssertionError

    total = 0.0
    for a, b in itertools.pairwise(sorted({outcome, *[z for z, _ in knots]})):
        for z in ((a + b) / 2 - (b - a) / math.sqrt(12), (a + b) / 2 + (b - a) / math.sqrt(12)):
            came = 1.0 if z >= question["outcome"] else 0.0
            total += (cumulative(z) - came) ** 2 * (b - a) / 2
    return total / (upper - lower)


# --- one path ---------------------------------------------------------------------------------


def live_segments(question: Row, rows: list[Row]) -> list[Segment]:
    """The live segments of one forecaster's rows, in the order of the frame."""
    opened, closed = question["open"], question["close"]
    stable = sorted(rows, key=lambda row: row["time"])
    segments = []
    for i, row in enumerate(stable):
        start = max(row["time"], opened)
        end = min(stable[i + 1]["time"] if i + 1 < len(stable) else closed, closed)
        if row["p"] is not None and start < end:
            segments.append((start, end, row["p"]))
    return segments


def at(segments: list[Segment], moment: int) -> Any:
    for start, end, p in segments:
        if start <= moment < end:
            return p
    return None


def clock(question: Row, timing: str, paths: dict[str, list[Segment]]) -> list[dict[str, Any]]:
    """The ticks of a timing: the width of each, and everyone's forecast during it."""
    opened, closed, scheduled = question["open"], question["close"], question["scheduled"]
    if timing in ("live_average", "scheduled_average"):
        moments = {opened, closed}
        for path in paths.values():
            moments |= {moment for segment in path for moment in segment[:2]}
        ordered = sorted(moments)
        return [
            {"width": b - a, "said": {who: at(path, a) for who, path in paths.items()}}
            for a, b in itertools.pairwise(ordered)
        ]
    if timing == "daily":
        ticks = []
        for day in range(opened // DAY, (closed - 1) // DAY + 1):
            said = {}
            for who, path in paths.items():
                on_the_day = [p for a, b, p in path if a < (day + 1) * DAY and b > day * DAY]
                said[who] = on_the_day[-1] if on_the_day else None
            ticks.append({"width": 1, "said": said})
        return ticks
    if timing == "final":
        moment = closed - 1
    elif timing == "spot":
        moment = min(max(question["spot"], opened), closed - 1)
    else:
        moment = scheduled - int(float(timing[5:-1]) * DAY)
        if moment >= closed:
            return []
    return [{"width": 1, "said": {who: at(path, moment) for who, path in paths.items()}}]


# --- one question -----------------------------------------------------------------------------


def mean_forecast(said: list[Any], question: Row) -> Any:
    """The mean of forecasts; an option not yet added has no probability of its own.

    If the outcome is such an option, its probability is that of the last one.
    """
    if question["type"] == "binary":
        return sum(said) / len(said)
    read = []
    for p in said:
        full = [0.0 if q is None else q for q in p]
        if p[question["outcome"]] is None:
            full[question["outcome"]], full[-1] = full[-1], 0.0
        read.append(full)
    return [sum(column) / len(said) for column in zip(*read, strict=True)]


def reference_score(
    reference: str, name: str, question: Row, me: str, said: dict[str, Any]
) -> float | None:
    """The reference of the forecaster at one moment; None if nobody else is live."""
    others = [p for who, p in said.items() if who != me and p is not None]
    if reference == "uniform":
        mine = said[me]
        if question["type"] == "binary":
            return rule(name, 0.5, question)
        if question["type"] == "numeric":
            return rule(name, {}, question)
        there = sum(p is not None for p in mine)
        return rule(name, [None if p is None else 1 / there for p in mine], question)
    if not others:
        return None
    if reference == "peers":
        return sum(rule(name, p, question) for p in others) / len(others)
    if reference == "crowd_mean":
        return rule(name, mean_forecast(others, question), question)
    if reference == "perfect_peer":
        return 0.0
    assert reference == "crowd_median"
    return rule(name, median(others), question)


def applies(name: str, reference: str | None, question: Row) -> bool:
    if (name == "crps") != (question["type"] == "numeric"):
        return False
    choice = question["type"] == "multiple_choice"
    if reference == "crowd_median" and question["type"] != "binary":
        return False
    return not (name.startswith("rps") and choice and not question["ordered"])


def score_question(question: Row, rows: list[Row], protocol: str, choice: Choice) -> list[Row]:
    name, timing, reference, scale = choice
    if question["outcome"] is None or question["close"] <= question["open"]:
        return []
    if not applies(name, reference, question):
        return []
    everyone = sorted({row["forecaster"] for row in rows})
    paths = {
        who: live_segments(question, [row for row in rows if row["forecaster"] == who])
        for who in everyone
    }
    ticks = clock(question, timing, paths)
    whole = question["scheduled"] - question["open"]
    found = []
    for who in everyone:
        total, live = 0.0, 0
        for tick in ticks:
            p = tick["said"][who]
            if p is None:
                continue
            live += tick["width"]
            earned = rule(name, p, question)
            if reference not in (None, "daily_median"):
                against = reference_score(reference, name, question, who, tick["said"])
                earned = 0.0 if against is None else against - earned
            if scale == "100 / ln K":
                many = question["type"] == "multiple_choice"
                options = sum(q is not None for q in p) if many else 2
                earned *= 100 / math.log(options) if options > 1 else 0.0
            total += earned * tick["width"]
        if not live:
            continue
        value = total / (whole if timing == "scheduled_average" else live)
        coverage = sum(b - a for a, b, _ in paths[who]) / whole
        if timing == "spot":
            coverage = 1.0
        if timing == "daily":
            coverage = live / len(ticks)
        if reference == "daily_median":
            scores = [
                ([rule(name, p, question) for p in tick["said"].values() if p is not None],
                 tick["width"])
                for tick in ticks
            ]  # fmt: skip
            time = sum(width for said, width in scores if said)
            value -= sum(median(said) * width for said, width in scores if said) / time
        if scale == "participation":
            value *= coverage
        elif isinstance(scale, int | float):
            value *= scale
        updates = sum(
            row["forecaster"] == who and row["p"] is not None and row["time"] < question["close"]
            for row in rows
        )
        found.append({"question_id": question["question_id"], "forecaster": who,
                      "protocol": protocol, "score": value, "coverage": coverage,
                      "updates": updates})  # fmt: skip
    return found


def score(
    questions: list[Row], forecasts: list[Row], protocol: str, choice: Choice | None = None
) -> pd.DataFrame:
    """The scores of all questions, in the contract's order.

    ``choice`` holds the parts of a protocol that has no name.
    """
    found = []
    for question in sorted(questions, key=lambda q: q["question_id"]):
        rows = [row for row in forecasts if row["question_id"] == question["question_id"]]
        found += score_question(question, rows, protocol, choice or PROTOCOLS[protocol])
    names = ["question_id", "forecaster", "protocol", "score", "coverage", "updates"]
    return pd.DataFrame(found, columns=names)


# --- the same as frames -----------------------------------------------------------------------


def stamp(time: int) -> pd.Timestamp:
    return pd.Timestamp(time, unit="us", tz="UTC")


def question_frame(questions: list[Row]) -> pd.DataFrame:
    rows = []
    for q in questions:
        outcome = q["outcome"]
        if outcome is not None and q["type"] == "multiple_choice":
            outcome = q["options"][outcome]
        times = {"open_time": "open", "scheduled_close_time": "scheduled",
                 "actual_close_time": "close", "spot_time": "spot"}  # fmt: skip
        names = ("question_id", "type", "options", "ordered", "lower_bound", "upper_bound")
        rows.append(
            {name: q.get(name) for name in names}
            | {column: stamp(q[name]) for column, name in times.items()}
            | {"resolution": q.get("void", "") if outcome is None else outcome}
        )
    return pd.DataFrame(rows)


def forecast_frame(questions: list[Row], forecasts: list[Row]) -> pd.DataFrame:
    column = {"binary": "probability", "multiple_choice": "probabilities", "numeric": "quantiles"}
    types = {q["question_id"]: q["type"] for q in questions}
    nothing = {"probability": math.nan, "probabilities": None, "quantiles": None}
    rows = [
        {"question_id": row["question_id"], "forecaster": row["forecaster"]}
        | {"made_at": stamp(row["time"])}
        | nothing
        | ({} if row["p"] is None else {column[types[row["question_id"]]]: row["p"]})
        for row in forecasts
    ]
    return pd.DataFrame(rows, columns=["question_id", "forecaster", "made_at", *nothing])


def frames(ledger: tuple[list[Row], list[Row]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    asked, made = ledger
    return question_frame(asked), forecast_frame(asked, made)
