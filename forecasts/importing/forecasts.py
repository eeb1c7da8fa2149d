"""The forecasts of an import: which are new, and the evidence they cite."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
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
from forecasts.questions.standing import in_batches
from forecasts.scores.ledger_frames import forecast_frame
from forecasts.updates.model_uses import Model, record_models

_SLICE = 10_000  # rows that are made ready at a time, so that an import of any size fits in memory
_TOGETHER = 2_000  # questions whose stored forecasts are read at a time
_KEY_BYTES = 16  # of an import key, which the ledger has in hexadecimal
Keys = npt.NDArray[np.bytes_]  # a fifth of the memory that texts take


class NewForecasts(NamedTuple):
    """The forecasts of an import that the ledger does not have, each with its import key.

    ``models``: the model behind each (see ``Frames``); None if the import names none.
    """

    rows: pd.DataFrame
    keys: Keys
    models: pd.DataFrame | None = None


def compare_forecasts(
    session: Session, frames: Frames, *, new_only: bool, vouched: bool, now: datetime
) -> NewForecasts:
    """Return the forecasts that are new to the ledger; nothing is written.

    ``new_only``: the ledger has none of the questions yet. BadInput for a forecast made after
    ``now``: it would later replace updates that its forecaster makes meanwhile, and for a citation
    of evidence that neither the import has nor the reader can see.
    """
    keys = _import_keys(frames.forecasts)
    fresh = None
    if not new_only:
        is_stored = np.zeros(len(keys), dtype=bool)
        for some in in_batches(frames.questions["question_id"].tolist()):
            of_these = np.flatnonzero(frames.forecasts["question_id"].isin(some))
            stored = np.concatenate(
                [
                    _stored_keys(session, some[at : at + _TOGETHER], vouched)
                    for at in range(0, len(some), _TOGETHER)
                ]
            )
            is_stored[of_these] = np.isin(keys[of_these], stored)
        fresh = np.flatnonzero(~is_stored)
    forecasts, models = frames.forecasts, frames.models
    if fresh is not None and len(fresh) < len(keys):
        forecasts, keys = forecasts.iloc[fresh], keys[fresh]
        models = None if models is None else models.iloc[fresh]
    problems = [
        BadCell(
            f"{frames.place('forecasts', n if fresh is None else int(fresh[n]))}, column made_at",
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
    return NewForecasts(forecasts, keys, models)


def _stored_keys(session: Session, slugs: Sequence[str], vouched: bool) -> Keys:
    """Return the keys of the forecasts on these questions.

    They include the keys of all earlier imports, even of rows that differ by now; if ``vouched``,
    only those that somebody vouched for.
    """
    with reading_everything(session):  # a crowd may be hidden from the importer
        own = _import_keys(forecast_frame(session, slugs))
    ids = list(question_ids(session, slugs).values())
    imported = select(Forecast.import_key).where(
        col(Forecast.question_id).in_(ids), col(Forecast.import_key).is_not(None)
    )
    hexes = [
        key.removeprefix(_CLAIMED)
        for key in session.exec(imported)
        if key is not None and not (vouched and key.startswith(_CLAIMED))
    ]
    return np.concatenate([own, np.array(list(map(bytes.fromhex, hexes)), dtype=own.dtype)])


def write_forecasts(
    session: Session,
    new: NewForecasts,
    members: dict[str, Member],
    evidence: Mapping[str, int],
    *,
    vouched_by: Member | None,
    now: datetime,
    origin: str = "import",
    on_progress: Callable[[int], None] = lambda _written: None,
) -> set[int]:
    """Return the ids of the questions of the new forecasts, written with citations and models.

    ``evidence``: the ids of the import's own evidence by its evidence_id. Without ``vouched_by``
    the forecasts count as made ``now``. ``on_progress`` gets the number written so far.
    """
    if not len(new.keys):
        return set()
    questions = question_ids(session, new.rows["question_id"].unique().tolist())
    ids: list[int] = []
    for columns in _columns(new, questions, members, vouched_by, now, origin):
        on_progress(len(ids))
        ids += append(session, "forecast", columns)
    cited = np.flatnonzero(new.rows["evidence"].notna())
    _cite(session, [(ids[n], new.rows["evidence"].iloc[n]) for n in cited.tolist()], evidence)
    if new.models is not None:
        named = np.flatnonzero(new.models["model"] != "")
        record_models(
            session,
            [
                (
                    ids[n],
                    Model(
                        row.model,
                        row.version or None,
                        cost=None if row.cost != row.cost else row.cost,
                    ),
                )
                for n, row in zip(named.tolist(), rows(new.models.iloc[named]), strict=True)
            ],
        )
    return set(questions.values())


def _columns(
    new: NewForecasts,
    questions: Mapping[str, int],
    members: dict[str, Member],
    vouched_by: Member | None,
    now: datetime,
    origin: str,
) -> Iterator[dict[str, Sequence[Any]]]:
    """Yield the columns of the table, some rows at a time."""
    member_ids = {handle: member.id for handle, member in members.items()}
    voucher = vouched_by.id if vouched_by else None
    for start in range(0, len(new.keys), _SLICE):
        some = slice(start, start + _SLICE)
        forecasts, keys = new.rows.iloc[some], _hexadecimal(new.keys[some])
        count = len(keys)
        times = forecasts["made_at"].dt.to_pydatetime().tolist()
        others = {name: forecasts[name] for name in ("probabilities", "quantiles")}
        yield {
            "question_id": _each(questions.__getitem__, forecasts["question_id"]),
            "member_id": _each(member_ids.__getitem__, forecasts["forecaster"]),
            "made_at": times if vouched_by else [now] * count,
            "claimed_at": [None] * count if vouched_by else times,
            "vouched_by_id": [voucher] * count,
            "recorded_at": [now] * count,
            "probability": [None if p != p else p for p in forecasts["probability"].tolist()],
            **{name: values.tolist() for name, values in others.items()},
            "withdrawn": withdrawals(forecasts).tolist(),
            "rationale": _each(str, forecasts["rationale"]),
            "origin": [origin] * count,
            "import_key": keys if vouched_by else [f"{_CLAIMED}{key}" for key in keys],
        }


def withdrawals(forecasts: pd.DataFrame) -> pd.Series[bool]:
    """Return which rows are withdrawals: those without a value."""
    # By column: together they would be copied.
    p, several, quantiles = (
        forecasts[name].isna() for name in ("probability", "probabilities", "quantiles")
    )
    return p & several & quantiles


def question_ids(session: Session, slugs: Sequence[str]) -> dict[str, int]:
    """Return the ids of questions by their slugs."""
    return {
        slug: id_
        for some in in_batches(slugs)
        for slug, id_ in session.exec(
            select(Question.slug, Question.id).where(col(Question.slug).in_(some))
        )
    }


def _visible_evidence(session: Session, keys: Collection[str]) -> dict[str, int]:
    """Return the ids of the evidence with these keys that the session's reader may see."""
    return {
        key: id_
        for some in in_batches(sorted(keys))
        for key, id_ in session.exec(
            select(Evidence.key, Evidence.id).where(
                col(Evidence.key).in_(some), evidence_visible(session)
            )
        )
    }


# The prefix of the keys of forecasts that no one vouches for; a later import may vouch for them.
_CLAIMED = "claimed:"


def _import_keys(forecasts: pd.DataFrame) -> Keys:
    """Return one key a row: the same row has the same key in any file and in the ledger.

    Identical rows are numbered.
    """
    count = len(forecasts)
    keys = np.empty(count, dtype=f"S{_KEY_BYTES}")
    for start in range(0, count, _SLICE):
        some = slice(start, start + _SLICE)
        keys[some] = [_key(row, 1) for row in _key_rows(forecasts.iloc[some])]
    order = np.argsort(keys, kind="stable")
    ordered, follows = keys[order], np.zeros(count, dtype=bool)
    follows[order[1:]] = ordered[1:] == ordered[:-1]
    places, repeated = np.flatnonzero(follows), Counter[bytes]()
    for place, row in zip(places.tolist(), _key_rows(forecasts.iloc[places]), strict=True):
        repeated[keys[place]] += 1
        keys[place] = _key(row, repeated[keys[place]] + 1)
    return keys


def _key(row: str, number: int) -> bytes:
    return hashlib.sha256(f"{row}\n{number}".encode()).digest()[:_KEY_BYTES]


def _hexadecimal(keys: Keys) -> list[str]:
    digits, size = keys.tobytes().hex(), 2 * _KEY_BYTES
    return [digits[at : at + size] for at in range(0, len(digits), size)]


def _key_rows(forecasts: pd.DataFrame) -> Iterator[str]:
    """Yield each row as the text that its key is made of."""
    numbers = forecasts["probability"].tolist()
    others = zip(forecasts["probabilities"].tolist(), forecasts["quantiles"].tolist(), strict=True)
    values = [
        repr(p) if p == p else json.dumps(_floats(ps if ps is not None else qs), sort_keys=True)
        for p, (ps, qs) in zip(numbers, others, strict=True)
    ]
    for slug, handle, microseconds, value, rationale in zip(
        _each(json.dumps, forecasts["question_id"]),
        _each(json.dumps, forecasts["forecaster"]),
        _naive(forecasts["made_at"]).view(np.int64).tolist(),
        values,
        _each(json.dumps, forecasts["rationale"]),
        strict=True,
    ):
        yield f"[{slug}, {handle}, {microseconds * 1_000}, {value}, {rationale}]"


def _each(convert: Callable[[str], Any], texts: pd.Series[Any]) -> list[Any]:
    """Return the converted texts; each distinct one is converted once."""
    codes, distinct = texts.factorize()
    return list(np.array([convert(text) for text in distinct], dtype=object)[codes])


def _naive(times: pd.Series[Any]) -> Any:
    """Return times as NumPy has them: in UTC, in microseconds."""
    return times.dt.tz_localize(None).to_numpy("datetime64[us]")


def _floats(value: Any) -> Any:
    """Return a value with floats for integers: CSV may have 1 where Parquet has 1.0.

    Without the blanks of options that did not exist yet: a newer export has more of them.
    """
    if isinstance(value, list):
        return [_floats(item) for item in value if item is not None]
    if isinstance(value, dict):
        return {level: _floats(item) for level, item in value.items()}
    return float(value) if isinstance(value, int) else value


def _cite(session: Session, cited: Sequence[tuple[int, Any]], known: Mapping[str, int]) -> None:
    """Write the citations of forecasts, given as (id, list of evidence or None).

    ``known``: the ids of the import's own evidence; other evidence is the ledger's.
    """
    pairs = [(id_, entry) for id_, entries in cited if entries for entry in entries]
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
