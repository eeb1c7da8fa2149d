"""Plain pairs of a probability and an outcome, and wide sheets, from any CSV.

A long sheet has a row for each forecast; a wide one has a row for each question, and a column for
each forecaster, date or option. Rows with the same question_id or title are one question; without
either, each row is a question of its own, named by its other cells without the outcome. All is done
by columns, since such files have millions of rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from forecasts.common.errors import BadInput
from forecasts.folder.blocks import separator_of
from forecasts.folder.frames import Frames
from forecasts.folder.tables import Table
from forecasts.platforms.column_guesses import (
    Columns,
    are_usual,
    columns_note,
    leftover_notes,
    matched,
    naming,
)
from forecasts.platforms.columns import (
    NAMELESS,
    as_mask,
    as_texts,
    hashed_id,
    origins_of,
    repeated,
    require_sound,
)
from forecasts.platforms.record import (
    PRINTED_COLUMNS,
    Advice,
    Assumed,
    Choices,
    LeftOut,
    Mask,
    PlatformRecord,
    frame_of,
    frames_of,
)
from forecasts.platforms.sheet_cells import decimal_points
from forecasts.platforms.sheet_forecasts import (
    made_by_row,
    values_of,
    with_days,
    with_forecasters,
    with_resolved,
)
from forecasts.platforms.sheet_rows import alike_titles, without_totals
from forecasts.platforms.sheet_times import (
    Times,
    dates_of,
    require_dated,
    time_notes,
    timed,
)
from forecasts.platforms.sheet_words import NO, OTHERS, YES, unaccented
from forecasts.platforms.source import Source

# The fields that tell rows apart, beside the columns left over, if no column names the question.
_NAMING = ("family", "forecaster", "made_at", "open_time", "close_time")
_SLICE = 50_000  # rows that are named at a time, to need little memory
_PLAIN_ID = r"^[A-Za-z0-9._-]{1,80}$"
_BETWEEN = " · "


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
            remedy="Give a later day with --closes.",
        )
    [(name, header)] = source.headers.items()
    columns = matched(header, choices.columns)
    separator = separator_of(source.files[name])
    whole = source.table(name, dict.fromkeys(header, "text"), separator)
    table, totals = without_totals(whole, columns)
    columns = with_forecasters(table, with_days(table, with_resolved(table, columns)))
    frames, assumed, left_out, notes = _frames(table, columns, choices)
    return PlatformRecord(
        platform="pairs",
        frames=frames,
        origins=origins_of("pairs", frames.questions["question_id"]),
        printed=frame_of(PRINTED_COLUMNS, {}),
        left_out=[*totals, *left_out],
        notes=notes,
        assumed=assumed,
    )


def _frames(
    table: Table, columns: Columns, choices: Choices
) -> tuple[Frames, Assumed, list[LeftOut], list[str]]:
    """Return the frames, their assumed times, the omissions and the notes; the table is emptied."""
    values = values_of(table, columns)
    asked = _asked(table, columns)
    outcomes = _outcomes(table, columns, asked)
    dates = dates_of(table, columns, choices.zone)
    made = made_by_row(table, columns, choices, values, dates["made_at"])
    require_dated(table, columns, made)
    require_sound(table)
    found = timed(asked.titles, asked.codes, outcomes, dates, made, choices)
    made["made_at"] = found.made_at
    questions = _questions(table, columns, asked, outcomes, found)
    table.frame = table.frame[:0]
    notes = [columns_note(columns, table.header), f"Probabilities are {values.rule}."]
    notes += [*leftover_notes(columns), *time_notes(columns, found, choices)]
    if columns.fields.get("title"):
        notes += alike_titles(asked.titles)
    notes += _at_once(table, columns, made, asked.codes[made["row"]])
    out = _reasons(made, asked.codes[made["row"]], found.assumed.forecasts)
    kept = (out == "").to_numpy()
    dropped = zip(made["row"][~kept], made["forecaster"][~kept], out[~kept], strict=True)
    left_out = [
        LeftOut(table.place(row), name, reason) for row, name, reason in dict.fromkeys(dropped)
    ]
    assumed = replace(found.assumed, forecasts=found.assumed.forecasts[kept])
    if not kept.all():
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

    ids: Any
    titles: Any
    first: npt.NDArray[np.intp]
    codes: npt.NDArray[np.intp]


def _asked(table: Table, columns: Columns) -> _Asked:
    """Return the questions; the columns that only name them are dropped from the table."""
    rows, given = table.frame, columns.fields
    named = given.get("question_id") or given.get("title")
    parts = named or [
        *naming(columns),
        *(name for field in _NAMING for name in given.get(field, ())),
    ]
    if parts:
        keys = _joined(rows, parts)
    else:
        stem = table.path.name.partition(".")[0]
        texts = [f"{stem}, row {number}" for number in range(1, len(rows) + 1)]
        keys = pa.array(texts, pa.large_string())
    table.frame = rows = rows.drop(columns=list(columns.others))
    if not named:
        every = np.arange(len(rows))
        keys = _numbered(keys)
        return _Asked(_ids(keys, keep=False), as_texts(keys), every, every)
    for row in np.flatnonzero(as_mask(pc.equal(keys, ""))).tolist():
        table.wrong(row, parts[0], "", NAMELESS)
    encoded = keys.dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    _, first = np.unique(codes, return_index=True)  # the dictionary is in order of appearance
    keys, has_id = encoded.dictionary, bool(given.get("question_id"))
    titles = keys
    if has_id and given.get("title"):
        titles = _joined(rows.iloc[first], given["title"])
    return _Asked(_ids(keys, keep=has_id), as_texts(titles), first, codes)


def _numbered(keys: Any) -> Any:
    """Return keys that all differ: the second of equal ones ends with 2, and so on."""
    parts = (keys[at : at + _SLICE].to_pylist() for at in range(0, len(keys), _SLICE))
    digests = np.concatenate(
        [np.array([int(hashed_id("", key)[1:], 16) for key in part], np.uint64) for part in parts]
        or [np.empty(0, np.uint64)]
    )
    order = np.argsort(digests, kind="stable")
    starts = np.flatnonzero(np.diff(digests[order], prepend=~digests[order[:1]]))
    rank = np.empty(len(keys), dtype=np.int64)
    rank[order] = np.arange(len(keys)) - np.repeat(starts, np.diff(starts, append=len(keys)))
    place = np.flatnonzero(rank)
    if not len(place):
        return keys
    numbers = pa.array([f"{1 + number}" for number in rank[place].tolist()], keys.type)
    again = pc.take(keys, pa.array(place))
    numbered = pc.binary_join_element_wise(again, numbers, pa.scalar(_BETWEEN, keys.type))
    return pc.replace_with_mask(keys, pa.array(rank > 0), numbered)


def _joined(rows: pd.DataFrame, names: Sequence[str]) -> Any:
    """Return the cells of some columns as one text, without blank ones."""
    parts = []
    for at in range(0, max(len(rows), 1), _SLICE):
        some = rows.iloc[at : at + _SLICE]
        cells = [pc.utf8_trim_whitespace(pa.array(some[name], pa.large_string())) for name in names]
        if len(cells) == 1:  # of which Arrow would drop the missing values
            parts += cells
            continue
        filled = [pc.if_else(pc.equal(one, ""), pa.scalar(None, one.type), one) for one in cells]
        separator = pa.scalar(_BETWEEN, pa.large_string())
        parts.append(pc.binary_join_element_wise(*filled, separator, null_handling="skip"))
    return pa.concat_arrays(parts)


def _ids(keys: Any, *, keep: bool) -> pd.Series[Any]:
    """Return a question_id for each key: the key itself if it may be kept, else its hash."""
    kept = keep and as_mask(pc.match_substring_regex(keys, _PLAIN_ID))
    parts = (keys[at : at + _SLICE].to_pylist() for at in range(0, len(keys), _SLICE))
    hashed = [pa.array([hashed_id("pairs", key) for key in part], keys.type) for part in parts]
    ids = pa.concat_arrays(hashed) if hashed else keys
    if keep:
        prefix, nothing = pa.scalar("pairs-", keys.type), pa.scalar("", keys.type)
        own = pc.binary_join_element_wise(prefix, keys, nothing)
        ids = pc.if_else(pa.array(kept), own, ids)
    return as_texts(ids)


def _outcomes(table: Table, columns: Columns, asked: _Asked) -> pd.Series[Any]:
    """Return the outcome of each question; rows that contradict an earlier one are noted."""
    name = columns.one("outcome")
    if name is None:
        return repeated("", len(asked.ids))
    options = columns.wide[1] if columns.wide and columns.wide[0] == "option" else {}
    cells = table.frame[name]
    encoded = pc.utf8_trim_whitespace(pa.array(cells, pa.large_string())).dictionary_encode()
    texts = encoded.dictionary
    numbers = decimal_points(texts, table.separator)
    known = [
        _outcome(text, number, options)
        for text, number in zip(texts.to_pylist(), numbers.to_pylist(), strict=True)
    ]
    places = encoded.indices.to_numpy(zero_copy_only=False)
    unknown = np.array([one is None for one in known], dtype=bool)
    possible = ", ".join(options) if options else "yes, no, 1, 0, a share between them"
    table.wrong_where(unknown[places], cells, f"{possible}, annulled, ambiguous or blank")
    # Blank is 0, and of a question the first that is not blank counts.
    found = list(dict.fromkeys(["", *(one or "" for one in known)]))
    codes = np.array([found.index(one or "") for one in known], dtype=np.int64)[places]
    stated = np.flatnonzero(codes)
    first = np.zeros(len(asked.ids), dtype=np.int64)
    first[asked.codes[stated[::-1]]] = codes[stated[::-1]]
    for row in stated[codes[stated] != first[asked.codes[stated]]].tolist():
        rule = f"{found[first[asked.codes[row]]]!r}, as in an earlier row of this question"
        table.wrong(row, name, cells.iloc[row], rule)
    return as_texts(pa.array(found, pa.large_string()).take(pa.array(first)))


def _outcome(text: str, number: str, options: Mapping[str, str]) -> str | None:
    """Return an outcome in the ledger's form; None if it is not one.

    ``number``: the text with a decimal point.
    """
    word = unaccented(text)
    if word in OTHERS:
        return OTHERS[word]
    if options:
        folded = text.casefold()
        return next((option for option in options if option.casefold() == folded), None)
    if word in YES or word in NO:
        return "yes" if word in YES else "no"
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
        "type": repeated("binary", len(asked.ids)),
        **found.window,
        "resolution": outcomes,
    }
    if columns.wide and columns.wide[0] == "option":
        questions["type"] = repeated("multiple_choice", len(asked.ids))
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
) -> Iterator[str]:
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
        yield Advice(
            "No column names the forecasters, so all forecasts are yours. Of rows on one question "
            f"at the same time, only the last one counts, as in {place}.",
            "If they are several people's, name the column that tells them apart: "
            '--column "forecaster=NAME"',
        )
        return
    yield (
        "Rows by one name on one question at the same time: only the last one counts, as in "
        f"{place}, {made['forecaster'].iloc[row]!r}. If they are two people, give each a name of "
        "their own."
    )
