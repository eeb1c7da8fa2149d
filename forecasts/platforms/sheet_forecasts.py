"""The forecasts of a sheet: who made them, and their probabilities on the scale of the file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecasts.common.errors import BadInput, Remedy
from forecasts.folder.cells import READERS
from forecasts.folder.tables import Table
from forecasts.platforms.column_guesses import (
    Columns,
    dates_resolved,
    is_resolved,
    is_summary,
    missing_fields,
    unsure_outcome,
)
from forecasts.platforms.handles import handle
from forecasts.platforms.record import Choices, Mask
from forecasts.platforms.sheet_cells import day_first, decimal_point, without_percent
from forecasts.platforms.sheet_words import DAY, YES, plain, unaccented

_DATE = r"\s*\d{1,4}([-/.])\d{1,2}\1\d{1,4}\b.*"  # right or wrong, but meant as one
_SHARE = r"\s*\d{1,3}(\.\d*)?\s*"
_THOUSANDS = re.compile(r"\d{1,3}([.,]\d{3})+")
_SUM = 0.01  # by which the probabilities of options may miss 1


def with_resolved(table: Table, columns: Columns) -> Columns:
    """Return the columns with "resolved" as ``resolved_at``, if its cells are dates.

    BadInput if they say yes, and no column or choice tells the outcomes.
    """
    name = dates_resolved(columns)
    if name is None:
        return columns
    if not _are_dates(table, name):
        cells = map(str.strip, table.frame[name].unique())
        if "outcome" not in columns.fields and any(unaccented(cell) in YES for cell in cells):
            raise BadInput(
                f"No column of {table.path.name} has the outcomes of its questions.",
                remedy=(
                    *unsure_outcome(name),
                    Remedy("If all are open: {}", "", column="outcome="),
                ),
            )
        return columns
    others = [one for one in columns.others if one != name]
    return replace(columns, fields={**columns.fields, "resolved_at": [name]}, others=others)


def with_days(table: Table, columns: Columns) -> Columns:
    """Return the columns with "Tag", a day in German, as ``made_at`` if its cells are dates."""
    fields, name = columns.fields, columns.one("tags")
    if name is None or plain(name) != DAY or "made_at" in fields or not _are_dates(table, name):
        return columns
    return replace(columns, fields={**fields, "tags": [], "made_at": [name]})


def _are_dates(table: Table, name: str) -> bool:
    cells = table.frame[name]
    filled = cells[cells.str.strip() != ""]
    return len(filled) > 0 and bool(filled.str.fullmatch(_DATE).all())


def with_forecasters(table: Table, columns: Columns) -> Columns:
    """Return the columns with those of the forecasters, if all the others are probabilities.

    A column of averages is left out.
    """
    if columns.wide or columns.one("probability"):
        return columns
    others = [name for name in columns.others if not is_summary(name) and not is_resolved(name)]
    has_names = columns.one("forecaster") is not None  # a row is then one forecaster's
    if has_names or not others or not all(_are_probabilities(table, name) for name in others):
        raise BadInput(
            f"No column of {table.path.name} has a usual name for the probability. Its columns are "
            f"{', '.join(table.header)}.",
            remedy=(
                "Name the columns that the sheet has. Not recognised:",
                *missing_fields(columns.fields, table.header),
            ),
        )
    left = [name for name in columns.others if name not in others]
    return replace(columns, wide=("forecaster", {name: name for name in others}), others=left)


def _are_probabilities(table: Table, name: str) -> bool:
    cells = _numbers(table, name)[0]
    filled = cells[cells.str.strip() != ""]
    if not len(filled) or not filled.str.fullmatch(_SHARE).all():
        return False
    return bool(filled.astype(float).between(0, 100).all())


def _numbers(table: Table, name: str) -> tuple[pd.Series[Any], Mask]:
    """Return the texts of the numbers in a column, and whether each is a percentage."""
    cells = [without_percent(cell) for cell in table.frame[name]]
    numbers = [decimal_point(bare, table.separator) for bare, _ in cells]
    return pd.Series(numbers, dtype=str), np.array([is_share for _, is_share in cells], dtype=bool)


@dataclass(frozen=True)
class Values:
    """The probabilities of each column by its name in the sheet, and how they were read."""

    shares: Mapping[str, npt.NDArray[np.float64]]
    rule: str


def values_of(table: Table, columns: Columns) -> Values:
    """Return the probabilities; the numbers of a file are all from 0 to 1 or all from 0 to 100.

    Cells with a percent character are percentages in any file. A file whose numbers are partly
    above 1 and partly between 0 and 1 could be either, and is refused unless the scale is chosen.
    """
    names = list(columns.wide[1].values()) if columns.wide else [*columns.fields["probability"]]
    numbers, signed = {}, {}
    for name in names:
        bare, signed[name] = _numbers(table, name)
        wrong = partial(_wrong, table, name)
        numbers[name] = READERS["number"](wrong, bare).to_numpy()
    scale, rule = columns.scale, f"as chosen, from 0 to {columns.scale}"
    if scale is None:
        plain = np.concatenate([numbers[name][~signed[name]] for name in names])
        scale, rule = _scale(plain, names) if len(plain) else (1, "percentages")
    shares = {}
    for name in names:
        divisors = np.where(signed[name], 100.0, float(scale))
        shares[name] = numbers[name] / divisors if (divisors != 1).any() else numbers[name]
        outside = (shares[name] < 0) | (shares[name] > 1)
        for mask, top in ((signed[name], "0% to 100%"), (~signed[name], f"0 to {scale}")):
            table.wrong_where(outside & mask, table.frame[name], f"a probability from {top}")
    return Values(shares, rule)


def _wrong(table: Table, name: str, row: int, _bare: Any, rule: str) -> None:
    cell = table.frame[name].iloc[row]
    if rule == "a number":
        rule = "a number from 0 to 1 or from 0 to 100, or a percentage"
        if _THOUSANDS.fullmatch(cell.strip()):
            rule += ", without a separator of thousands"
    table.wrong(row, name, cell, rule)


def _scale(numbers: npt.NDArray[np.float64], names: Sequence[str]) -> tuple[int, str]:
    over, between = numbers[numbers > 1], numbers[(numbers > 0) & (numbers < 1)]
    if not len(over):
        return 1, "from 0 to 1, since none is above 1"
    if len(between):
        raise BadInput(
            f"The numbers in {names[0]!r} could be from 0 to 1 or from 0 to 100: {between[0]:g} is "
            f"below 1, {over[0]:g} above.",
            remedy=(
                Remedy("If 0.5 means 0.5%: {};", "", column="scale=100"),
                "if it means 50%, correct the others, or mark percentages with %.",
            ),
        )
    return 100, f"from 0 to 100, since {over[0]:g} is above 1"


def made_by_row(
    table: Table, columns: Columns, choices: Choices, values: Values, made_at: pd.Series[Any]
) -> pd.DataFrame:
    """Return the forecasts with the row of each, in the order of the rows.

    ``made_at``: the time of each row's forecast.
    """
    rows = table.frame
    name = columns.one("forecaster")
    if name is None:
        who = pd.Series([choices.owner] * len(rows), dtype=str)
    else:
        who = rows[name].map({one: handle(one) for one in rows[name].unique()})
    kind, wide = columns.wide or ("", {})
    if kind == "option":
        return _with_options(table, wide, values, who, made_at)
    parts = []
    for label, column in wide.items() if wide else [("", *columns.fields["probability"])]:
        shares = values.shares[column]
        place = np.flatnonzero(~np.isnan(shares))
        part = pd.DataFrame({"row": place, "probability": shares[place]})
        is_date = kind == "made_at"
        part["made_at"] = _header_time(label, choices.zone) if is_date else _at(made_at, place)
        is_person = kind == "forecaster"
        part["forecaster"] = handle(label) if is_person else _at(who, place)
        parts.append(part)
    made = parts[0]
    if len(parts) > 1:
        made = pd.concat(parts, ignore_index=True).sort_values(
            "row", kind="stable", ignore_index=True
        )
    if name := columns.one("rationale"):
        made["rationale"] = _at(rows[name], made["row"])
    return made


def _at(values: pd.Series[Any], place: Any) -> pd.Series[Any]:
    return values.take(place).reset_index(drop=True)


def _header_time(label: str, zone: ZoneInfo) -> pd.Timestamp:
    time = pd.Timestamp(day_first(label.strip()))
    return (time.tz_localize(zone) if time.tzinfo is None else time).tz_convert("UTC").as_unit("us")


def _with_options(
    table: Table, wide: Mapping[str, str], values: Values, who: Any, made_at: Any
) -> pd.DataFrame:
    """Return the forecasts of a sheet with a column for each option."""
    shares = np.column_stack([values.shares[column] for column in wide.values()])
    total = shares.sum(axis=1)
    blank = np.isnan(shares).all(axis=1)
    first = table.frame[next(iter(wide.values()))]
    table.wrong_where(~blank & np.isnan(total), first, "a probability for each option, or for none")
    table.wrong_where(abs(total - 1) > _SUM, first, "one of probabilities that sum to 1 (or 100)")
    place = np.flatnonzero(~blank)
    vectors = shares[place] / total[place, np.newaxis]
    return pd.DataFrame(
        {
            "row": place,
            "probabilities": pd.Series(vectors.tolist(), dtype=object),
            "made_at": _at(made_at, place),
            "forecaster": _at(who, place),
        }
    )
