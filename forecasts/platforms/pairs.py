"""Plain pairs of a probability and an outcome, and wide sheets, from any CSV.

A long sheet has a row for each forecast; a wide one has a row for each question, and a column for
each forecaster, date or option. Rows with the same question_id or title are one question; without
either, each row is a question of its own, named by its other cells without the outcome. All is done
by columns, since such files have millions of rows.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecasts.common.errors import Advice, BadInput, Remedy
from forecasts.folder.blocks import separator_of
from forecasts.folder.frames import Frames
from forecasts.folder.tables import Table
from forecasts.platforms.column_guesses import (
    Columns,
    are_usual,
    columns_note,
    is_summary,
    leftover_notes,
    matched,
    naming,
)
from forecasts.platforms.handles import hashed_id
from forecasts.platforms.reading import NAMELESS, require_sound
from forecasts.platforms.record import (
    ORIGIN_COLUMNS,
    PRINTED_COLUMNS,
    Assumed,
    Choices,
    LeftOut,
    Mask,
    PlatformRecord,
    frame_of,
    frames_of,
)
from forecasts.platforms.sheet_cells import decimal_point
from forecasts.platforms.sheet_forecasts import (
    made_by_row,
    values_of,
    with_days,
    with_forecasters,
    with_resolved,
)
from forecasts.platforms.sheet_times import Times, dates_of, require_dated, time_notes, timed
from forecasts.platforms.sheet_words import NO, OTHERS, YES, unaccented
from forecasts.platforms.source import Source

# The fields that tell rows apart, beside the columns left over, if no column names the question.
_NAMING = ("family", "forecaster", "made_at", "open_time", "close_time")
_PLAIN_ID = re.compile(r"[A-Za-z0-9._-]{1,80}")
_BETWEEN = " · "
_FEW = 5  # titles that a note names


def recognises(source: Source) -> bool:
    """Return whether there is one CSV file whose header has the usual names of such sheets."""
    return len(source.headers) == 1 and all(map(are_usual, source.headers.values()))


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
    columns = matched(header, choices.columns)
    separator = separator_of(source.files[name])
    whole = source.table(name, dict.fromkeys(header, "text"), separator)
    table, totals = _without_totals(whole, columns)
    columns = with_forecasters(table, with_days(table, with_resolved(table, columns)))
    frames, assumed, left_out, notes = _frames(table, columns, choices)
    ids = frames.questions["question_id"]
    origins = {"question_id": ids, "platform_id": ids.str.removeprefix("pairs-")}
    return PlatformRecord(
        platform="pairs",
        frames=frames,
        origins=frame_of(ORIGIN_COLUMNS, origins),
        printed=frame_of(PRINTED_COLUMNS, {}),
        left_out=[*totals, *left_out],
        notes=notes,
        assumed=assumed,
    )


def _frames(
    table: Table, columns: Columns, choices: Choices
) -> tuple[Frames, Assumed, list[LeftOut], list[Advice]]:
    """Return the frames, their assumed times, the omissions and the notes."""
    values = values_of(table, columns)
    asked = _asked(table, columns)
    outcomes = _outcomes(table, columns, asked)
    dates = dates_of(table, columns, choices.zone)
    made = made_by_row(table, columns, choices, values, dates["made_at"])
    require_dated(table, columns, made)
    require_sound(table.path.name, table.by_line())
    found = timed(asked.titles, asked.codes, outcomes, dates, made, choices)
    made["made_at"] = found.made_at
    questions = _questions(table, columns, asked, outcomes, found)
    notes: list[Advice] = [columns_note(columns, table.header), f"Probabilities are {values.rule}."]
    notes += [*leftover_notes(columns), *time_notes(columns, found, choices)]
    if columns.fields.get("title"):
        notes += _alike_titles(asked.titles.tolist())
    notes += _at_once(table, columns, made, asked.codes[made["row"]])
    out = _reasons(made, asked.codes[made["row"]], found.assumed.forecasts)
    kept = (out == "").to_numpy()
    dropped = zip(made["row"][~kept], made["forecaster"][~kept], out[~kept], strict=True)
    left_out = [
        LeftOut(table.place(row), name, reason) for row, name, reason in dict.fromkeys(dropped)
    ]
    assumed = replace(found.assumed, forecasts=found.assumed.forecasts[kept])
    made = made[kept].reset_index(drop=True)
    places = {"questions": asked.first, "forecasts": made.pop("row").to_numpy()}
    forecasts = {str(name): made[name] for name in made}
    codes = asked.codes[places["forecasts"]]
    forecasts["question_id"] = asked.ids.take(codes).reset_index(drop=True)
    frames = frames_of(
        questions, forecasts, place=lambda of, row: table.place(int(places[of][row]))
    )
    return frames, assumed, left_out, notes


def _reasons(made: pd.DataFrame, question: npt.NDArray[np.intp], undated: Mask) -> pd.Series[Any]:
    """Return why each forecast is left out; blank if it is not."""
    reasons = pd.Series("", index=made.index)
    same = pd.DataFrame({"question": question, "name": made["forecaster"]})
    earlier = same.duplicated(keep="last") & undated
    reasons[earlier] = "without a date, only the last row by one name on a question counts"
    if "probability" in made:
        same = same.assign(at=made["made_at"], probability=made["probability"])
        if "rationale" in made:
            same["rationale"] = made["rationale"]
        reasons[same.duplicated(keep="last")] = "repeated in a later row"
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
    else:
        parts = [
            *naming(columns),
            *(name for field in _NAMING for name in given.get(field, ())),
        ]
        stem = table.path.name.partition(".")[0]
        numbered = [f"{stem}, row {number}" for number in range(1, len(rows) + 1)]
        keys = _told_apart(_joined(rows, parts)) if parts else numbered
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


def _told_apart(keys: Sequence[str]) -> list[str]:
    """Return keys that all differ: the second of equal ones ends with 2, and so on."""
    seen: Counter[str] = Counter()
    found = []
    for key in keys:
        seen[key] += 1
        found.append(key if seen[key] == 1 else f"{key}{_BETWEEN}{seen[key]}")
    return found


def _joined(rows: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """Return the cells of some columns as one text, without blank ones."""
    cells = zip(*(rows[name].str.strip() for name in names), strict=True)
    return [_BETWEEN.join(filter(None, some)) for some in cells]


def _outcomes(table: Table, columns: Columns, asked: _Asked) -> pd.Series[Any]:
    """Return the outcome of each question; rows that contradict an earlier one are noted."""
    name = columns.one("outcome")
    found = [""] * len(asked.ids)
    if name is not None:
        options = columns.wide[1] if columns.wide and columns.wide[0] == "option" else {}
        cells = table.frame[name]
        known = {cell: _outcome(cell.strip(), table.separator, options) for cell in cells.unique()}
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


def _outcome(text: str, separator: str, options: Mapping[str, str]) -> str | None:
    """Return an outcome in the ledger's form; None if it is not one."""
    word = unaccented(text)
    if word in OTHERS:
        return OTHERS[word]
    if options:
        folded = text.casefold()
        return next((option for option in options if option.casefold() == folded), None)
    if word in YES or word in NO:
        return "yes" if word in YES else "no"
    number = decimal_point(text, separator)
    try:
        share = float(number)
    except ValueError:
        return None
    if not 0 <= share <= 1:
        return None
    return {0.0: "no", 1.0: "yes"}.get(share, number)


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
    if columns.wide and columns.wide[0] == "option":
        questions["type"] = ["multiple_choice"] * len(asked.ids)
        questions["options"] = [list(columns.wide[1])] * len(asked.ids)
    rows = table.frame
    if name := columns.one("family"):
        questions["family"] = rows[name].take(asked.first).reset_index(drop=True)
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
    same = pd.DataFrame({"question": question, "name": made["forecaster"], "at": made["made_at"]})
    again = same.duplicated()
    if not again.any() or "probability" not in made:
        return
    same["probability"] = made["probability"]
    last = np.flatnonzero(again & ~same.duplicated())
    if not len(last):
        return
    row = int(last[0])
    place = table.place(int(made["row"].iloc[row]))
    if not columns.one("forecaster") and (columns.wide or ("",))[0] != "forecaster":
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


def _without_totals(table: Table, columns: Columns) -> tuple[Table, list[LeftOut]]:
    """Return the table without blank rows, and without rows of totals or averages: left out."""
    if table.problems:  # by their rows
        return table, []
    rows = table.frame
    name = columns.one("title") or columns.one("question_id")
    blank = np.arange(len(rows))
    for column in rows:
        blank = blank[(rows[column].iloc[blank].str.strip() == "").to_numpy(dtype=bool)]
    titles = [] if name is None else [one for one in rows[name].unique() if is_summary(one)]
    totals = np.flatnonzero(rows[name].isin(titles)) if titles else np.empty(0, np.intp)
    left_out = [
        LeftOut(table.place(row), rows[name].iloc[row], "a row of totals, not a question")
        for row in totals.tolist()
    ]
    if not len(blank) and not left_out:
        return table, []
    numbers = np.delete(np.arange(len(rows)), [*blank, *totals])
    kept = rows.iloc[numbers].reset_index(drop=True)
    place = table.place
    part = replace(table, frame=kept, placed=lambda row: place(int(numbers[row])))
    return part, left_out


def _alike_titles(titles: Sequence[str]) -> Iterator[str]:
    """Yield a sentence on titles of different questions that differ only in spaces or capitals."""
    first: dict[str, str] = {}
    again = []
    for title in titles:
        plain = re.sub(r"\s+", " ", title).lower()
        if first.setdefault(plain, title) is not title:
            again.append(f"{title!r} beside {first[plain]!r}")
    if again:
        more = f" and {len(again) - _FEW:,} more" if len(again) > _FEW else ""
        yield (
            "Titles that differ only in spaces or capital letters become different questions: "
            f"{', '.join(again[:_FEW])}{more}. If they are one question, give both the same title "
            "in the file."
        )
