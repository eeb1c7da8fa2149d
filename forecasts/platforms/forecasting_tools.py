"""forecasting-tools: reports and benchmarks of bots, as JSON lines or a list.

Each report is one forecast of a bot. The crowd's, ``community_prediction_at_access_time``, is never
read.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from forecasts.common import limits
from forecasts.common.errors import Problem
from forecasts.folder.frames import MODEL_COLUMNS
from forecasts.platforms.entries import (
    LAST_TIME,
    Entry,
    columns_of,
    json_files,
    require_sound,
    starts_with,
)
from forecasts.platforms.json_records import records
from forecasts.platforms.percentiles import read_percentiles
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

PLATFORM = "forecasting-tools"
# The heading that a rationale without one gets: a report's explanation begins with one.
HEADING = "# Rationale\n\n"
_TYPES = {"binary": "binary", "multiple_choice": "multiple_choice", "date": "date"}
_TYPES |= dict.fromkeys(("numeric", "discrete"), "numeric")
_ROUNDING = 0.011  # that a sum of probabilities may be off in a report


def recognises(source: Source) -> bool:
    """Return whether a file begins with a report or a benchmark."""
    return starts_with(source, ["forecast_bot_class_name"], ["question", "question_text"])


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


def read(source: Source, choices: Choices) -> PlatformRecord:
    """Return the questions of the reports, and each report as a forecast of its bot."""
    problems: list[Problem] = []
    left_out: list[LeftOut] = []
    reports: dict[Any, _Report] = {}
    for name in json_files(source):
        for number, fields in records(source, name):
            entry = Entry(f"{name}, record {number:,}", fields, problems)
            for report in _reports(entry, choices, left_out):
                key = (
                    *(report.question["question_id"], report.bot.handle, report.made_at),
                    repr(sorted(report.value.items())),
                )
                reports[key] = report
    require_sound(source, problems)
    newest: dict[str, _Report] = {}
    for report in sorted(reports.values(), key=lambda one: one.made_at):
        newest[report.question["question_id"]] = report
    opened: dict[str, datetime] = {}
    for report in reports.values():
        slug = report.question["question_id"]
        opened[slug] = min(opened.get(slug, report.made_at), report.made_at)
    found = [one for one in reports.values() if _fits(one, newest, left_out)]
    asked = [
        {**one.question, "open_time": one.question["open_time"] or opened[slug]}
        for slug, one in newest.items()
    ]
    values = [_aligned(one, newest[one.question["question_id"]].question) for one in found]
    places = {
        "questions": [one.entry.place for one in newest.values()],
        "forecasts": [one.entry.place for one in found],
    }
    frames = frames_of(
        columns_of(asked),
        {
            "question_id": [one.question["question_id"] for one in found],
            "forecaster": [one.bot.handle for one in found],
            "made_at": [one.made_at for one in found],
            "probability": [value.get("probability", math.nan) for value in values],
            "probabilities": [value.get("probabilities") for value in values],
            "quantiles": [value.get("quantiles") for value in values],
            "rationale": [_rationale(one.entry) for one in found],
        },
        bots=[one.bot.handle for one in found],
        place=lambda table, row: places[table][row],
    )
    costs = [one.entry.number("price_estimate", low=0) for one in found]
    # A cost is kept with its model's name, also where the file does not name it.
    used = [
        one.bot.model or ("unnamed" if cost == cost else "")
        for one, cost in zip(found, costs, strict=True)
    ]
    models = {
        "model": used,
        "version": [one.bot.version if one.bot.model else "" for one in found],
        "cost": costs,
    }
    origins = {
        "question_id": [one["question_id"] for one in asked],
        "platform_id": [str(one["question_id"]).removeprefix(f"{PLATFORM}-") for one in asked],
        "url": [one.entry.entry("question").address("page_url") for one in newest.values()],
    }
    require_sound(source, problems)
    return PlatformRecord(
        PLATFORM,
        replace(frames, models=frame_of(MODEL_COLUMNS, models)),
        frame_of(ORIGIN_COLUMNS, origins),
        frame_of(PRINTED_COLUMNS, {}),
        left_out=left_out,
        notes=[
            "A report has no time of its own: its forecast counts from when its question was "
            "fetched, plus the minutes that it took."
        ],
    )


def _reports(entry: Entry, choices: Choices, left_out: list[LeftOut]) -> list[_Report]:
    """Return the report of a record, or those of a benchmark."""
    if "forecast_reports" not in entry.fields:
        return _report(entry, _Bot(f"{choices.owner}-bot"), choices, left_out)
    for number, error in enumerate(entry.values("failed_report_errors", str, short=False), 1):
        place = f"{entry.place}, failed_report_errors {number}"
        left_out.append(LeftOut(place, error[:200], "a forecast that failed"))
    llms = entry.entry("forecast_bot_config").entry("llms")
    default = llms.fields.get("default")
    model = (
        llms.entry("default").name("original_model")
        if isinstance(default, dict)
        else llms.name("default")
    )
    kind = entry.name("forecast_bot_class_name")
    given = entry.name("explicit_name") or entry.name("name")
    bot = _Bot(
        given or " ".join(filter(None, (kind, model))) or f"{choices.owner}-bot",
        model or kind,
        entry.name("git_commit_hash"),
        entry.time("timestamp", zone=choices.zone),
    )
    rows = entry.entries("forecast_reports", limits.ROWS)
    return [one for row in rows for one in _report(row, bot, choices, left_out)]


def _report(entry: Entry, bot: _Bot, choices: Choices, left_out: list[LeftOut]) -> list[_Report]:
    about = entry.entry("question")
    title = about.text("question_text", required=True, most=limits.NAME_BYTES)
    for number, error in enumerate(entry.values("errors", str, short=False), 1):
        place = f"{entry.place}, errors {number}"
        left_out.append(LeftOut(place, error[:200], "an error on the way to the forecast"))
    kind = about.text("question_type") or _guessed(entry)
    if kind not in _TYPES:
        left_out.append(LeftOut(entry.place, title, f"a {kind or 'question of no kind'} question"))
        return []
    at = about.time("date_accessed", zone=choices.zone) or bot.ran_at
    if at is None:
        about.wrong("date_accessed", "required, as a report has no other time")
        return []
    minutes = entry.number("minutes_taken", low=0, high=1e6)
    made_at = at if math.isnan(minutes) else at + timedelta(minutes=minutes)
    question = _question(about, title, _TYPES[kind])
    value = _value(entry, question)
    return [_Report(question, entry, bot, made_at, value)]


def _guessed(entry: Entry) -> str:
    """Return the kind of question that a report of an old version is on, by its prediction."""
    value = entry.fields.get("prediction", entry.fields.get("prediction_in_decimal"))
    if isinstance(value, dict):
        return "numeric" if "declared_percentiles" in value else "multiple_choice"
    return "binary"


def _question(about: Entry, title: str, kind: str) -> dict[str, Any]:
    """Return the cells of a question."""
    own = about.entry("custom_metadata").name("question_id") or about.name("id_of_question")
    digest = hashlib.sha256(title.encode()).hexdigest()[:16]
    group = about.text("group_question_option")
    opened = about.time("open_time") or about.time("published_time")
    closes = about.time("close_time") or about.time("scheduled_resolution_time") or LAST_TIME
    known_at = about.time("actual_resolution_time")
    if opened is not None and closes <= opened:
        about.wrong("close_time", "after the question opened")
    cells: dict[str, Any] = {
        "question_id": f"{PLATFORM}-{(own or digest).removeprefix(f'{PLATFORM}-')}",
        "title": f"{title} ({group})" if group and group not in title else title,
        "type": kind,
        "open_time": opened,
        "scheduled_close_time": closes,
        "scheduled_resolve_time": about.time("scheduled_resolution_time"),
        "actual_close_time": known_at if known_at is not None and known_at < closes else None,
        "background": about.text("background_info", most=limits.PROSE_BYTES),
        "resolution_criteria": about.text("resolution_criteria", most=limits.PROSE_BYTES),
        "fine_print": about.text("fine_print", most=limits.PROSE_BYTES),
        "tags": about.values("tournament_slugs", str) or None,
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
        return {"probability": entry.number(name, low=0, high=1, required=True)}
    prediction = entry.entry("prediction")
    if kind in ("numeric", "date"):
        bounds = question["lower_bound"], question["upper_bound"]
        return {"quantiles": read_percentiles(prediction, kind, *bounds)} if all(bounds) else {}
    shares = {
        part.text("option_name", required=True): part.number(
            "probability", low=0, high=1, required=True
        )
        for part in prediction.entries("predicted_options")
    }
    total = math.fsum(shares.values())
    if shares and not math.isnan(total) and abs(total - 1) <= _ROUNDING:
        return {"shares": {name: p / total for name, p in shares.items()}}
    prediction.wrong("predicted_options", "probabilities that sum to 1")
    return {}


def _fits(report: _Report, newest: Mapping[str, _Report], left_out: list[LeftOut]) -> bool:
    """Return whether the newest wording has all options of a report; one that lacks is left out."""
    options = newest[report.question["question_id"]].question.get("options")
    lost = [name for name in report.value.get("shares", {}) if name not in (options or ())]
    if lost:
        reason = f"the question has no option {lost[0]!r} any more"
        left_out.append(LeftOut(report.entry.place, str(report.question["title"]), reason))
    return not lost


def _aligned(report: _Report, question: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the value with probabilities in the order of the options."""
    if "shares" not in report.value:
        return report.value
    return {"probabilities": [report.value["shares"].get(one) for one in question["options"]]}


def _rationale(entry: Entry) -> str:
    return entry.text("explanation").removeprefix(HEADING)
