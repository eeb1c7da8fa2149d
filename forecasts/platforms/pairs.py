"""Plain pairs of a probability and an outcome, and wide sheets, from any CSV.

A long sheet has a row for each forecast; a wide one has a row for each question, and a column for
each forecaster, date or option. Rows with the same question_id or title are one question; without
either, each row is a question of its own, named by its other cells without the outcome. All is done
by columns, since such files have millions of rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecasts.common.errors import Advice, BadInput, Remedy
from forecasts.common.text import in_words
from forecasts.folder.cells import READERS
from forecasts.folder.frames import Frames, typed_frame
from forecasts.folder.tables import Table, separator_of
from forecasts.platforms import column_guesses
from forecasts.platforms.column_guesses import Columns, day_first
from forecasts.platforms.handles import handle, hashed_id
from forecasts.platforms.reading import NAMELESS, Reading, require_sound
from forecasts.platforms.record import (
    ORIGIN_COLUMNS,
    PRINTED_COLUMNS,
    Assumed,
    Choices,
    Mask,
    PlatformRecord,
    frames_of,
)
from forecasts.platforms.source import Source
from forecasts.platforms.times import Times, dates_of, require_dated, time_notes, timed

# The fields that tell rows apart, beside the columns left over, if no column names the question.
_NAMING = ("family", "forecaster", "made_at", "open_time", "close_time")
_PLAIN_ID = re.compile(r"[A-Za-z0-9._-]{1,80}")
_BETWEEN = " · "
_FEW = 5  # titles that a note names


def recognises(source: Source) -> bool:
    """Return whether there is one CSV file whose header has the usual names of such sheets."""
    return len(source.headers) == 1 and all(map(column_guesses.are_usual, source.headers.values()))


def read(source: Source, choices: Choices) -> PlatformRecord:
    """Return the forecasts of the only CSV file, its columns as in ``column_guesses``."""
    if len(source.headers) != 1:
        raise BadInput(
            f"{source.name} has {len(source.headers)} CSV files.",
            remedy="Give one sheet at a time.",
        )
    if choices.closes is not None and choices.now is not None and choices.closes <= choices.now:
        raise BadInput(
            f"The close {choices.closes.astimezone(choices.zone).date()} has passed.",
            remedy=Remedy("Give a later day: {}", "", closes="DAY"),
        )
    [(name, header)] = source.headers.items()
    columns = column_guesses.matched(header, choices.columns)
    separator = separator_of(source.files[name])
    whole = source.table(name, dict.fromkeys(header, "text"), separator)
    reading = Reading("pairs")
    table = _without_totals(whole, columns, reading)
    columns = column_guesses.completed(table, columns)
    frames, assumed, seen_by = _frames(table, columns, choices, reading)
    ids = frames.questions["question_id"]
    origins = {"question_id": ids, "platform_id": ids.str.removeprefix("pairs-")}
    origins["visible_to"] = seen_by
    return PlatformRecord(
        "pairs",
        frames,
        typed_frame(origins, ORIGIN_COLUMNS),
        typed_frame({}, PRINTED_COLUMNS),
        left_out=reading.left_out,
        notes=reading.notes,
        assumed=assumed,
    )


def _frames(
    table: Table, columns: Columns, choices: Choices, reading: Reading
) -> tuple[Frames, Assumed, pd.Series[Any]]:
    """Return the frames, their assumed times, and who may see each question as the sheet says."""
    values, rule = values_of(table, columns)
    asked = _asked(table, columns)
    outcomes, seen_by = _outcomes(table, columns, asked), _audiences(table, columns, asked)
    dates = dates_of(table, columns, choices.zone)
    made = made_by_row(table, columns, choices, values, dates["made_at"])
    require_dated(table, columns, made)
    require_sound(table.path.name, table.by_line())
    found = timed(asked.titles, asked.codes, outcomes, dates, made, choices)
    made["made_at"] = found.made_at
    questions = _questions(table, columns, asked, outcomes, found)
    reading.notes += [
        column_guesses.columns_note(columns),
        *([f"Probabilities are {rule}."] if rule else []),
        *column_guesses.leftover_notes(columns),
        *filter(None, time_notes(columns, found, choices)),
    ]
    if columns.fields.get("title"):
        reading.notes += _alike_titles(asked.titles.tolist())
    reading.notes += _at_once(table, columns, made, asked.codes[made["row"]])
    out = _reasons(made, asked.codes[made["row"]], found.assumed.forecasts)
    kept = (out == "").to_numpy()
    dropped = zip(made["row"][~kept], made["forecaster"][~kept], out[~kept], strict=True)
    for row, name, reason in dict.fromkeys(dropped):
        reading.leave_out(table.place(row), name, reason)
    assumed = replace(found.assumed, forecasts=found.assumed.forecasts[kept])
    made = made[kept].reset_index(drop=True)
    places = {"questions": asked.first, "forecasts": made.pop("row").to_numpy()}
    forecasts = {str(name): made[name] for name in made}
    codes = asked.codes[places["forecasts"]]
    forecasts["question_id"] = asked.ids.take(codes).reset_index(drop=True)
    frames = frames_of(
        questions, forecasts, place=lambda of, row: table.place(int(places[of][row]))
    )
    return frames, assumed, seen_by


def _reasons(made: pd.DataFrame, question: npt.NDArray[np.intp], undated: Mask) -> pd.Series[Any]:
    """Return why each forecast is left out; blank if it is not."""
    reasons = pd.Series("", index=made.index)
    same = made.assign(question=question)
    earlier = same.duplicated(["question", "forecaster"], keep="last") & undated
    reasons[earlier] = "without a date, only the last row by one name on a question counts"
    if "probability" in made:
        is_repeated = same.drop(columns="row").duplicated(keep="last")
        reasons[is_repeated] = "repeated in a later row"
    reasons[made["forecaster"] == ""] = "names no forecaster"
    return reasons


@dataclass(frozen=True)
class _Asked:
    """The questions of a sheet: id, title and first row of each, and the question of each row."""

    ids: pd.Series[Any]
    titles: pd.Series[Any]
    first: npt.NDArray[np.intp]
    codes: npt.NDArray[np.intp]


def _asked(table: Table, columns: Columns) -> _Asked:
    """Return the questions of a sheet."""
    rows, given = table.frame, columns.fields
    named = given.get("question_id") or given.get("title")
    if named:
        keys = _joined(rows, named)
        for row, key in enumerate(keys):
            if not key:
                table.wrong(row, named[0], "", NAMELESS)
    elif parts := [
        *column_guesses.naming(columns),
        *(name for one in _NAMING for name in given.get(one, ())),
    ]:
        same = pd.Series(_joined(rows, parts), dtype=str)
        earlier = same.groupby(same).cumcount()  # of equal keys the second one ends with 2
        keys = [
            f"{key}{_BETWEEN}{count + 1}" if count else key
            for key, count in zip(same, earlier, strict=True)
        ]
    else:
        stem = table.path.name.partition(".")[0]
        keys = [f"{stem}, row {number}" for number in range(1, len(rows) + 1)]
    codes, distinct = pd.factorize(pd.Series(keys, dtype=object))
    _, first = np.unique(codes, return_index=True)
    titles = list(distinct)
    if given.get("question_id") and given.get("title"):
        titles = _joined(rows.iloc[first], given["title"])
    keep = bool(given.get("question_id"))
    ids = [
        f"pairs-{key}" if keep and _PLAIN_ID.fullmatch(key) else hashed_id("pairs", key)
        for key in distinct
    ]
    return _Asked(pd.Series(ids, dtype=str), pd.Series(titles, dtype=str), first, codes)


def _joined(rows: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """Return the cells of some columns as one text, without blank ones."""
    cells = zip(*(rows[name].str.strip() for name in names), strict=True)
    return [_BETWEEN.join(filter(None, some)) for some in cells]


def _outcomes(table: Table, columns: Columns, asked: _Asked) -> pd.Series[Any]:
    """Return the outcome of each question; rows that contradict an earlier one are noted."""
    name = columns.one("outcome")
    found = [""] * len(asked.ids)
    if name is not None:
        options = columns.wide if columns.kind == "option" else {}
        cells = table.frame[name]
        known = {
            cell: column_guesses.outcome_of(cell.strip(), table.separator, options)
            for cell in cells.unique()
        }
        possible = ", ".join(options) if options else "yes, no, 1, 0, a share between them"
        for row, (cell, code) in enumerate(zip(cells, asked.codes.tolist(), strict=True)):
            outcome = known[cell]
            if outcome is None:
                table.wrong(row, name, cell, f"{possible}, annulled, ambiguous or blank")
            elif outcome and outcome != (first := found[code] or outcome):
                rule = f"{first!r}, as in an earlier row of this question"
                table.wrong(row, name, cell, rule)
            else:  # the first that is not blank counts
                found[code] = found[code] or outcome
    return pd.Series(found, dtype=str)


def _audiences(table: Table, columns: Columns, asked: _Asked) -> pd.Series[Any]:
    """Return the audience of each question; rows that contradict an earlier one are noted."""
    name = columns.one("visible_to")
    if name is None:
        return pd.Series([""] * len(asked.ids), dtype=str)
    cells = table.frame[name].str.strip()
    first = _first_said(cells, asked)
    before = first.take(asked.codes).to_numpy()
    rule = "one audience for all rows of a question: leave the others blank"
    table.wrong_where(((cells != "") & (cells != before)).to_numpy(), table.frame[name], rule)
    return first


def _first_said(cells: pd.Series[Any], asked: _Asked) -> pd.Series[Any]:
    """Return the first cell of each question that is not blank, or blank."""
    said = cells.where(cells.str.strip() != "").groupby(asked.codes).first()
    return said.fillna("").astype(str).reset_index(drop=True)


def _questions(
    table: Table, columns: Columns, asked: _Asked, outcomes: pd.Series[Any], found: Times
) -> dict[str, Any]:
    """Return the columns of the questions."""
    questions: dict[str, Any] = {
        "question_id": asked.ids,
        "title": asked.titles,
        "type": ["binary"] * len(asked.ids),
        **found.window,
        "resolution": outcomes,
    }
    if columns.kind == "option":
        questions["type"] = ["multiple_choice"] * len(asked.ids)
        questions["options"] = [list(columns.wide)] * len(asked.ids)
    rows = table.frame
    for ours, column in (("family", "family"), ("resolution_criteria", "criteria")):
        if theirs := columns.one(column):
            questions[ours] = _first_said(rows[theirs], asked)
    if name := columns.one("tags"):
        questions["tags"] = [_tags(cell) for cell in rows[name].take(asked.first)]
    return questions


def _tags(cell: str) -> list[str] | None:
    """Return the tags in a cell, which commas or semicolons separate; None if it is blank."""
    tags = [tag.strip() for tag in cell.replace(";", ",").split(",")]
    return list(dict.fromkeys(filter(None, tags))) or None


def _at_once(
    table: Table, columns: Columns, made: pd.DataFrame, question: npt.NDArray[np.intp]
) -> Iterator[Advice]:
    """Yield a sentence if rows of one name, question and time have different probabilities."""
    if "probability" not in made:
        return
    same = made[["forecaster", "made_at", "probability"]].assign(question=question)
    is_other = same.drop(columns="probability").duplicated() & ~same.duplicated()
    if not is_other.any():
        return
    row = int(is_other.argmax())
    place = table.place(int(made["row"].iloc[row]))
    if not columns.one("forecaster") and columns.kind != "forecaster":
        yield (
            "No column names the forecasters, so all forecasts are yours. Of rows on one question "
            f"at the same time, only the last one counts, as in {place}.",
            Remedy(
                "If they are several people's, name the column that tells them apart: {}",
                "",
                column="forecaster=NAME",
            ),
        )
        return
    yield (
        "Rows by one name on one question at the same time: only the last one counts, as in "
        f"{place}, {made['forecaster'].iloc[row]!r}. If they are two people, give each a name of "
        "their own."
    )


def _without_totals(table: Table, columns: Columns, reading: Reading) -> Table:
    """Return the table without blank rows, and without rows of totals or averages: left out."""
    if table.problems:  # by their rows
        return table
    rows = table.frame
    out = pd.Series(True, index=rows.index)
    for column in rows:
        out &= rows[column].str.strip() == ""
    if name := columns.one("title") or columns.one("question_id"):
        totals = rows[name].isin(
            [one for one in rows[name].unique() if column_guesses.is_summary(one)]
        )
        for row in np.flatnonzero(totals).tolist():
            reason = "a row of totals, not a question"
            reading.leave_out(table.place(row), rows[name].iloc[row], reason)
        out |= totals
    numbers, place = np.flatnonzero(~out), table.place
    kept = rows.iloc[numbers].reset_index(drop=True)
    return replace(table, frame=kept, placed=lambda row: place(int(numbers[row])))


def _alike_titles(titles: Sequence[str]) -> Iterator[str]:
    """Yield a sentence on titles of different questions that differ only in spaces or capitals."""
    first: dict[str, str] = {}
    firsts = [first.setdefault(re.sub(r"\s+", " ", one).lower(), one) for one in titles]
    pairs = zip(titles, firsts, strict=True)
    if again := [f"{title!r} beside {other!r}" for title, other in pairs if other is not title]:
        yield (
            "Titles that differ only in spaces or capital letters become different questions: "
            f"{in_words(again, _FEW)}. If they are one question, give both the same title in the "
            "file."
        )


_THOUSANDS = re.compile(r"\d{1,3}([.,]\d{3})+")
# The probabilities in each column of a sheet, by its name.
Shares = Mapping[str, npt.NDArray[np.float64]]
_SUM = 0.01  # by which the probabilities of options may miss 1


def values_of(table: Table, columns: Columns) -> tuple[Shares, str]:
    """Return the probabilities in each column, and how they were read; blank ones without any.

    The numbers of a file are all from 0 to 1 or all from 0 to 100.

    Cells with a percent character are percentages in any file. A file whose numbers are partly
    above 1 and partly between 0 and 1 could be either, and is refused unless the scale is chosen.
    """
    names = list(columns.wide.values()) or [*columns.fields.get("probability", ())]
    if not names:
        return {"": np.full(len(table.frame), np.nan)}, ""
    numbers, signed = {}, {}
    for name in names:
        bare, signed[name] = column_guesses.numbers_of(table, name)
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
    return shares, rule


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
    table: Table, columns: Columns, choices: Choices, values: Shares, made_at: pd.Series[Any]
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
    kind, wide = columns.kind, columns.wide
    if kind == "option":
        return _with_options(table, wide, values, who, made_at)
    parts = []
    for label, column in wide.items() if wide else [("", *values)]:
        shares = values[column]
        place = np.flatnonzero(~np.isnan(shares))
        part = pd.DataFrame({"row": place, "probability": shares[place]})
        is_date = kind == "made_at"
        part["made_at"] = _header_time(label, choices.zone) if is_date else _at(made_at, place)
        is_person = kind == "forecaster"
        part["forecaster"] = handle(label) if is_person else _at(who, place)
        parts.append(part)
    made = pd.concat(parts).sort_values("row", kind="stable", ignore_index=True)
    if name := columns.one("rationale"):
        made["rationale"] = _at(rows[name], made["row"])
    return made


def _at(values: pd.Series[Any], place: Any) -> pd.Series[Any]:
    return values.take(place).reset_index(drop=True)


def _header_time(label: str, zone: ZoneInfo) -> pd.Timestamp:
    time = pd.Timestamp(day_first(label.strip()))
    return (time.tz_localize(zone) if time.tzinfo is None else time).tz_convert("UTC").as_unit("us")


def _with_options(
    table: Table, wide: Mapping[str, str], values: Shares, who: Any, made_at: Any
) -> pd.DataFrame:
    """Return the forecasts of a sheet with a column for each option."""
    shares = np.column_stack([values[column] for column in wide.values()])
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
