"""Manifold's bets as columns, of which there can be millions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from forecasts.common.errors import Problem
from forecasts.folder.cells import BadCell
from forecasts.platforms.entries import Entry
from forecasts.platforms.manifold_markets import FIRST_MS, LAST_MS, TIME_RULE

_SLICE = 2_000  # bets until they become columns
_TEXTS = ("id", "userId", "contractId", "answerId", "outcome")
_FLAGS = ("isRedemption", "isCancelled", "isFilled", "isAnte")
_KINDS = {
    **dict.fromkeys(_TEXTS, pa.string()),
    "createdTime": pa.int64(),
    "probAfter": pa.float64(),
    **dict.fromkeys(_FLAGS, pa.bool_()),
}
_UNUSABLE = (pa.ArrowException, TypeError, ValueError, OverflowError)
_MOST_PROBLEMS = 1_000

# Why a bet is not a forecast, by its code in the column ``dropped``.
KEPT = 0
DROPPED = {
    1: "redemptions: Manifold trades pairs of shares back by itself",
    2: "limit orders that were not filled: nothing was bought",
    3: "cancelled limit orders",
    4: "the creator's first liquidity",
    5: "listed a second time, as pages of the API overlap",
}


@dataclass
class Bets:
    """The bets read so far; those of a large file are columns, not objects.

    ``dropped``: how many bets are not forecasts, by the reason's code, once ``frame`` was called.
    """

    problems: list[Problem]
    dropped: dict[int, int] = field(default_factory=dict)
    _parts: list[pa.Table] = field(default_factory=list)
    _rows: list[tuple[Any, ...]] = field(default_factory=list)
    _files: list[str] = field(default_factory=list)

    def begin(self, file: str) -> None:
        """Note that the next bets are in this file."""
        self._files.append(file)

    def add(self, number: int, fields: dict[str, Any]) -> None:
        """Keep a bet, the file's record with that number."""
        self._rows.append((len(self._files) - 1, number, *map(fields.get, _KINDS)))
        if len(self._rows) == _SLICE:
            self._flush()

    def place(self, file: int, number: int) -> str:
        """Return the location of a bet."""
        return f"{self._files[file]}, record {number:,}"

    def frame(self) -> pd.DataFrame:
        """Return the bets: texts as categories, ``ms``, ``p``, ``dropped``, ``file``, ``number``.

        Unusable values are noted as problems.
        """
        self._flush()
        table = pa.concat_tables(self._parts)
        self._parts.clear()
        texts = table.select(["userId", "contractId", "answerId", "outcome"])
        frame: pd.DataFrame = texts.unify_dictionaries().to_pandas()
        flags = {name: _flag(table[name]) for name in _FLAGS}
        frame["ms"] = table["createdTime"].fill_null(0).to_numpy()
        frame["p"] = table["probAfter"].fill_null(np.nan).to_numpy()
        for name in ("file", "number"):
            frame[name] = table[name].to_numpy()
        ids = table["id"].to_pandas()
        is_again = ids.duplicated().to_numpy() & ids.notna().to_numpy()
        frame["dropped"] = np.select(
            [
                is_again,
                flags["isRedemption"] == 1,
                flags["isAnte"] == 1,
                flags["isCancelled"] == 1,
                flags["isFilled"] == 0,  # blank in a bet without a limit
            ],
            [5, 1, 4, 3, 2],
            KEPT,
        ).astype(np.int8)
        codes, counts = np.unique(frame["dropped"], return_counts=True)
        self.dropped = dict(zip(codes.tolist(), counts.tolist(), strict=True))
        self.dropped.pop(KEPT, None)
        self._check(frame)
        return frame

    def _flush(self) -> None:
        given = zip(*self._rows, strict=True) if self._rows else [()] * (2 + len(_KINDS))
        file, number, *rest = given
        columns = {"file": pa.array(file, pa.int32()), "number": pa.array(number, pa.int32())}
        for (name, kind), values in zip(_KINDS.items(), rest, strict=True):
            try:
                columns[name] = pa.array(values, kind)
            except _UNUSABLE:
                each = [self._checked(row, name, value) for row, value in enumerate(values)]
                columns[name] = pa.array(each, kind)
        for name in _TEXTS[1:]:
            columns[name] = columns[name].dictionary_encode()
        self._parts.append(pa.table(columns))
        self._rows.clear()

    def _checked(self, row: int, name: str, value: Any) -> Any:
        """Return a value if it is of the column's kind; else None, which is noted."""
        kind = _KINDS[name]
        try:
            return pa.scalar(value, kind).as_py()
        except _UNUSABLE:
            pass
        rules = {pa.string(): "a text", pa.int64(): TIME_RULE, pa.float64(): "a number"}
        if len(self.problems) < _MOST_PROBLEMS:
            file, number, *_ = self._rows[row]
            entry = Entry(self.place(file, number), {name: value}, self.problems)
            entry.wrong(name, rules.get(kind, "true or false"))
        return None

    def _check(self, frame: pd.DataFrame) -> None:
        kept = frame["dropped"].to_numpy() == KEPT
        ms, p = frame["ms"].to_numpy(), frame["p"].to_numpy()
        for name, values, bad, rule in (
            ("contractId", frame["contractId"], frame["contractId"].isna(), "required"),
            ("createdTime", frame["ms"], (ms < FIRST_MS) | (ms > LAST_MS), TIME_RULE),
            ("probAfter", frame["p"], ~((p >= 0) & (p <= 1)), "a probability from 0 to 1"),
        ):
            for row in np.flatnonzero(kept & np.asarray(bad, dtype=bool))[:_MOST_PROBLEMS].tolist():
                where = self.place(frame["file"].iloc[row], frame["number"].iloc[row])
                value = values.iloc[row]
                shown = "" if pd.isna(value) else str(value)
                self.problems.append(BadCell(f"{where}, field {name}", shown, rule))


def _flag(column: Any) -> npt.NDArray[np.int8]:
    """Return 1 for true, 0 for false, -1 for neither."""
    flags: npt.NDArray[np.int8] = column.cast(pa.int8()).fill_null(-1).to_numpy()
    return flags


def whole_vectors(bets: pd.DataFrame, since: Mapping[int, Sequence[int]]) -> pd.DataFrame:
    """Return the forecasts that bets on exclusive answers imply: one an account and a time.

    ``bets``: all on such markets, also dropped ones, with ``question`` and the place of the
    ``answer``. A bet tells one answer's price. The others share the rest in proportion to their
    last prices, which also dropped bets tell: a bet on one answer moves the others, by redemptions
    at the same moment. An answer has no probability before it is added (``since``: when, in
    milliseconds, by question). The result has the ``row`` of the bet in ``bets``, and
    ``probabilities``.
    """
    ordered = bets.assign(row=np.arange(len(bets))).sort_values(
        ["question", "ms", "dropped"], ascending=[True, True, False], kind="stable"
    )
    columns = ("question", "ms", "userId", "answer", "p", "dropped", "row")
    found: dict[tuple[int, int, Any], tuple[int, list[float | None]]] = {}
    current = -1
    prices: dict[int, float] = {}
    for question, ms, user, answer, p, dropped, row in zip(
        *(ordered[name].tolist() for name in columns), strict=True
    ):
        if question != current:
            current, prices = question, {}
        if p != p:
            continue
        prices[answer] = p
        if dropped == KEPT:
            there = [place == answer or ms >= added for place, added in enumerate(since[question])]
            found[question, ms, user] = (row, _vector(answer, p, prices, there))
    rows = [row for row, _ in found.values()]
    vectors = pd.Series([vector for _, vector in found.values()], dtype=object)
    return pd.DataFrame({"row": np.array(rows, dtype=np.intp), "probabilities": vectors})


def _vector(
    answer: int, p: float, prices: dict[int, float], there: Sequence[bool]
) -> list[float | None]:
    """Return the probabilities of all options; None for one that is not there yet."""
    others = [one for one, is_there in enumerate(there) if is_there and one != answer]
    if not others:
        return [1.0 if one == answer else None for one in range(len(there))]
    known = [prices[one] for one in others if one in prices]
    usual = max(0.0, 1 - p - sum(known)) / max(1, len(others) - len(known))
    weights = [prices.get(one, usual) for one in others]
    total = sum(weights)
    if total <= 0:
        weights, total = [1.0] * len(others), float(len(others))
    vector: list[float | None] = [None] * len(there)
    vector[answer] = p
    for one, weight in zip(others, weights, strict=True):
        vector[one] = (1 - p) * (weight / total)
    return vector
