"""Fatebook: the CSV of an account (17 columns) or of a tournament (12, from "Tournament name" on).

One row a forecast. There are no question ids, so the title and the time of asking identify a
question. Each option of a multiple-choice question has its own forecasts, times and resolution, and
Fatebook scores it on its own; the file does not say whether options exclude each other. So each is
read as a binary question, and all of one question are a family. One vector of all options was
rejected: it would invent the probabilities of options that nobody forecast.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from forecasts.folder.tables import Table
from forecasts.platforms.columns import (
    apart,
    csv_with,
    handle,
    hashed_id,
    origins_of,
    require_sound,
    times,
    window_note,
    windows,
)
from forecasts.platforms.record import (
    PRINTED_COLUMNS,
    Choices,
    LeftOut,
    PlatformRecord,
    frame_of,
    frames_of,
)
from forecasts.platforms.source import Source

_TITLE, _OPTION = "Question title", "Multiple choice option"
_WHO, _FORECAST, _MADE = "Forecast created by", "Forecast (scale = 0-1)", "Forecast created at"
_ASKED, _DUE = "Question created at", "Question resolve by"
_OUTCOME, _RESOLVED = "Resolution", "Resolved at"
_NOTES, _TAGS, _COMMENTS = "Question notes", "Question tags", "Question comments"
_TOURNAMENT = "Tournament name"
_SCORES = {
    "Your Brier score for this question": "Brier score",
    "Your relative Brier score for this question": "relative Brier score",
}
_NEEDED = (_TITLE, _WHO, _FORECAST, _MADE, _ASKED, _DUE, _OUTCOME)
_KINDS = dict.fromkeys(
    (*_NEEDED, _OPTION, _RESOLVED, _NOTES, _TAGS, _COMMENTS, _TOURNAMENT), "text"
) | dict.fromkeys((_FORECAST, *_SCORES), "number")
# OTHER: none of the options listed, so none of them came true.
_OUTCOMES = {"": "", "YES": "yes", "NO": "no", "OTHER": "no", "AMBIGUOUS": "ambiguous"}


def recognises(source: Source) -> bool:
    """Return whether a CSV file has the columns of a Fatebook export."""
    return any({_TITLE, _FORECAST, _ASKED} <= set(header) for header in source.headers.values())


def read(source: Source, choices: Choices) -> PlatformRecord:
    """Return the forecasts of everyone in the file; times without a zone are in the chosen one."""
    table = source.table(csv_with(source, _NEEDED), _KINDS)
    rows = table.frame
    for name in (_MADE, _ASKED, _DUE, _RESOLVED):
        rows[f"{name}, read"] = times(table, rows[name], choices.zone)
    _check(table)
    require_sound(table)
    # As printed but for zeros, so that the chosen zone does not change the ids.
    asked = rows[f"{_ASKED}, read"].dt.tz_convert(choices.zone)
    rows["asked"] = asked.dt.strftime("%Y-%m-%d %H:%M:%S").astype(str)
    rows["question_id"] = _question_ids(rows)
    _check_agreement(table)
    require_sound(table)
    rows["who"] = rows[_WHO].map(handle)
    owner = _owner(rows)
    first = rows.drop_duplicates("question_id").reset_index(names="row")
    made = rows[rows["who"] != ""].reset_index(names="row")
    questions, unusable = _questions(first, choices.zone)
    places = {"questions": first["row"], "forecasts": made["row"]}
    frames = frames_of(
        questions,
        {
            "question_id": made["question_id"],
            "forecaster": made["who"].map(_handles(made["who"], owner, choices.owner)),
            "made_at": made[f"{_MADE}, read"],
            "probability": made[_FORECAST],
        },
        place=lambda name, row: table.place(int(places[name].iloc[row])),
    )
    return PlatformRecord(
        platform="fatebook",
        frames=frames,
        origins=origins_of("fatebook", first["question_id"]),
        printed=_printed(first, choices.owner if owner else ""),
        left_out=list(_left_out(table, first, owner)),
        notes=list(_notes(first, choices, owner, unusable)),
        account=owner,
    )


def _check(table: Table) -> None:
    rows = table.frame
    for name in (_TITLE, _MADE, _ASKED, _DUE):
        table.wrong_where(rows[name].str.strip() == "", rows[name], "required")
    p = rows[_FORECAST]
    blank = p.isna() & ~p.index.isin(table.noted[_FORECAST])
    for row in np.flatnonzero(blank).tolist():
        table.wrong(row, _FORECAST, "", "a probability from 0 to 1")
    table.wrong_where((p < 0) | (p > 1), p, "a probability from 0 to 1")
    outcome = rows[_OUTCOME]
    known = outcome.str.strip().str.upper().isin(_OUTCOMES)
    table.wrong_where(~known, outcome, "YES, NO, AMBIGUOUS, OTHER or blank")


def _question_ids(rows: pd.DataFrame) -> list[str]:
    """Return the id of each row's question, or of its option."""
    cells = zip(rows[_TITLE], rows["asked"], rows[_OPTION], strict=True)
    return [
        hashed_id("fatebook", title, at, *([option] if option else []))
        for title, at, option in cells
    ]


def _check_agreement(table: Table) -> None:
    """Note rows of a question that contradict its first row."""
    rows = table.frame
    for name in (_OUTCOME, _DUE, _RESOLVED):
        first = rows.groupby("question_id", sort=False)[name].transform("first")
        for row in np.flatnonzero(rows[name] != first).tolist():
            rule = f"{first.iloc[row]!r}, as in the first row of this question"
            table.wrong(row, name, rows[name].iloc[row], rule)


def _owner(rows: pd.DataFrame) -> str:
    """Return the name of the account that exported the file; '' if it cannot be told.

    It has forecasts on every question with a printed score, since only its own scores are printed.
    """
    names = rows["who"]
    scored = rows[list(_SCORES)].notna().any(axis=1)
    common: set[str] | None = None
    for _, some in names[scored].groupby(_of_question(rows)[scored]):
        common = set(some) if common is None else common & set(some)
    if common is None and not (rows[_TOURNAMENT] != "").any():
        common = set(names)
    common = (common or set()) - {""}
    return common.pop() if len(common) == 1 else ""


def _handles(names: pd.Series[Any], account: str, owner: str) -> dict[str, str]:
    """Return the handle of each name: the owner's for the account, another for a namesake."""
    every = names.unique().tolist()
    if not account:
        return {name: name for name in every}
    return {name: apart(name, owner, "Fatebook") for name in every} | {account: owner}


def _of_question(rows: pd.DataFrame) -> pd.Series[Any]:
    """Return the key of each row's whole question, with all its options."""
    return rows[_TITLE] + "\x1f" + rows["asked"]


def _questions(first: pd.DataFrame, zone: ZoneInfo) -> tuple[dict[str, Any], int]:
    """Return the columns of the questions, and how many had no usable time to resolve by."""
    asked, due, resolved = (first[f"{name}, read"] for name in (_ASKED, _DUE, _RESOLVED))
    window, unusable = windows(asked, due, resolved, zone)
    option = first[_OPTION]
    has_option = option != ""
    families = [hashed_id("fatebook", key) for key in _of_question(first)]
    tags = [
        [tag for tag in dict.fromkeys([*text.split("; "), tournament]) if tag.strip()]
        for text, tournament in zip(first[_TAGS], first[_TOURNAMENT], strict=True)
    ]
    outcome = first[_OUTCOME].str.strip().str.upper().map(_OUTCOMES)
    return {
        "question_id": first["question_id"],
        "title": first[_TITLE].where(~has_option, first[_TITLE] + ": " + option),
        "type": ["binary"] * len(first),
        **window,
        "resolution": outcome,
        "resolved_at": first[f"{_RESOLVED}, read"].where(outcome != ""),
        "family": pd.Series(families, dtype=str).where(has_option, ""),
        "tags": [each or None for each in tags],
        "background": first[_NOTES],
    }, unusable


def _printed(first: pd.DataFrame, owner: str) -> pd.DataFrame:
    """Return the printed scores of questions without options, which are the account's own."""
    single = first[first[_OPTION] == ""]
    found = [
        (id_, name, score)
        for column, name in _SCORES.items()
        for id_, score in zip(single["question_id"], single[column], strict=True)
        if owner and not math.isnan(score)
    ]
    return frame_of(
        PRINTED_COLUMNS,
        {
            "question_id": [id_ for id_, _, _ in found],
            "forecaster": [owner] * len(found),
            "name": [name for _, name, _ in found],
            "score": [score for _, _, score in found],
        },
    )


def _left_out(table: Table, first: pd.DataFrame, owner: str) -> Iterator[LeftOut]:
    rows = table.frame
    for row in np.flatnonzero(rows["who"] == "").tolist():
        yield LeftOut(table.place(row), str(rows[_FORECAST].iloc[row]), "names no forecaster")
    whole = first[~_of_question(first).duplicated()]
    for row in whole["row"][whole[_COMMENTS].str.strip() != ""].tolist():
        reason = "the comments of a question are in one cell, without their times"
        yield LeftOut(table.place(row), rows[_COMMENTS].iloc[row], reason)
    scored = first[first[list(_SCORES)].notna().any(axis=1)]
    for row, option in zip(scored["row"].tolist(), scored[_OPTION], strict=True):
        if option:
            reason = "the score of one option, which Fatebook prints at every option"
        elif not owner:
            reason = "your score, and the file does not tell which forecaster you are"
        else:
            continue
        scores = {name: rows[column].iloc[row] for column, name in _SCORES.items()}
        printed = (f"{name} {score:g}" for name, score in scores.items() if not math.isnan(score))
        yield LeftOut(table.place(row), ", ".join(printed), reason)
    if unused := [name for name in table.header if name not in _KINDS]:
        reason = "a ledger has no place for these columns"
        yield LeftOut(table.path.name, ", ".join(unused), reason)


def _notes(first: pd.DataFrame, choices: Choices, owner: str, unusable: int) -> Iterator[str]:
    yield f"The file's times have no zone; they were read as {choices.zone.key}."
    yield (
        "Fatebook exports no question ids: the title and the time of asking identify a question. "
        "A question with a new title is a new question."
    )
    if owner and owner != choices.owner:
        yield f"Forecasts of {owner!r} are {choices.owner}'s."
    with_options = first[first[_OPTION] != ""]
    if len(with_options):
        yield "Each option is a yes/no question; the options of one question are a family."
        outcomes = with_options[_OUTCOME].str.strip().str.upper()
        none_true = outcomes.isin(["NO", "OTHER"]).groupby(_of_question(with_options)).all().sum()
        if none_true:
            were = "1 question" if none_true == 1 else f"{none_true} questions"
            yield (
                f"Every option of {were} resolved NO. Fatebook writes this for Other and for "
                "Ambiguous alike; annul the options if it was ambiguous."
            )
    if note := window_note(unusable):
        yield note
