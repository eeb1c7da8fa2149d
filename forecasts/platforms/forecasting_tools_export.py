"""Forecasts as a benchmark of forecasting-tools: JSON lines, one line for each bot and model.

``BenchmarkForBot.load_json_from_file_path`` of version 0.3.5 loads the file. It has no reports on
dates in a benchmark.
"""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pandas as pd

from forecasts.folder.drafts import drafted
from forecasts.folder.frames import MODEL_COLUMNS, Frames, rows
from forecasts.platforms.forecasting_tools import HEADING, declared_percentiles
from forecasts.platforms.written import Written, each_counted, omitted
from forecasts.values.outcomes import bounds

FILE = "benchmark.jsonl"
_NO_PLACE = (
    *("ordered", "spot_time", "article_url", "quote", "resolution_note", "resolution_source"),
    "evidence",
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
        report = _report(row, asked[row.question_id], left_out)
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


def _report(row: Any, asked: Any, left_out: Counter[str]) -> dict[str, Any] | None:
    """Return a report; None for a forecast without a place, which is each_counted."""
    prediction: Any = None
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
    elif asked.type == "date":
        left_out["forecast{s} of a date"] += 1
        return None
    elif row.quantiles is not None:
        points = declared_percentiles(
            row.quantiles, asked.type, asked.lower_bound, asked.upper_bound
        )
        if len(points) < 2:
            left_out["forecast{s} beyond the bounds alone"] += 1
            return None
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
        left_out["withdrawal{s}"] += 1
        return None
    return {
        "question": _question(asked, row.made_at),
        "explanation": _explained(row.rationale),
        "other_notes": None,
        "price_estimate": None if pd.isna(row.cost) else row.cost,
        "minutes_taken": None,
        "errors": [],
        "prediction": prediction,
    }


def _explained(rationale: str) -> str:
    """Return a rationale as an explanation, which has to begin with a heading."""
    return rationale if rationale.strip().startswith("#") else HEADING + rationale


def _bounds(asked: Any) -> dict[str, Any]:
    low, high = bounds(asked)
    return {
        "lower_bound": low,
        "upper_bound": high,
        "open_lower_bound": True,
        "open_upper_bound": True,
    }


def _question(asked: Any, accessed: pd.Timestamp) -> dict[str, Any]:
    resolved = bool(asked.resolution)
    question = {
        "question_text": asked.title,
        "id_of_question": None,
        "state": "resolved" if resolved else None,
        "resolution_criteria": asked.resolution_criteria or None,
        "fine_print": asked.fine_print or None,
        "background_info": asked.background or None,
        "unit_of_measure": asked.unit or None,
        "open_time": _time(asked.open_time),
        "close_time": _time(asked.scheduled_close_time),
        "scheduled_resolution_time": _time(asked.scheduled_resolve_time),
        "actual_resolution_time": _time(asked.known_at),
        "date_accessed": _time(accessed),
        "tournament_slugs": asked.tags or [],
        "resolution_string": asked.resolution or None,
        "custom_metadata": {"question_id": asked.question_id, "family": asked.family},
        "question_type": asked.type,
    }
    if asked.type == "multiple_choice":
        question["options"] = asked.options
    elif asked.type == "numeric":
        question |= _bounds(asked)
    return question


def _time(at: Any) -> str | None:
    return None if pd.isna(at) else str(at.isoformat())


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
