"""ForecastBench: forecast sets, resolution sets and question sets as JSON, in any number of files.

A market question is listed once for each horizon and counts once; a dataset question is one
question for each due date and resolution date. A row that is not resolved carries the market's
price, which is not an outcome.

``write`` makes submissions: a file for each forecaster and round. The rounds are the due dates of
dataset questions, which are in their ids, and the day of each forecaster's newest forecast. A
forecast goes into the first round due after it. Only the newest on each question counts, as a
submission has one value a question.
"""

from __future__ import annotations

import json
import math
import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from forecasts.common import limits
from forecasts.common.text import counted
from forecasts.folder.drafts import drafted
from forecasts.folder.frames import Frames, rows
from forecasts.platforms.reading import LAST_TIME, Entry, Reading
from forecasts.platforms.record import Choices, PlatformRecord
from forecasts.platforms.source import Source
from forecasts.platforms.written import Written, each_counted, omitted

DATASETS = ("acled", "dbnomics", "fred", "wikipedia", "yfinance")
MISSING = (None, "", "N/A")
_MOST = 5_000_000  # rows of a file, as of any table
_DAY_END = time(23, 59, 59)
_NEVER = LAST_TIME.date().isoformat()
# The texts of a question by their names in a question set.
_TEXTS = {
    "resolution_criteria": "resolution_criteria",
    "fine_print": "market_info_resolution_criteria",
    "background": "background",
}


class Key(NamedTuple):
    """A question: its source, its ids there (two for a combination), and for a dataset the days.

    ``directions``: of a combination, 1 where a part must be true and -1 where it must be false.
    """

    source: str
    ids: tuple[str, ...]
    directions: tuple[int, ...] = ()
    due: str = ""
    resolves: str = ""

    @property
    def question_id(self) -> str:
        """The question's id in a ledger."""
        signs = ["-" if sign < 0 else "" for sign in self.directions] or [""] * len(self.ids)
        parts = "+".join(sign + id_ for sign, id_ in zip(signs, self.ids, strict=True))
        return "-".join(
            filter(None, ("forecastbench", self.source, parts, self.due, self.resolves))
        )


@dataclass
class _Sets(Reading):
    """The rows of all files.

    ``known``: the questions of question sets, by source and id. ``resolved``: the row with the
    outcome of each question. ``asked``: the questions with forecasts, each with its first round and
    the row that named it. ``made``: the forecasts by round, forecaster and question.
    """

    known: dict[tuple[str, str], Entry] = field(default_factory=dict)
    resolved: dict[Key, Entry] = field(default_factory=dict)
    made: dict[tuple[str, str, Key], Entry] = field(default_factory=dict)
    asked: dict[Key, tuple[str, Entry]] = field(default_factory=dict)
    models: dict[str, dict[str, str]] = field(default_factory=dict)
    repeated: int = 0


def read(source: Source, choices: Choices) -> PlatformRecord:
    """Return the questions of the forecasts, with the outcomes that the resolution sets name."""
    sets = _Sets("forecastbench")
    files = list(sets.entries(source))
    for file in files:
        if not {"forecasts", "resolutions", "questions"}.intersection(file.fields):
            file.wrong("forecasts", "a set of forecasts, resolutions or questions")
        for row in file.entries("questions", _MOST):
            if isinstance(row.fields.get("id"), str):
                sets.known[row.name("source"), row.name("id")] = row
        for row in file.entries("resolutions", _MOST):
            _add_outcome(row, file, sets)
    for file in files:
        _add_forecasts(file, sets, choices)
    for (due, handle, key), row in sets.made.items():
        if key not in sets.asked or due < sets.asked[key][0]:
            sets.asked[key] = (due, row)
        cells = {
            "question_id": key.question_id,
            "forecaster": handle,
            "made_at": _at(due),
            "probability": row.number("forecast"),
            "rationale": row.text("reasoning"),
        }
        sets.forecast(row.place, cells | sets.models.get(handle, {}))
    for key, (due, row) in sets.asked.items():
        sets.question(row.place, _question(key, due, sets))
    sets.bots.update(sets.models)
    sets.require_sound(source.name)
    _add_notes(sets)
    return sets.record()


def _key(row: Entry, due: str) -> Key | None:
    """Return the question of a row; None if it does not name one, which is noted."""
    source, value = row.name("source", required=True), row.fields.get("id")
    ids = tuple(value) if isinstance(value, list) else (row.name("id", required=True),)
    signs = row.fields.get("direction")
    directions = tuple(signs) if len(ids) > 1 and isinstance(signs, list) else ()
    resolves = ""
    if not ids or not all(isinstance(one, str) and one.isprintable() for one in ids):
        row.wrong("id", "an id or a list of ids")
    elif len(ids) > 1 and [sign in (1, -1) for sign in directions] != [True] * len(ids):
        row.wrong("direction", "1 or -1 for each id")
    elif source in DATASETS and not (resolves := _resolved_on(row)):
        row.wrong("resolution_date", "required for a dataset question")
    else:
        return Key(source, ids, directions, due if resolves else "", resolves)
    return None


def _add_outcome(row: Entry, file: Entry, sets: _Sets) -> None:
    """Note the outcome of a row that is resolved; the first one of a market is its own."""
    key = _key(row, _due(file))
    value = row.number("resolved_to", low=0, high=1)
    if key is None or row.fields.get("resolved") not in (True, 1):
        return  # the value is the market's price
    known = sets.resolved.setdefault(key, row)
    if repr(known.number("resolved_to")) != repr(value):
        row.wrong("resolved_to", f"as in {known.place}: {known.fields.get('resolved_to')}")
    elif (day := _resolved_on(row)) and day < (_resolved_on(known) or _NEVER):
        sets.resolved[key] = row


def _add_forecasts(file: Entry, sets: _Sets, choices: Choices) -> None:
    rows = file.entries("forecasts", _MOST)
    if not rows:
        return
    due, handle = _due(file), _handle(file)
    is_crowd = "median" in file.text("model").casefold() and "user_id" not in rows[0]
    if is_crowd and not choices.aggregates:
        sets.leave_out(file.place, handle, "a crowd, which was not asked for")
        return
    for row in rows:
        key = _key(row, due)
        if row.fields.get("forecast") in MISSING:
            sets.leave_out(row.place, _shown(row), "no forecast")
            continue
        row.number("forecast", low=0, high=1)
        if key is None:
            continue
        if len(key.ids) > 1 and key not in sets.resolved:
            reason = "a combination of questions, whose outcome no file has"
            sets.leave_out(row.place, _shown(row), reason)
            continue
        is_person = "user_id" in row
        who = row.name("user_id") if is_person else handle
        if sets.made.setdefault((due, who, key), row) is not row:
            sets.repeated += 1
        if not is_person:
            slug = file.name("model_run_slug") or file.name("model")
            sets.models[handle] = {"model": slug, "version": file.name("model_run_key")}


def _shown(row: Entry) -> str:
    value = row.fields.get("id")
    return " + ".join(map(str, value)) if isinstance(value, list) else row.name("id")


def _handle(file: Entry) -> str:
    """Return the bot's name: that of the model's run and variant, or of the model and its maker."""
    if run := file.name("model_run_key"):
        return "-".join(filter(None, (run, file.name("forecast_variant_key"))))
    maker, model = file.name("organization"), file.name("model", required=True)
    own = maker in ("", "ForecastBench") or model.startswith(maker)
    return model if own else f"{maker} {model}"


def _due(file: Entry) -> str:
    is_old = "forecast_due_date" not in file.fields
    return _day(file, "forecast_date" if is_old else "forecast_due_date")


def _resolved_on(row: Entry) -> str:
    """Return the day of a row's outcome; '' for a market row without one."""
    is_missing = row.fields.get("resolution_date") in MISSING
    return "" if is_missing else _day(row, "resolution_date")


def _day(entry: Entry, name: str) -> str:
    """Return a day as 2025-10-30; the last day of all for anything else, which is noted."""
    text = entry.text(name, required=True)[:10]
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        if text:
            entry.wrong(name, "a day, as in 2025-10-30")
        return _NEVER


def _at(day: str, of_day: time = time()) -> datetime:
    return datetime.combine(date.fromisoformat(day), of_day, UTC)


def _question(key: Key, due: str, sets: _Sets) -> dict[str, Any]:
    """Return the cells of a question that was first forecast in the round with this due date."""
    parts = [sets.known.get((key.source, id_)) for id_ in key.ids]
    first = parts[0]
    about = (first if len(parts) == 1 else None) or Entry("", {}, sets.problems)
    opened, closes = (
        None if about.fields.get(name) in MISSING else about.time(name)
        for name in ("market_info_open_datetime", "market_info_close_datetime")
    )
    opened = min(opened or _at(due), _at(due))
    if key.resolves:
        closes = _at(key.resolves, _DAY_END)
    elif closes is None or closes <= _at(due):
        closes = LAST_TIME
    cells = {
        "question_id": key.question_id,
        "platform_id": "+".join(key.ids),
        "url": "" if first is None or first.fields.get("url") in MISSING else first.address("url"),
        "title": _title(key, parts),
        "type": "binary",
        "open_time": opened,
        "scheduled_close_time": closes,
        **{
            ours: _filled(about.text(theirs, most=limits.PROSE_BYTES), key)
            for ours, theirs in _TEXTS.items()
        },
    }
    row = sets.resolved.get(key)
    if row is None:
        return cells
    day, value = _resolved_on(row), row.number("resolved_to")
    # An outcome without a day: what counts is that round.
    ends = _at(day or due, _DAY_END)
    outcome = {0.0: "no", 1.0: "yes"}.get(value, repr(value))
    return cells | {
        "resolution": "annulled" if math.isnan(value) else outcome,
        "known_at": ends if day else None,
        "actual_close_time": ends if opened < ends < closes else None,
    }


def _title(key: Key, parts: Sequence[Entry | None]) -> str:
    """Return the question's words; its source and id where no file has them."""
    named = [
        _filled(part.text("question", most=limits.NAME_BYTES), key)
        if part
        else f"{key.source} {id_}"
        for part, id_ in zip(parts, key.ids, strict=True)
    ]
    if len(named) == 1:
        is_named = parts[0] is not None or not key.resolves
        return named[0] if is_named else f"{named[0]}, {key.due} to {key.resolves}"
    signs = ("no" if sign < 0 else "yes" for sign in key.directions)
    return " and ".join(f"{title} [{sign}]" for title, sign in zip(named, signs, strict=True))


def _filled(text: str, key: Key) -> str:
    """Return a text of a question set with its days filled in."""
    if text in MISSING:
        return ""
    for place, day in (("forecast_due_date", key.due), ("resolution_date", key.resolves)):
        text = text.replace(f"{{{place}}}", day) if day else text
    return text


def _add_notes(sets: _Sets) -> None:
    sets.note(
        "The files have days: a forecast counts from the start of its due date, in UTC, and an "
        "outcome as known at the end of its resolution date."
    )
    horizons = "{n} row{s} {was} repeated for another horizon, and the first one counts."
    sets.note(counted(sets.repeated, horizons))
    undated = sum(not _resolved_on(row) for row in sets.resolved.values())
    no_date = "{n} outcome{s} {has} no date; these questions close at the end of the due date."
    sets.note(counted(undated, no_date))
    if any((key.source, id_) not in sets.known for key in sets.asked for id_ in key.ids):
        sets.note("Without the question set, questions have their ids as titles.")


# A dataset's question has two days in its id: that of the round and that of the outcome.
_DATASET = re.compile(r"forecastbench-([a-z]+)-(.+)-(\d{4}-\d{2}-\d{2})-(\d{4}-\d{2}-\d{2})", re.S)
_MARKET = re.compile(r"(?:forecastbench-)?(infer|manifold|metaculus|polymarket|ledger)-(.+)", re.S)
_OWN = "ledger"  # the source of a question from anywhere else
_NOT_IN_NAME = re.compile(r"[^A-Za-z0-9_-]+")


def write(frames: Frames, path: Path, *, overwrite: bool = False) -> Written:
    """Return the files of the folder ``path``, which are written (see ``written``)."""
    left_out: Counter[str] = Counter()
    submissions = _submissions(frames, left_out)
    members = frames.members
    people = set() if members is None else set(members["forecaster"][members["kind"] == "human"])
    used: set[str] = set()
    with drafted(path, overwrite=overwrite) as draft:
        for (handle, due), newest in submissions.items():
            document = _document(handle, due, list(newest.values()), is_person=handle in people)
            name, number = _NOT_IN_NAME.sub("_", handle)[:80], 1
            while (file := f"{due}.{name}.{number}.json").casefold() in used:
                number += 1
            used.add(file.casefold())
            text = json.dumps(document, ensure_ascii=False, indent=1)
            (draft / file).write_text(f"{text}\n", encoding="utf-8")
        names = sorted(file.name for file in draft.iterdir())
    left_out["text{s} of a question"] = len(frames.questions)
    left_out += omitted(frames, "resolution", "evidence")
    return Written([path / name for name in names], each_counted(left_out))


def _submissions(
    frames: Frames, left_out: Counter[str]
) -> dict[tuple[str, str], dict[str, dict[str, Any]]]:
    """Return the newest forecast on each question, by forecaster and round; counts the others."""
    forecasts = frames.forecasts.assign(models="", run="")
    if frames.models is not None:
        forecasts = forecasts.assign(
            models=frames.models["model"].to_numpy(), run=frames.models["version"].to_numpy()
        )
    kinds = dict(zip(frames.questions["question_id"], frames.questions["type"], strict=True))
    forecasts = forecasts.sort_values("made_at", kind="stable")
    days = forecasts["made_at"].dt.strftime("%Y-%m-%d").astype(object)
    rounds = {m[3] for slug in kinds if (m := _DATASET.fullmatch(slug))}
    ends: defaultdict[str, set[str]] = defaultdict(lambda: set(rounds))
    for handle, day in days.groupby(forecasts["forecaster"].astype(object)).max().items():
        ends[str(handle)].add(str(day))
    found: defaultdict[tuple[str, str], dict[str, dict[str, Any]]] = defaultdict(dict)
    for row, day in zip(rows(forecasts), days, strict=True):
        if kinds.get(row.question_id) != "binary":
            left_out["forecast{s} of another kind than yes or no"] += 1
            continue
        dues = sorted(ends[row.forecaster])
        due = dues[min(bisect_left(dues, day), len(dues) - 1)]
        dataset = _DATASET.fullmatch(row.question_id)
        due = dataset[3] if dataset else due
        before = found[row.forecaster, due].pop(row.question_id, None)
        if before is not None:
            left_out["earlier update{s}"] += 1
        if pd.isna(row.probability):
            left_out["withdrawal{s}"] += 1
        elif "+" in row.question_id and row.question_id.startswith("forecastbench-"):
            left_out["forecast{s} on a combination"] += 1
        else:
            if row.made_at != _at(due):
                left_out["time{s} other than the due date"] += 1
            found[row.forecaster, due][row.question_id] = row._asdict()
    return {key: newest for key, newest in sorted(found.items()) if newest}


def _document(
    handle: str, due: str, newest: list[dict[str, Any]], *, is_person: bool
) -> dict[str, Any]:
    """Return a submission; rows of a person have their name, as the files of human surveys."""
    model, run = newest[-1]["models"], newest[-1]["run"]
    named = {"model_run_slug": model} if model else {}
    if run and handle.startswith(run):
        named |= {
            "model_run_key": run,
            "forecast_variant_key": handle.removeprefix(run).removeprefix("-"),
        }
    return {
        "organization": handle,
        "model": handle,
        "model_organization": handle,
        **named,
        "question_set": f"{due}-llm.json",
        "forecast_due_date": due,
        "forecasts": [_row(one) | ({"user_id": handle} if is_person else {}) for one in newest],
    }


def _row(forecast: dict[str, Any]) -> dict[str, Any]:
    slug = forecast["question_id"]
    if dataset := _DATASET.fullmatch(slug):
        source, id_, resolves = dataset[1], dataset[2], dataset[4]
    else:
        market = _MARKET.fullmatch(slug)
        source, id_ = (market[1], market[2]) if market else (_OWN, slug)
        resolves = None
    return {
        "id": id_,
        "source": source,
        "forecast": forecast["probability"],
        "resolution_date": resolves,
        "reasoning": forecast["rationale"] or None,
    }
