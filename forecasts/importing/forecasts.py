"""The forecasts of an import: which are new, and the evidence they cite."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from sqlmodel import Session, col, select

from forecasts.access.visibility import evidence_visible, reading_everything
from forecasts.common.errors import BadInput
from forecasts.common.times import iso
from forecasts.folder.cells import BadCell
from forecasts.folder.frames import Frames, rows
from forecasts.ledger.append import append
from forecasts.ledger.models import Evidence, Forecast, Member, Question
from forecasts.questions.standing import in_batches, rows_with
from forecasts.scores.ledger_frames import forecast_frame
from forecasts.updates.model_uses import Model, record_models
from forecasts.values.value import UNDATED

SLICE = 10_000  # rows that are made ready at a time, so that an import of any size fits in memory
_DIGITS = 32  # of an import key
# The prefix of the keys of forecasts that no one vouches for; a later import may vouch for them.
_CLAIMED = "claimed:"
_AT_ONCE = 10  # questions at one instant, from which on it is not the time of the forecasts


class NewForecasts(NamedTuple):
    """The forecasts of an import that the ledger does not have, with a column ``import_key``.

    ``models``: the model behind each (see ``Frames``); None if the import names none.
    """

    rows: pd.DataFrame
    models: pd.DataFrame | None = None


def compare_forecasts(
    session: Session, frames: Frames, *, new_only: bool, vouched: bool, now: datetime
) -> NewForecasts:
    """Return the forecasts that are new to the ledger; nothing is written.

    ``new_only``: the ledger has none of the questions yet. BadInput for a forecast made after
    ``now``: it would later replace updates that its forecaster makes meanwhile, and for a citation
    of evidence that neither the import has nor the reader can see.
    """
    forecasts, models = frames.forecasts, frames.models
    stored = set() if new_only else _stored_keys(session, frames.questions, vouched)
    keys = _import_keys(forecasts)
    forecasts = forecasts.assign(undated=forecasts["undated"] | one_instant(forecasts))
    fresh = np.flatnonzero([key not in stored for key in keys])
    forecasts = forecasts.iloc[fresh].assign(import_key=[keys[n] for n in fresh])
    problems = [
        BadCell(
            f"{frames.place('forecasts', int(fresh[n]))}, column made_at",
            iso(forecasts["made_at"].iloc[n]),
            f"not ahead of now, {iso(now)}",
        )
        for n in np.flatnonzero(forecasts["made_at"] > now).tolist()
    ]
    if problems:
        raise BadInput(
            "The import has forecasts with times in the future; nothing was imported.",
            problems=problems,
            remedy="Give each the time at which it was made.",
        )
    cited = {
        entry["evidence_id"] for entries in forecasts["evidence"].dropna() for entry in entries
    }
    cited -= set(frames.evidence["evidence_id"])
    unknown = cited - _visible_evidence(session, cited).keys()
    if unknown:
        raise BadInput(
            "The import cites evidence that neither it nor this ledger has; nothing was imported.",
            problems=[
                BadCell("forecasts, column evidence", key, "a known evidence_id")
                for key in sorted(unknown)
            ],
            remedy="Add it to evidence.csv.",
        )
    return NewForecasts(forecasts, None if models is None else models.iloc[fresh])


def _stored_keys(session: Session, questions: pd.DataFrame, vouched: bool) -> set[str]:
    """Return the keys of the forecasts on these questions.

    They include the keys of all earlier imports, even of rows that differ by now; if ``vouched``,
    only those that somebody vouched for.
    """
    found, slugs = set[str](), questions["question_id"].tolist()
    for some in in_batches(slugs):
        with reading_everything(session):  # a crowd may be hidden from the importer
            found.update(_import_keys(forecast_frame(session, some)))
    imported = (
        select(Forecast.import_key)
        .join(Question, col(Question.id) == col(Forecast.question_id))
        .where(col(Forecast.import_key).is_not(None))
    )
    return found | {
        key.removeprefix(_CLAIMED)
        for key in rows_with(session, imported, Question.slug, slugs)
        if not (vouched and key.startswith(_CLAIMED))
    }


def write_forecasts(
    session: Session,
    new: NewForecasts,
    members: Mapping[str, Member],
    evidence: Mapping[str, int],
    *,
    vouched_by: Member | None,
    now: datetime,
    origin: str = "import",
    on_progress: Callable[[int], None],
) -> set[int]:
    """Return the ids of the questions of the new forecasts, written with citations and models.

    ``evidence``: the ids of the import's own evidence by its evidence_id. Without ``vouched_by``
    the forecasts count as made ``now``. ``on_progress`` gets the number written so far.
    """
    slugs = new.rows["question_id"].unique().tolist()
    questions = dict(rows_with(session, select(Question.slug, Question.id), Question.slug, slugs))
    ids: list[int] = []
    prefix = "" if vouched_by else _CLAIMED
    for start in range(0, len(new.rows), SLICE):
        on_progress(start)
        some = new.rows.iloc[start : start + SLICE]
        count, times = len(some), some["made_at"].dt.to_pydatetime().tolist()
        columns = {
            "question_id": [questions[slug] for slug in some["question_id"].tolist()],
            "member_id": [members[handle].id for handle in some["forecaster"].tolist()],
            "made_at": times if vouched_by else [now] * count,
            "claimed_at": [None] * count if vouched_by else times,
            "vouched_by_id": [vouched_by.id if vouched_by else None] * count,
            "recorded_at": [now] * count,
            "probability": list(map(or_none, some["probability"].tolist())),
            "probabilities": some["probabilities"].tolist(),
            "quantiles": some["quantiles"].tolist(),
            "withdrawn": withdrawals(some).tolist(),
            "rationale": some["rationale"].tolist(),
            "origin": _origins(some, origin),
            "import_key": [prefix + key for key in some["import_key"].tolist()],
        }
        ids += append(session, "forecast", columns)
    _cite(session, zip(ids, new.rows["evidence"], strict=True), evidence)
    if new.models is not None:
        record_models(
            session,
            [
                (id_, Model(row.model, row.version or None, cost=or_none(row.cost)))
                for id_, row in zip(ids, rows(new.models), strict=True)
                if row.model != ""
            ],
        )
    return set(questions.values())


def _origins(forecasts: pd.DataFrame, origin: str) -> list[str]:
    """Return the origin of each forecast, with the account that it came from if it has one."""
    kinds = np.where(forecasts["undated"], UNDATED, origin).tolist()
    accounts = forecasts["account"].tolist()
    return [f"{kind}:{of}" if of else kind for kind, of in zip(kinds, accounts, strict=True)]


def one_instant(forecasts: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Return the forecasts of those who have one time for most of theirs, on many questions.

    Nobody makes so many at one instant: it is that of an export.
    """
    of_forecaster = forecasts.groupby("forecaster")["made_at"].transform("size")
    at_once = forecasts.groupby(["forecaster", "made_at"])["question_id"]
    many, asked = at_once.transform("size"), at_once.transform("nunique")
    return np.asarray((asked >= _AT_ONCE) & (2 * many > of_forecaster))


def or_none(number: float) -> float | None:
    """Return a number of a frame; None for a blank one."""
    return None if number != number else number


def withdrawals(forecasts: pd.DataFrame) -> pd.Series[bool]:
    """Return which rows are withdrawals: those without a value."""
    return forecasts[["probability", "probabilities", "quantiles"]].isna().all(axis=1).astype(bool)


def _visible_evidence(session: Session, keys: Collection[str]) -> dict[str, int]:
    """Return the ids of the evidence with these keys that the session's reader may see."""
    visible = select(Evidence.key, Evidence.id).where(evidence_visible(session))
    return dict(rows_with(session, visible, Evidence.key, sorted(keys)))


def _import_keys(forecasts: pd.DataFrame) -> list[str]:
    """Return one key a row: the same row has the same key in any file and in the ledger.

    Identical rows are numbered.
    """
    keys, many = [], Counter[str]()
    times = forecasts["made_at"].dt.as_unit("us").astype(np.int64).tolist()
    quoted = cache(json.dumps)  # of names, which are on many rows
    for row, microseconds in zip(rows(forecasts), times, strict=True):
        p = row.probability
        if p == p:
            value = repr(p)
        else:
            stated = row.quantiles if row.probabilities is None else row.probabilities
            value = json.dumps(_floats(stated), sort_keys=True)
        text = (
            f"[{quoted(row.question_id)}, {quoted(row.forecaster)}, {microseconds * 1_000},"
            f" {value}, {json.dumps(row.rationale)}]"
        )
        first = _key(text, 1)
        many[first] += 1
        keys.append(first if many[first] == 1 else _key(text, many[first]))
    return keys


def _key(row: str, number: int) -> str:
    return hashlib.sha256(f"{row}\n{number}".encode()).hexdigest()[:_DIGITS]


def _floats(value: Any) -> Any:
    """Return a value with floats for integers: CSV may have 1 where Parquet has 1.0.

    Without the blanks of options that did not exist yet: a newer export has more of them.
    """
    if isinstance(value, list):
        return [_floats(item) for item in value if item is not None]
    if isinstance(value, dict):
        return {level: _floats(item) for level, item in value.items()}
    return float(value) if isinstance(value, int) else value


def _cite(session: Session, cited: Iterable[tuple[int, Any]], known: Mapping[str, int]) -> None:
    """Write the citations of forecasts, given as (id, list of evidence or a blank).

    ``known``: the ids of the import's own evidence; other evidence is the ledger's.
    """
    pairs = [(id_, entry) for id_, some in cited if isinstance(some, list) for entry in some]
    if not pairs:
        return
    others = {entry["evidence_id"] for _, entry in pairs} - known.keys()
    evidence = {**known, **_visible_evidence(session, others)}
    append(
        session,
        "citation",
        {
            "forecast_id": [id_ for id_, _ in pairs],
            "evidence_id": [evidence[entry["evidence_id"]] for _, entry in pairs],
            "stance": [entry.get("stance", "supports") for _, entry in pairs],
            "share": [entry.get("share") for _, entry in pairs],
        },
    )
