"""Forecasts of yes or no as ForecastBench submissions: a file for each forecaster and round.

The rounds are the due dates of ForecastBench's dataset questions, which are in their ids, and the
day of each forecaster's newest forecast. A forecast goes into the first round due after it. Only
the newest on each question counts, as a submission has one value a question.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pandas as pd

from forecasts.folder.drafts import drafted
from forecasts.folder.frames import Frames, rows
from forecasts.platforms.written import Written, each_counted, omitted

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
            if row.made_at != pd.Timestamp(due, tz="UTC"):
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
