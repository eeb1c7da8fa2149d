"""A ledger folder in memory: frames with the columns of its files (``ledger-folder.md``), parsed.

Scoring, reports, imports and exports take ``Frames``. ``folder.read_folder`` reads them from files,
``scores.ledger_frames`` from the database, so code that takes ``Frames`` gives the same numbers for
both.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

QUESTION_COLUMNS = {
    "question_id": "text",
    "title": "text",
    "type": "text",
    "options": "json",
    "ordered": "flag",
    "lower_bound": "text",
    "upper_bound": "text",
    "unit": "text",
    "open_time": "time",
    "scheduled_close_time": "time",
    "earlier_closes": "json",
    "actual_close_time": "time",
    "scheduled_resolve_time": "time",
    "spot_time": "time",
    "resolution": "text",
    "known_at": "time",
    "resolved_at": "time",
    "family": "text",
    "tags": "json",
    "background": "text",
    "resolution_criteria": "text",
    "fine_print": "text",
    "article_url": "text",
    "quote": "text",
    "resolution_note": "text",
    "resolution_source": "text",
    "group": "text",
    "group_kind": "text",
    "group_title": "text",
    "group_label": "text",
    "group_place": "number",
    "condition": "json",
}
FORECAST_COLUMNS = {
    "question_id": "text",
    "forecaster": "text",
    "made_at": "time",
    "probability": "number",
    "probabilities": "json",
    "quantiles": "json",
    "rationale": "text",
    "evidence": "json",
    "account": "text",
    "undated": "flag",
}
TEAM_COLUMNS = {"team": "text", "forecaster": "text", "joined_at": "time", "left_at": "time"}
EVIDENCE_COLUMNS = {
    "evidence_id": "text",
    "kind": "text",
    "title": "text",
    "url": "text",
    "publisher": "text",
    "published_at": "time",
    "quote": "text",
    "note": "text",
}
ARTICLE_COLUMNS = {
    "url": "text",
    "title": "text",
    "publisher": "text",
    "author": "text",
    "published_at": "time",
    "captured_at": "time",
    "text": "text",
}
LINK_COLUMNS = {
    "question_id": "text",
    "other_id": "text",
    "kind": "text",
    "strength": "text",
    "reason": "text",
    "made_at": "time",
}
MEMBER_COLUMNS = {"forecaster": "text", "kind": "text", "owner": "text"}
MODEL_COLUMNS = {"model": "text", "version": "text", "cost": "number"}
FRAME_COLUMNS = {
    "questions": QUESTION_COLUMNS,
    "forecasts": FORECAST_COLUMNS,
    "teams": TEAM_COLUMNS,
    "evidence": EVIDENCE_COLUMNS,
    "articles": ARTICLE_COLUMNS,
    "links": LINK_COLUMNS,
}
TIME_DTYPE = pd.DatetimeTZDtype(unit="us", tz="UTC")
_TOGETHER = 2_000  # rows
Columns: TypeAlias = pd.DataFrame | Mapping[Any, Any]
_READY = {"text": pd.StringDtype(na_value=np.nan), "time": TIME_DTYPE}


def row_number(table: str, row: int) -> str:
    """Return the location of a row that was not read from a file."""
    return f"{table}, row {row + 1}"


@dataclass(frozen=True)
class Frames:
    """A ledger, or part of one.

    Texts are str (blank: ""), times datetime64[us, UTC] (blank: NaT), numbers float64 (blank:
    NaN), flags bool, and json columns hold parsed lists and mappings (blank: None). ``place``
    returns the location of a table's row (from 0) in the files it was read from. ``provisional``
    maps question_id to the end of its dispute window, None while a dispute is open.

    ``members`` has the kind of each member, and the owner of each bot; ``models`` the model behind
    each row of ``forecasts``, blank where none is recorded. ``imported`` marks the rows of
    ``forecasts`` with a time that only the importer vouches for, and ``resolved_alone`` has the
    questions that their only forecaster resolved. ``likely_same``: pairs of questions that may be
    the same, and have no common family. A ledger folder has none of these (None, and no question).
    """

    questions: pd.DataFrame
    forecasts: pd.DataFrame
    teams: pd.DataFrame
    evidence: pd.DataFrame
    articles: pd.DataFrame
    links: pd.DataFrame = field(default_factory=lambda: typed_frame({}, LINK_COLUMNS))
    place: Callable[[str, int], str] = row_number
    provisional: Mapping[str, datetime | None] = field(default_factory=dict)
    members: pd.DataFrame | None = None
    models: pd.DataFrame | None = None
    imported: npt.NDArray[np.bool_] | None = None
    resolved_alone: frozenset[str] = frozenset()
    likely_same: frozenset[tuple[str, str]] = frozenset()


def rows(frame: pd.DataFrame) -> Iterator[Any]:
    """Yield the rows of a frame as named tuples.

    By many at a time: ``itertuples`` takes the texts one by one, and six times as long.
    """
    row = namedtuple("row", map(str, frame), rename=True)  # type: ignore[misc]
    for start in range(0, len(frame), _TOGETHER):
        some = frame.iloc[start : start + _TOGETHER]
        yield from map(row._make, zip(*(some[name].tolist() for name in some), strict=True))


def typed_frame(table: Columns, kinds: Mapping[str, str]) -> pd.DataFrame:
    """Return a frame with exactly the columns of ``kinds``, each of that type.

    Those that the table does not have are blank.
    """
    if isinstance(table, pd.DataFrame):
        table = table.reset_index(drop=True)  # blank columns have no index to align with
    columns = {str(name): table[name] for name in table}
    blank = [None] * len(next(iter(columns.values()), ()))
    return pd.DataFrame(
        {name: typed(columns.get(name, blank), kind) for name, kind in kinds.items()}
    )


def typed(values: Any, kind: str) -> pd.Series[Any]:
    """Return ``values`` as a column of that type (see ``Frames``)."""
    if isinstance(values, pd.Series) and kind in _READY and values.dtype == _READY[kind]:
        return values  # converting half a million values takes a second
    if kind == "time":
        return pd.to_datetime(pd.Series(values, dtype=object), utc=True).astype(TIME_DTYPE)
    if kind in ("number", "flag"):
        return pd.Series(values, dtype=np.float64 if kind == "number" else bool)
    if kind == "text":
        return pd.Series(["" if v is None else v for v in values], dtype=str)
    return pd.Series(list(values), dtype=object)


def complete(questions: Columns, forecasts: Columns, teams: Columns | None = None) -> Frames:
    """Return ``Frames`` from tables with some of the columns; the others are blank."""
    given = {"questions": questions, "forecasts": forecasts}
    if teams is not None:
        given["teams"] = teams
    tables: dict[str, Any] = {
        name: typed_frame(given.get(name, {}), kinds) for name, kinds in FRAME_COLUMNS.items()
    }
    return Frames(**tables, place=row_number, provisional={})
