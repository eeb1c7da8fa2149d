"""Plain pairs of a probability and an outcome, and wide sheets, from any CSV.

A long sheet has a row for each forecast; a wide one has a row for each question, and a column for
each forecaster, date or option. Rows with the same question_id or title are one question; without
either, each row is a question of its own, named by its other cells. All is done by columns, since
such files have millions of rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from forecasts.common.errors import BadInput
from forecasts.exchange.folder.tables import Table
from forecasts.exchange.platforms.column_guesses import Columns, are_usual, matched
from forecasts.exchange.platforms.columns import (
    as_mask,
    as_texts,
    hashed_id,
    origins_of,
    repeated,
    require_sound,
    window_note,
    windows,
)
from forecasts.exchange.platforms.record import (
    PRINTED_COLUMNS,
    Choices,
    LeftOut,
    PlatformRecord,
    frame_of,
    frames_of,
)
from forecasts.exchange.platforms.sheet_forecasts import (
    DATED,
    DAY,
    UNDATED,
    Values,
    dates_of,
    made_by_row,
    values_of,
    with_forecasters,
)
from forecasts.exchange.platforms.source import Source

# The fields that tell rows apart, beside the columns left over, if no column names the question.
_NAMING = ("family", "forecaster", "made_at", "open_time", "close_time")
_SLICE = 20_000  # ids that are made at a time
_PLAIN_ID = r"^[A-Za-z0-9._-]{1,80}$"
_YES = ("yes", "y", "true", "t", "1")
_NO = ("no", "n", "false", "f", "0")
_OTHERS = dict.fromkeys(("", "open", "pending", "unresolved", "unknown"), "")
_OTHERS |= dict.fromkeys(("annulled", "void", "voided", "n/a"), "annulled")
_OTHERS["ambiguous"] = "ambiguous"


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
    [(name, header)] = source.headers.items()
    columns = matched(header, choices.columns)
    table = source.table(name, dict.fromkeys(header, "text"))
    columns = with_forecasters(table, columns)
    values = values_of(table, columns)
    asked = _asked(table, columns)
    outcomes = _outcomes(table, columns, asked.codes)
    dates = dates_of(table, columns, choices.zone)
    made = made_by_row(table, columns, choices, values, dates)
    require_sound(table)
    questions, unusable = _questions(table, columns, asked, outcomes, dates, made)
    nameless = made["forecaster"] == ""
    left_out = [
        LeftOut(table.place(row), "", "names no forecaster")
        for row in made["row"][nameless].unique().tolist()
    ]
    if nameless.any():
        made = made[~nameless].reset_index(drop=True)
    places = {"questions": asked.first, "forecasts": made.pop("row").to_numpy()}
    codes = asked.codes[places["forecasts"]]
    forecasts = {str(name): made[name] for name in made}
    forecasts["question_id"] = asked.ids.take(codes).reset_index(drop=True)
    return PlatformRecord(
        platform="pairs",
        frames=frames_of(
            questions, forecasts, place=lambda of, row: table.place(int(places[of][row]))
        ),
        origins=origins_of("pairs", asked.ids),
        printed=frame_of(PRINTED_COLUMNS, {}),
        left_out=left_out,
        notes=list(_notes(columns, values, choices.zone, unusable)),
    )


@dataclass(frozen=True)
class _Asked:
    """The questions of a sheet: id, title and first row of each, and the question of each row."""

    ids: Any
    titles: Any
    first: npt.NDArray[np.intp]
    codes: npt.NDArray[np.intp]


def _asked(table: Table, columns: Columns) -> _Asked:
    rows = table.frame
    named = columns.fields.get("question_id") or columns.fields.get("title")
    parts = named or [
        *columns.others,
        *(name for field in _NAMING for name in columns.fields.get(field, ())),
    ]
    keys = _joined(rows, parts, " · ") if parts else pa.array([""] * len(rows), pa.large_string())
    for row in np.flatnonzero(as_mask(pc.equal(keys, ""))) if named else ():
        table.wrong(int(row), parts[0], "", "required: it names the question")
    encoded = keys.dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    if named:
        _, first = np.unique(codes, return_index=True)  # the dictionary is in order of appearance
        distinct = encoded.dictionary
    else:  # each row is a question; equal ones are numbered
        same = pd.Series(codes).groupby(codes).cumcount().to_numpy()
        codes, first = np.arange(len(rows)), np.arange(len(rows))
        distinct, place = keys, np.flatnonzero(same)
        if len(place) and parts:
            again = pc.take(keys, pa.array(place))
            numbers = pa.array([f" · {1 + number}" for number in same[place].tolist()], keys.type)
            numbered = pc.binary_join_element_wise(again, numbers, pa.scalar("", keys.type))
            distinct = pc.replace_with_mask(keys, pa.array(same > 0), numbered)
        elif not parts:
            stem = table.path.name.partition(".")[0]
            texts = [f"{stem}, row {number}" for number in range(1, len(rows) + 1)]
            distinct = pa.array(texts, pa.large_string())
    as_given = columns.fields.get("question_id")
    titled = columns.fields.get("title")
    titles = _joined(rows.iloc[first], titled, " · ") if as_given and titled else distinct
    return _Asked(_ids(distinct, keep=bool(as_given)), as_texts(titles), first, codes)


def _joined(rows: pd.DataFrame, names: Sequence[str], between: str) -> Any:
    """Return the cells of some columns as one text, without blank ones."""
    cells = [pc.utf8_trim_whitespace(pa.array(rows[name], pa.large_string())) for name in names]
    if len(cells) == 1:
        return cells[0]
    filled = [pc.if_else(pc.equal(one, ""), pa.scalar(None, one.type), one) for one in cells]
    separator = pa.scalar(between, pa.large_string())
    return pc.binary_join_element_wise(*filled, separator, null_handling="skip")


def _ids(keys: Any, *, keep: bool) -> pd.Series[Any]:
    """Return a question_id for each key: the key itself if it may be kept, else its hash."""
    made = (
        [
            pc.binary_join_element_wise(
                pa.scalar("pairs-", keys.type), keys, pa.scalar("", keys.type)
            )
        ]
        if keep
        else []
    )
    plain = (
        as_mask(pc.match_substring_regex(keys, _PLAIN_ID)) if keep else np.zeros(len(keys), bool)
    )
    if not plain.all():
        hashed = (
            pa.array([hashed_id("pairs", key) for key in keys[at : at + _SLICE].to_pylist()])
            for at in range(0, len(keys), _SLICE)
        )
        other = pa.concat_arrays(list(hashed)).cast(keys.type)
        made = [pc.if_else(pa.array(plain), made[0], other)] if keep else [other]
    return as_texts(made[0])


def _outcomes(table: Table, columns: Columns, codes: Any) -> pd.Series[Any]:
    """Return the outcome of each row; rows of a question that contradict each other are noted."""
    name = columns.one("outcome")
    if name is None:
        return as_texts(pa.array([""] * len(table.frame)))
    options = columns.wide[1] if columns.wide and columns.wide[0] == "option" else {}
    cells = table.frame[name]
    encoded = pc.utf8_trim_whitespace(pa.array(cells, pa.large_string())).dictionary_encode()
    texts = encoded.dictionary.to_pylist()
    known = [_outcome(text, options) for text in texts]
    places = encoded.indices.to_numpy(zero_copy_only=False)
    unknown = np.array([one is None for one in known], dtype=bool)
    possible = ", ".join(options) if options else "yes, no, 1, 0, a share between them"
    table.wrong_where(unknown[places], cells, f"{possible}, annulled, ambiguous or blank")
    found = as_texts([one or "" for one in known]).take(places).reset_index(drop=True)
    first = found.where(found != "").groupby(codes).transform("first")
    for row in np.flatnonzero((found != "") & (found != first)).tolist():
        rule = f"{first.iloc[row]!r}, as in an earlier row of this question"
        table.wrong(row, name, cells.iloc[row], rule)
    return first.fillna("")


def _outcome(text: str, options: Mapping[str, str]) -> str | None:
    """Return an outcome in the ledger's form; None if it is not one."""
    folded = text.casefold()
    if folded in _OTHERS:
        return _OTHERS[folded]
    if options:
        return next((option for option in options if option.casefold() == folded), None)
    if folded in (*_YES, *_NO):
        return "yes" if folded in _YES else "no"
    try:
        share = float(text)
    except ValueError:
        return None
    if not 0 <= share <= 1:
        return None
    return {0.0: "no", 1.0: "yes"}.get(share, text)


def _questions(
    table: Table,
    columns: Columns,
    asked: _Asked,
    outcomes: pd.Series[Any],
    dates: Mapping[str, pd.Series[Any]],
    made: pd.DataFrame,
) -> tuple[dict[str, Any], int]:
    """Return the columns of the questions, and how many had no usable close."""
    times_made = made["made_at"].groupby(asked.codes[made["row"]])
    many = range(len(asked.ids))
    opened, due, resolved = (
        getattr(dates[name].groupby(asked.codes), which)().reindex(many)
        for name, which in (("open_time", "min"), ("close_time", "max"), ("resolved_at", "max"))
    )
    first, last = (times_made.agg(which).reindex(many) for which in ("min", "max"))
    opened = opened.fillna(first).fillna(due - DAY).fillna(UNDATED)
    due = due.where(due.notna() | resolved.notna(), last + DAY).fillna(resolved)
    due = due.fillna(opened + DAY)
    window, unusable = windows(opened, due, resolved)
    outcome = outcomes.take(asked.first).reset_index(drop=True)
    found: dict[str, Any] = {
        "question_id": asked.ids,
        "title": asked.titles,
        "type": repeated("binary", len(asked.ids)),
        **window,
        "resolution": outcome,
        "resolved_at": resolved.where(outcome != ""),
    }
    if columns.wide and columns.wide[0] == "option":
        found["type"] = repeated("multiple_choice", len(asked.ids))
        found["options"] = [list(columns.wide[1])] * len(asked.ids)
    rows = table.frame
    if name := columns.one("family"):
        found["family"] = rows[name].take(asked.first).reset_index(drop=True)
    if name := columns.one("tags"):
        found["tags"] = [[tag] if tag else None for tag in rows[name].take(asked.first)]
    return found, unusable


def _notes(columns: Columns, values: Values, zone: ZoneInfo, unusable: int) -> Iterator[str]:
    pairs = [f"{field} = {' + '.join(names)}" for field, names in columns.fields.items() if names]
    if columns.wide:
        kind, wide = columns.wide
        pairs.append(f"{kind} = each of {', '.join(wide.values())}")
    yield f"Columns, ours = the file's: {'; '.join(pairs)}."
    yield f"Probabilities are {values.rule}."
    if not columns.fields.get("question_id") and not columns.fields.get("title"):
        others = ", ".join(columns.others)
        named = f"named by its other columns ({others})" if others else "named by its number"
        yield f"No column names the question, so each row is one, {named}."
    elif columns.others:
        yield f"Left out, with no place in a ledger: {', '.join(columns.others)}."
    dated = {field for field in DATED if columns.one(field)}
    if columns.wide and columns.wide[0] == "made_at":
        dated.add("made_at")
    if not dated:
        yield "The file has no dates: each forecast is dated 1 January 2000, for a day."
        return
    yield f"Days, and times without an offset, are in {zone.key}."
    if "made_at" not in dated:
        yield (
            "No column says when a forecast was made: it is the question's opening time, or a day "
            "before its close."
        )
    if not dated & {"close_time", "resolved_at"}:
        yield "No column says when a question closes: it is a day after its last forecast."
    if note := window_note(unusable):
        yield note
