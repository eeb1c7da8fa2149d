"""forecast_data.csv of a Metaculus export: forecasts, and where they end, as the ledger's.

A forecast's "End Time" is the start of the next one, or a withdrawal where nothing follows; it can
lie ahead, for a forecast that is to expire.
"""

from __future__ import annotations

import csv
import math
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from forecasts.common.text import counted
from forecasts.common.vocabulary import QuestionType
from forecasts.folder.tables import Table, read_table
from forecasts.platforms.metaculus_questions import Asked, own_id
from forecasts.platforms.python_literals import numbers
from forecasts.platforms.reading import Reading
from forecasts.values.distributions import first_faults, quantiles
from forecasts.values.value import SUM_TOLERANCE

KINDS = {
    "Question ID": "text",
    "Forecaster ID": "text",
    "Forecaster Username": "text",
    "Forecaster (Anonymized)": "text",
    "Is Bot": "text",
    "Start Time": "time",
    "End Time": "time",
    "Probability Yes": "number",
    "Probability Yes Per Category": "text",
    "Continuous CDF": "text",
}
_P, _VECTOR, _CDF = "Probability Yes", "Probability Yes Per Category", "Continuous CDF"
_LAST = "PDF at Resolution"
_ROUNDED = 0.01  # how far from 1 the platform lets probabilities sum


class _Made(NamedTuple):
    """A row with a forecast: its place in the file, its question, its forecaster and its times."""

    row: int
    asked: Asked
    who: int
    start: pd.Timestamp
    end: pd.Timestamp


def read_rows(path: Path) -> Table:
    """Return the file as a table.

    The platform writes one cell too few in the rows of unresolved questions, at their end. Those
    rows are read as if it were blank.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(file)
            header = next(lines, [])
            is_whole = header[-1:] != [_LAST] or all(len(row) != len(header) - 1 for row in lines)
    except (UnicodeDecodeError, csv.Error):
        is_whole = True  # as the table says
    if is_whole:
        return read_table(path, KINDS)
    with tempfile.TemporaryDirectory(prefix="platform-export-") as aside:
        whole = Path(aside) / path.name
        with (
            path.open(encoding="utf-8-sig", newline="") as file,
            whole.open("w", encoding="utf-8", newline="") as filled,
        ):
            short = len(header) - 1
            rows = (row + [""] * (len(row) == short) for row in csv.reader(file))
            csv.writer(filled).writerows(rows)
        table = read_table(whole, KINDS)
    table.path = path  # it has the same lines
    return table


def read_forecasts(
    table: Table,
    asked: Mapping[str, Asked | None],
    who: Sequence[int],
    handles: Sequence[str],
    until: datetime | None,
    reading: Reading,
) -> None:
    """Add the forecasts in order of question, forecaster and time; bad cells are noted.

    ``who``: the place of each row's forecaster in ``handles``, below 0 for a row to skip.
    ``until``: the time of the export or import, None if it is unknown; a forecast that ends later
    has not ended.
    """
    unknown, dropped = 0, 0
    places: dict[str, int] = {}
    made: list[tuple[int, _Made]] = []
    columns = (table.frame[name].tolist() for name in ("Question ID", "Start Time", "End Time"))
    for row, (given, start, end) in enumerate(zip(*columns, strict=True)):
        question = asked.get(own := own_id(given))
        if who[row] < 0 or question is None:
            unknown += who[row] >= 0 and own not in asked
            dropped += who[row] >= 0 and own in asked
            continue
        if pd.isna(start) and row not in table.noted["Start Time"]:
            table.wrong(row, "Start Time", "", "required")
        if end < start:
            table.wrong(row, "End Time", end, "not before Start Time")
        place = places.setdefault(own, len(places))
        made.append((place, _Made(row, question, who[row], start, end)))
    values = _values(table, [one for _, one in made], reading)
    noted = set().union(*(table.noted[name] for name in (_P, _VECTOR, _CDF)))
    noted |= table.noted["Start Time"] | table.noted["End Time"]
    for count, reason in (
        (unknown, "their questions are not in the list of questions"),
        (dropped, "their questions are left out"),
    ):
        if count:
            reading.leave_out(table.path.name, counted(count, "{n} forecast{s}"), reason)
    sound = [(place, one) for place, one in made if one.row not in noted]
    for _, one in sound:
        if one.row not in values:
            reading.leave_out(table.place(one.row), "", "it has no value")
    stated = [(place, one) for place, one in sound if one.row in values]
    stated.sort(key=lambda each: (each[0], each[1].who, each[1].start))
    ordered = [one for _, one in stated]
    ahead = 0
    for one, following in zip_longest(ordered, ordered[1:]):
        cells = {"question_id": one.asked.id, "forecaster": handles[one.who]}
        where = table.place(one.row)
        reading.forecast(where, {**cells, "made_at": one.start, **values[one.row]})
        is_followed = (
            following is not None
            and (following.asked.id, following.who) == (one.asked.id, one.who)
            and following.start <= one.end
        )
        if pd.isna(one.end) or is_followed:
            continue
        if until is not None and one.end > until:
            ahead += 1
        else:  # a withdrawal comes right after its forecast
            reading.forecast(where, {**cells, "made_at": one.end})
    reading.note(counted(ahead, "{n} forecast{s} {expires} later, and {has} not ended yet."))


def _values(table: Table, made: Sequence[_Made], reading: Reading) -> dict[int, dict[str, Any]]:
    """Return the values by row: a probability, a vector or quantiles."""
    found: dict[int, dict[str, Any]] = {}
    scaled = 0
    cdfs: defaultdict[tuple[str, int], list[tuple[_Made, list[float]]]] = defaultdict(list)
    probabilities, vectors, curves = (table.frame[name].tolist() for name in (_P, _VECTOR, _CDF))
    for one in made:
        if one.asked.kind == QuestionType.binary:
            p = _probability(table, one.row, probabilities[one.row], vectors[one.row])
            if not math.isnan(p):
                found[one.row] = {"probability": p + 0.0}  # -0.0 is 0.0
        elif one.asked.kind == QuestionType.multiple_choice:
            vector = numbers(table, one.row, _VECTOR, vectors[one.row])
            if vector:
                total = sum(p for p in vector if p == p)
                is_scaled = abs(total - 1) > SUM_TOLERANCE / 2
                if whole := _vector(table, one, vector, total if is_scaled else 1.0):
                    found[one.row] = {"probabilities": whole}
                    scaled += is_scaled
        elif cdf := numbers(table, one.row, _CDF, curves[one.row]):
            cdfs[one.asked.id, len(cdf)].append((one, cdf))
    rounded = "{n} forecast{s} on several options did not sum to 1, by rounding, and were divided "
    reading.note(counted(scaled, rounded + "by the sum."))
    # The CDFs of one question and length together.
    for some in cdfs.values():
        found |= _quantiles(table, [one for one, _ in some], np.array([cdf for _, cdf in some]))
    return found


def _probability(table: Table, row: int, p: float, pair: str) -> float:
    """Return a probability; some crowds are written as a pair, of no and yes."""
    if p < 0 or p > 1:
        table.wrong(row, _P, p, "a probability from 0 to 1")
    if not math.isnan(p) or not (both := numbers(table, row, _VECTOR, pair)):
        return p
    if len(both) != 2 or not 0 <= both[1] <= 1:
        table.wrong(row, _VECTOR, pair, "the probabilities of no and yes")
    return both[-1]


def _vector(table: Table, one: _Made, vector: Sequence[float], total: float) -> list[float | None]:
    """Return the probabilities of options; None for an option that there was not at the time."""
    entries = [None if p != p else p / total for p in vector]
    options = one.asked.options
    if abs(total - 1) > _ROUNDED or any(p < 0 or p > 1 for p in vector):
        entries = []
    elif len(entries) != len(options):
        # The options of its time, as a vector over all.
        lists = [listed for since, listed in one.asked.history if since <= one.start]
        fits = bool(lists) and len(lists[-1]) == len(entries)
        known = dict(zip(lists[-1], entries, strict=True)) if fits else {}
        entries = [known.get(option) for option in options] if fits else []
    if not entries and options:
        rule = f"{len(options)} probabilities that sum to 1, None for options added later"
        table.wrong(one.row, _VECTOR, table.frame[_VECTOR].iloc[one.row], rule)
    return entries


def _quantiles(table: Table, made: Sequence[_Made], cdfs: Any) -> dict[int, dict[str, Any]]:
    """Return the quantiles of CDFs of one question and length, by row."""
    asked, count = made[0].asked, cdfs.shape[1]
    if asked.scale is None:
        return {}
    faults = first_faults(cdfs) if count >= 3 else np.zeros(len(cdfs), dtype=np.intp)
    for place in np.flatnonzero(faults >= 0).tolist():
        row, rule = made[place].row, "at least three numbers that rise from 0 to 1 at most"
        table.wrong(row, _CDF, table.frame[_CDF].iloc[row], rule)
    sound = np.flatnonzero(faults < 0)
    found = quantiles(cdfs[sound], asked.scale.at(count), asked.kind)
    rows = [made[place].row for place in sound.tolist()]
    return {row: {"quantiles": one} for row, one in zip(rows, found, strict=True)}
