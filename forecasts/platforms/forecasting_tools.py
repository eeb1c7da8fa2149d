"""forecasting-tools: reports and benchmarks of bots, as JSON lines or a list.

Each report is one forecast of a bot. The crowd's, ``community_prediction_at_access_time``, is never
read. ``write`` makes a benchmark, one line for each bot and model, which
``BenchmarkForBot.load_json_from_file_path`` of version 0.3.5 loads. It has no reports on dates.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from forecasts.common import limits
from forecasts.common.times import iso
from forecasts.folder.drafts import drafted
from forecasts.folder.frames import MODEL_COLUMNS, Frames, rows
from forecasts.platforms.reading import LAST_TIME, PROSE, TITLE, Entry, Field, Reading
from forecasts.platforms.record import Choices, PlatformRecord
from forecasts.platforms.source import Source
from forecasts.platforms.written import Written, each_counted, omitted
from forecasts.values.distributions import quantiles
from forecasts.values.outcomes import bounds, figure_to_float
from forecasts.values.value import OUTSIDE_LEVELS

PLATFORM = "forecasting-tools"
# The heading that a rationale without one gets: a report's explanation begins with one.
HEADING = "# Rationale\n\n"
_QUESTION = {
    "title": Field("question_text", "text", TITLE),
    "scheduled_resolve_time": Field("scheduled_resolution_time", "time"),
    "background": Field("background_info", "text", PROSE),
    "resolution_criteria": Field("resolution_criteria", "text", PROSE),
    "fine_print": Field("fine_print", "text", PROSE),
    "tags": Field("tournament_slugs", "values", {"kind": str}),
}
# The fields of a question in a file that is written, by the ledger's names.
_WRITTEN = {ours: one.name for ours, one in _QUESTION.items()} | {
    "type": "question_type",
    "unit": "unit_of_measure",
    "open_time": "open_time",
    "scheduled_close_time": "close_time",
    "resolution": "resolution_string",
    "known_at": "actual_resolution_time",
}
_TYPES = {"binary": "binary", "multiple_choice": "multiple_choice", "date": "date"}
_TYPES |= dict.fromkeys(("numeric", "discrete"), "numeric")
_SHARE: Mapping[str, Any] = {"low": 0, "high": 1, "required": True}
_DECLARED = 50  # points; more are a whole CDF, of which only the corners are kept
_ROUNDING = 0.011  # that a sum of probabilities may be off in a report


@dataclass(frozen=True)
class _Bot:
    """A bot's handle, the model behind its forecasts, its code's version, and when it ran."""

    handle: str
    model: str = ""
    version: str = ""
    ran_at: datetime | None = None


@dataclass(frozen=True)
class _Report:
    question: Mapping[str, Any]
    entry: Entry
    bot: _Bot
    made_at: datetime
    value: Mapping[str, Any]

    @property
    def slug(self) -> str:
        """The question's id."""
        return str(self.question["question_id"])


def read(source: Source, choices: Choices) -> PlatformRecord:
    """Return the questions of the reports, and each report as a forecast of its bot."""
    reading = Reading(PLATFORM)
    reading.note(
        "A report has no time of its own: its forecast counts from when its question was fetched, "
        "plus the minutes that it took."
    )
    found = [one for each in reading.entries(source) for one in _reports(each, choices, reading)]
    reports = {
        (one.slug, one.bot.handle, one.made_at, repr(sorted(one.value.items()))): one
        for one in found
    }
    reading.require_sound(source.name)
    newest: dict[str, _Report] = {}
    opened: dict[str, datetime] = {}
    for report in sorted(reports.values(), key=lambda one: one.made_at):
        newest[report.slug] = report
        opened.setdefault(report.slug, report.made_at)
    for slug, one in newest.items():
        cells = {**one.question, "open_time": one.question["open_time"] or opened[slug]}
        cells["url"] = one.entry.entry("question").address("page_url")
        reading.question(one.entry.place, cells)
    for one in reports.values():
        _add_forecast(one, newest[one.slug].question.get("options"), reading)
    reading.require_sound(source.name)
    return reading.record()


def _reports(entry: Entry, choices: Choices, reading: Reading) -> list[_Report]:
    """Return the report of a record, or those of a benchmark."""
    if "forecast_reports" not in entry.fields:
        return _report(entry, _Bot(f"{choices.owner}-bot"), choices, reading)
    _leave_out_errors(entry, "failed_report_errors", "a forecast that failed", reading)
    llms = entry.entry("forecast_bot_config").entry("llms")
    is_object = isinstance(llms.fields.get("default"), dict)
    model = llms.entry("default").name("original_model") if is_object else llms.name("default")
    kind = entry.name("forecast_bot_class_name")
    given = entry.name("explicit_name") or entry.name("name")
    bot = _Bot(
        given or " ".join(filter(None, (kind, model))) or f"{choices.owner}-bot",
        model or kind,
        entry.name("git_commit_hash"),
        entry.time("timestamp", zone=choices.zone),
    )
    rows = entry.entries("forecast_reports", limits.ROWS)
    return [one for row in rows for one in _report(row, bot, choices, reading)]


def _leave_out_errors(entry: Entry, name: str, reason: str, reading: Reading) -> None:
    for number, error in enumerate(entry.values(name, str, short=False), 1):
        reading.leave_out(f"{entry.place}, {name} {number}", error[:200], reason)


def _report(entry: Entry, bot: _Bot, choices: Choices, reading: Reading) -> list[_Report]:
    about = entry.entry("question")
    _leave_out_errors(entry, "errors", "an error on the way to the forecast", reading)
    cells = about.cells(_QUESTION)
    kind = about.text("question_type") or _guessed(entry)
    if kind not in _TYPES:
        what = f"a {kind or 'question of no kind'} question"
        reading.leave_out(entry.place, cells["title"], what)
        return []
    at = about.time("date_accessed", zone=choices.zone) or bot.ran_at
    if at is None:
        about.wrong("date_accessed", "required, as a report has no other time")
        return []
    minutes = entry.number("minutes_taken", low=0, high=1e6)
    made_at = at if math.isnan(minutes) else at + timedelta(minutes=minutes)
    question = _question(about, cells, _TYPES[kind])
    return [_Report(question, entry, bot, made_at, _value(entry, question))]


def _guessed(entry: Entry) -> str:
    """Return the kind of question that a report of an old version is on, by its prediction."""
    value = entry.fields.get("prediction", entry.fields.get("prediction_in_decimal"))
    if isinstance(value, dict):
        return "numeric" if "declared_percentiles" in value else "multiple_choice"
    return "binary"


def _question(about: Entry, cells: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return the cells of a question."""
    title = cells["title"]
    own = about.entry("custom_metadata").name("question_id") or about.name("id_of_question")
    own = own.removeprefix(f"{PLATFORM}-") or hashlib.sha256(title.encode()).hexdigest()[:16]
    group = about.text("group_question_option")
    opened = about.time("open_time") or about.time("published_time")
    closes = about.time("close_time") or cells["scheduled_resolve_time"] or LAST_TIME
    known_at = about.time("actual_resolution_time")
    cells |= {
        "question_id": f"{PLATFORM}-{own}",
        "title": f"{title} ({group})" if group and group not in title else title,
        "type": kind,
        "open_time": opened,
        "scheduled_close_time": closes,
        "actual_close_time": known_at if known_at is not None and known_at < closes else None,
        "tags": cells["tags"] or None,
        "family": about.entry("custom_metadata").name("family"),
    }
    if outcome := about.text("resolution_string"):
        cells |= {"resolution": outcome, "known_at": known_at}
    if kind == "multiple_choice":
        cells["options"] = about.values("options", str)
    elif kind == "date":
        for name in ("lower_bound", "upper_bound"):
            at = about.time(name, required=True)
            cells[name] = "" if at is None else at.isoformat().replace("+00:00", "Z")
    elif kind == "numeric":
        cells["unit"] = about.text("unit_of_measure")
        for name in ("lower_bound", "upper_bound"):
            number = about.number(name, required=True)
            cells[name] = "" if math.isnan(number) else repr(number).removesuffix(".0")
    return cells


def _value(entry: Entry, question: Mapping[str, Any]) -> dict[str, Any]:
    """Return the value of a report's forecast: a column and its cell."""
    kind = question["type"]
    if kind == "binary":
        name = "prediction" if "prediction" in entry.fields else "prediction_in_decimal"
        return {"probability": entry.number(name, **_SHARE)}
    prediction = entry.entry("prediction")
    if kind in ("numeric", "date"):
        bounds = question["lower_bound"], question["upper_bound"]
        return {"quantiles": read_percentiles(prediction, kind, *bounds)} if all(bounds) else {}
    shares = {
        part.text("option_name", required=True): part.number("probability", **_SHARE)
        for part in prediction.entries("predicted_options")
    }
    total = math.fsum(shares.values())
    if shares and not math.isnan(total) and abs(total - 1) <= _ROUNDING:
        return {"probabilities": {name: p / total for name, p in shares.items()}}
    prediction.wrong("predicted_options", "probabilities that sum to 1")
    return {}


def _add_forecast(report: _Report, options: list[str] | None, reading: Reading) -> None:
    """Add a report's forecast, unless the question's newest wording lacks one of its options."""
    value = dict(report.value)
    if shares := value.get("probabilities"):
        lost = [name for name in shares if name not in (options or ())]
        if lost:
            reason = f"the question has no option {lost[0]!r} any more"
            reading.leave_out(report.entry.place, str(report.question["title"]), reason)
            return
        value["probabilities"] = [shares.get(option) for option in options or ()]
    bot, cost = report.bot, report.entry.number("price_estimate", low=0)
    cells = {
        "question_id": report.slug,
        "forecaster": bot.handle,
        "made_at": report.made_at,
        "rationale": report.entry.text("explanation").removeprefix(HEADING),
        # A cost is kept with its model's name, also where the file does not name it.
        "model": bot.model or ("" if math.isnan(cost) else "unnamed"),
        "version": bot.version if bot.model else "",
        "cost": cost,
    }
    reading.bots.add(bot.handle)
    reading.forecast(report.entry.place, cells | value)


def read_percentiles(prediction: Entry, kind: str, lower: str, upper: str) -> dict[str, Any]:
    """Return the quantiles within the bounds, and the probability below and above them.

    Faults are noted in the entry's problems. Values of dates are seconds since 1970.
    """
    low, high = (figure_to_float(one, kind) for one in (lower, upper))
    points = [
        (
            point.number("value", required=True),
            point.number("percentile", low=0, high=1, required=True),
        )
        for point in prediction.entries("declared_percentiles")
    ]
    if any(math.isnan(number) for point in points for number in point):
        return {}
    if not points or any(a > b or p >= q for (a, p), (b, q) in itertools.pairwise(points)):
        prediction.wrong("declared_percentiles", "percentiles and values that rise")
        return {}
    values, levels = (np.array(column) for column in zip(*points, strict=True))
    below = float(np.interp(low, values, levels)) if values[0] <= low else 0.0
    above = _rest(float(np.interp(high, values, levels))) if values[-1] >= high else 0.0
    inside = (values > low) & (values < high)
    if inside.sum() > _DECLARED:
        at = np.array([low, *values[inside], high])
        return quantiles(np.array([[below, *levels[inside], 1 - above]]), at, kind)[0]
    found: dict[str, Any] = {
        repr(float(level)): iso(datetime.fromtimestamp(value, UTC))
        if kind == "date"
        else float(value)
        for value, level in zip(values[inside], levels[inside], strict=True)
        if 0 < level < 1
    }
    outside = zip(OUTSIDE_LEVELS, (below, above), strict=True)
    return found | {name: p for name, p in outside if p > 0 or not found}


def declared_percentiles(
    value: Mapping[str, float | str], lower: str, upper: str
) -> list[dict[str, float]]:
    """Return quantiles of a number as points that rise from bound to bound."""
    low, high = (figure_to_float(one, "numeric") for one in (lower, upper))
    inside = sorted(
        (float(level), figure_to_float(figure, "numeric"))
        for level, figure in value.items()
        if level not in OUTSIDE_LEVELS
    )
    below, above = (float(value.get(name, 0)) for name in OUTSIDE_LEVELS)
    points = [(below, low), *inside, (_rest(above), high)]
    rising = points[:1] + [one for last, one in itertools.pairwise(points) if one[0] > last[0]]
    return [{"percentile": level, "value": figure} for level, figure in rising]


def _rest(p: float) -> float:
    """Return one minus a probability, without the noise of the last digit."""
    return float(f"{1 - p:.15g}")


FILE = "benchmark.jsonl"
_NO_PLACE = (
    *("earlier_closes", "ordered", "spot_time", "article_url", "quote", "resolution_note"),
    *("resolution_source", "evidence"),
)


def write(frames: Frames, path: Path, *, overwrite: bool = False) -> Written:
    """Return the file in the folder ``path``, which is written (see ``written``)."""
    left_out: Counter[str] = Counter()
    asked = {row.question_id: row for row in rows(frames.questions)}
    forecasts = frames.forecasts.assign(model="", version="", cost=math.nan)
    if frames.models is not None:
        forecasts[list(MODEL_COLUMNS)] = frames.models
    groups: defaultdict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    newest: dict[tuple[str, str, str], pd.Timestamp] = {}
    for row in rows(forecasts):
        report = _written_report(row, asked[row.question_id], left_out)
        if report is not None:
            key = (row.forecaster, row.model, row.version)
            groups[key].append(report)
            newest[key] = max(newest.get(key, row.made_at), row.made_at)
    # In ASCII, since a line must not hold other line ends.
    lines = [json.dumps(_benchmark(key, some, newest[key])) for key, some in groups.items()]
    with drafted(path, overwrite=overwrite) as draft:
        text = "".join(f"{line}\n" for line in lines)
        (draft / FILE).write_text(text, encoding="utf-8", newline="\n")
    left_out += _others(frames)
    return Written([path / FILE], each_counted(left_out))


def _benchmark(
    key: tuple[str, str, str], reports: list[dict[str, Any]], at: pd.Timestamp
) -> dict[str, Any]:
    handle, model, version = key
    costs = [one["price_estimate"] for one in reports if one["price_estimate"] is not None]
    return {
        "explicit_name": handle,
        "explicit_description": None,
        "forecast_bot_class_name": None,
        "num_input_questions": len(
            {one["question"]["custom_metadata"]["question_id"] for one in reports}
        ),
        "timestamp": at.isoformat(),
        "time_taken_in_minutes": None,
        "total_cost": math.fsum(costs) if costs else None,
        "git_commit_hash": version or None,
        "forecast_bot_config": {"llms": {"default": model}} if model else {},
        "code": None,
        "failed_report_errors": [],
        "forecast_reports": reports,
    }


def _written_report(row: Any, asked: Any, left_out: Counter[str]) -> dict[str, Any] | None:
    """Return a report; None for a forecast without a place, which is each_counted."""
    prediction: Any = None
    omission = "forecast{s} of a date" if asked.type == "date" else "withdrawal{s}"
    if asked.type == "binary":
        prediction = None if pd.isna(row.probability) else row.probability
    elif asked.type == "multiple_choice" and row.probabilities is not None:
        prediction = {
            "predicted_options": [
                {"option_name": option, "probability": p}
                for option, p in zip(asked.options, row.probabilities, strict=True)
                if p is not None
            ]
        }
    elif asked.type == "numeric" and row.quantiles is not None:
        points = declared_percentiles(row.quantiles, asked.lower_bound, asked.upper_bound)
        omission = "forecast{s} beyond the bounds alone"
        if len(points) >= 2:
            # Not strict: the points are taken as they are.
            prediction = _bounds(asked) | {
                "declared_percentiles": points,
                "zero_point": None,
                "cdf_size": 201,
                "standardize_cdf": False,
                "strict_validation": False,
                "is_date": False,
            }
    if prediction is None:
        left_out[omission] += 1
        return None
    heading = "" if row.rationale.strip().startswith("#") else HEADING
    return {
        "question": _written_question(asked, row.made_at),
        "explanation": heading + row.rationale,
        "other_notes": None,
        "price_estimate": None if pd.isna(row.cost) else row.cost,
        "minutes_taken": None,
        "errors": [],
        "prediction": prediction,
    }


def _bounds(asked: Any) -> dict[str, Any]:
    low, high = bounds(asked)
    stated = {"lower_bound": low, "upper_bound": high}
    return stated | {"open_lower_bound": True, "open_upper_bound": True}


def _written_question(asked: Any, accessed: pd.Timestamp) -> dict[str, Any]:
    question = {theirs: _cell(getattr(asked, ours)) for ours, theirs in _WRITTEN.items()}
    question |= {
        "id_of_question": None,
        "state": "resolved" if asked.resolution else None,
        "date_accessed": _cell(accessed),
        "tournament_slugs": asked.tags or [],
        "custom_metadata": {"question_id": asked.question_id, "family": asked.family},
    }
    if asked.type == "multiple_choice":
        question["options"] = asked.options
    elif asked.type == "numeric":
        question |= _bounds(asked)
    return question


def _cell(value: Any) -> Any:
    """Return a value for JSON; None for a blank one."""
    if value is None or value is pd.NaT or value == "":
        return None
    return value.isoformat() if isinstance(value, pd.Timestamp) else value


def _others(frames: Frames) -> Counter[str]:
    """Return the parts of a ledger, beside its forecasts, that the format has no place for."""
    questions = frames.questions
    closed = questions["actual_close_time"].notna()
    early = closed & (questions["actual_close_time"] != questions["known_at"])
    unasked = ~questions["question_id"].isin(frames.forecasts["question_id"])
    people = 0 if frames.members is None else int((frames.members["kind"] == "human").sum())
    others = {
        "question{s} without a forecast": int(unasked.sum()),
        "early close{s}": int(early.sum()),
        "mark{s} that a member is a person": people,
    }
    return Counter(others) + omitted(frames, *_NO_PLACE)
