"""Ledgers small enough to work by hand, and random ones for what must hold of any."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from forecasts import reports
from forecasts.folder.frames import EVIDENCE_COLUMNS, Frames, complete, typed_frame
from forecasts.reports import Group, Report, build
from forecasts.reports.selection import Choice

OPENED = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def day(number: float) -> datetime:
    """Return the moment so many days after the questions opened."""
    return OPENED + timedelta(days=number)


def asked(id_: str, resolution: str = "", *, closes: float = 10, **more: Any) -> dict[str, Any]:
    """Return a binary question that is open for ten days, unless said otherwise."""
    return {
        "question_id": id_,
        "type": "binary",
        "open_time": OPENED,
        "scheduled_close_time": day(closes),
        "resolution": resolution,
    } | more


def made(id_: str, forecaster: str, at: float, value: float | list[float | None] | None) -> Any:
    """Return a forecast made that many days in: a probability, a vector, or a withdrawal."""
    vector = isinstance(value, list)
    return {
        "question_id": id_,
        "forecaster": forecaster,
        "made_at": day(at),
        "probability": None if vector else value,
        "probabilities": value if vector else None,
    }


def path(id_: str, forecaster: str, *steps: tuple[float, Any]) -> list[Any]:
    """Return one forecaster's forecasts on a question, each a day and a value."""
    return [made(id_, forecaster, at, value) for at, value in steps]


def joined(
    team: str, forecaster: str, since: float | None = None, until: float | None = None
) -> dict[str, Any]:
    """Return a membership between two days, open where they are left out."""
    return {
        "team": team,
        "forecaster": forecaster,
        "joined_at": None if since is None else day(since),
        "left_at": None if until is None else day(until),
    }


def ledger(
    questions: Iterable[dict[str, Any]],
    forecasts: Iterable[dict[str, Any]] = (),
    teams: Iterable[dict[str, Any]] = (),
) -> Frames:
    """Return the frames of a ledger; columns that are not given are blank."""
    return complete(*(_table(rows) for rows in (questions, forecasts, teams)))


def once(outcomes: Sequence[str], said: Sequence[Any], **more: Any) -> Frames:
    """Return a ledger in which ana said these once, at the start, on q0, q1, … with outcomes."""
    return ledger(
        [asked(f"q{n}", outcome, **more) for n, outcome in enumerate(outcomes)],
        [made(f"q{n}", "ana", 0, value) for n, value in enumerate(said)],
    )


def _table(rows: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """Return the rows as a frame in which what some of them lack is None, as in a ledger."""
    given = list(rows)
    names = list(dict.fromkeys(name for row in given for name in row))
    return pd.DataFrame(
        {name: pd.Series([row.get(name) for row in given], dtype=object) for name in names}
    )


def report(frames: Frames, **wanted: Any) -> Report:
    """Return the report as of June 2026, when everything has closed."""
    return build(frames, **({"as_of": NOW} | picked(wanted)))


def picked(wanted: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a builder, those that choose questions and forecasts made one."""
    own = {field.name for field in fields(Choice)}
    choice = Choice(**{name: value for name, value in wanted.items() if name in own})
    return {name: value for name, value in wanted.items() if name not in own} | {"choice": choice}


def with_numbers(frames: Frames, questions: int = 3, seed: int = 0) -> Frames:
    """Return the ledger with numeric questions too, each forecast once by everyone in it.

    Outcomes are normal around 50 with deviation 10, and so are the forecasts.
    """
    random = np.random.default_rng(seed)
    levels = {"0.05": -1.645, "0.25": -0.674, "0.5": 0.0, "0.75": 0.674, "0.95": 1.645}
    said = {"quantiles": {level: 50 + 10 * z for level, z in levels.items()}}
    numeric = {"type": "numeric", "lower_bound": "0", "upper_bound": "100", "tags": ["numbers"]}
    ids = [f"n{number:03}" for number in range(questions)]
    everyone = sorted(set(frames.forecasts["forecaster"]))
    numbers = ledger(
        [asked(id_, f"{random.normal(50, 10):.3f}", **numeric) for id_ in ids],
        [made(id_, who, 1, None) | said for id_ in ids for who in everyone],
    )
    return replace(
        frames,
        questions=pd.concat([frames.questions, numbers.questions], ignore_index=True),
        forecasts=pd.concat([frames.forecasts, numbers.forecasts], ignore_index=True),
    )


def random_ledger(
    seed: int, *, questions: int = 12, sharpness: float = 1.0, choices: bool = True
) -> Frames:
    """Return a ledger of five forecasters in two teams; of calibrated ones if sharpness is 1.

    Withdrawals, late starts, several updates, families, tags, two kinds of question.
    """
    rng = np.random.default_rng(seed)
    asked_, forecasts = [], []
    for number in range(questions):
        id_, truth = f"q{number:03}", float(rng.uniform(0.02, 0.98))
        options = int(rng.integers(2, 5)) if choices and rng.random() < 0.4 else 0
        more: dict[str, Any] = {"family": f"f{number // 2}", "tags": [f"t{number % 3}"]}
        if options:
            names = [f"option {k}" for k in range(options)]
            more |= {"type": "multiple_choice", "options": names}
            resolution = names[int(rng.integers(options))]
        else:
            resolution = "yes" if rng.random() < truth else "no"
        asked_.append(asked(id_, resolution, **more))
        for forecaster in ("ana", "bo", "cy", "dee", "eli"):
            if rng.random() < 0.3:
                continue
            for at in np.sort(rng.uniform(-1, 12, int(rng.integers(1, 5)))).tolist():
                value: Any
                if rng.random() < 0.1:
                    value = None
                elif options:
                    value = rng.dirichlet(np.ones(options)).tolist()
                else:
                    odds = (truth / (1 - truth)) ** sharpness
                    value = odds / (1 + odds)
                forecasts.append(made(id_, forecaster, at, value))
    teams = [joined("north", "ana"), joined("north", "bo", since=2)]
    teams += [joined("south", "cy", until=5), joined("south", "dee")]
    return ledger(asked_, forecasts, teams)


def cited(frames: Frames) -> Frames:
    """Return the ledger with citations: two publishers, some updates of both, some of neither."""
    both = [{"evidence_id": "e2", "share": 0.25}, {"evidence_id": "e1"}]
    choices = [None, [{"evidence_id": "e1"}], both]
    picked = np.random.default_rng(1).integers(0, 3, len(frames.forecasts))
    citing = pd.Series([choices[k] for k in picked], dtype=object)
    publishers = ["The Gazette", "The Mail"]
    evidence = {"evidence_id": ["e1", "e2"], "kind": ["news", "data"], "publisher": publishers}
    known = typed_frame(evidence, EVIDENCE_COLUMNS)
    return replace(frames, forecasts=frames.forecasts.assign(evidence=citing), evidence=known)


def schema(kind: str) -> dict[str, Any]:
    """Return the JSON Schema of a report or a comparison."""
    text = Path(reports.__file__).with_name(f"{kind}.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


@cache
def random_report(
    seed: int, by: str = "all", *, questions: int = 12, choices: bool = True
) -> Report:
    """Return the report on a random ledger, which is built once."""
    return report(random_ledger(seed, questions=questions, choices=choices), by=by)


@cache
def sharp_group(sharpness: float) -> Group:
    """Return the record of a random ledger of that sharpness; calibrated if it is 1."""
    return the_group(random_ledger(11, questions=100, sharpness=sharpness, choices=False))


def the_group(frames: Frames, name: str = "all", **wanted: Any) -> Group:
    """Return that group of the report."""
    return {group.name: group for group in report(frames, **wanted).groups}[name]
