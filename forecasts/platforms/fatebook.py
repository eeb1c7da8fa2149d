"""Fatebook: the CSV of an account (17 columns) or of a tournament (12, from "Tournament name" on).

One row a forecast. There are no question ids, so the title and the time of asking identify a
question. Each option of a multiple-choice question has its own forecasts, times and resolution, and
Fatebook scores it on its own; the file does not say whether options exclude each other. So each is
read as a binary question, and all of one question are a family. One vector of all options was
rejected: it would invent the probabilities of options that nobody forecast.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from forecasts.common.text import counted
from forecasts.platforms.handles import apart, handle, hashed_id
from forecasts.platforms.reading import PROBABILITY, Column, Line, Reading, Rows
from forecasts.platforms.record import Choices, PlatformRecord
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
# OTHER: none of the options listed, so none of them came true.
_OUTCOMES = {"": "", "YES": "yes", "NO": "no", "OTHER": "no", "AMBIGUOUS": "ambiguous"}
_OUTCOME_RULE = "YES, NO, AMBIGUOUS, OTHER or blank"
_COLUMNS = (
    Column(_TITLE, needed=True, required=True),
    Column(_OPTION),
    Column(_WHO, needed=True),
    Column(_FORECAST, "number", needed=True, required=True, **PROBABILITY),
    Column(_MADE, "local", needed=True, required=True),
    Column(_ASKED, "local", needed=True, required=True),
    Column(_DUE, "local", needed=True, required=True, agrees=True),
    Column(_OUTCOME, needed=True, words=_OUTCOMES, rule=_OUTCOME_RULE, agrees=True),
    Column(_RESOLVED, "local", agrees=True),
    *(Column(name) for name in (_NOTES, _TAGS, _COMMENTS, _TOURNAMENT)),
    *(Column(name, "number") for name in _SCORES),
)


def read(source: Source, choices: Choices) -> PlatformRecord:
    """Return the forecasts of everyone in the file; times without a zone are in the chosen one."""
    rows = Rows(source, _COLUMNS, choices.zone)
    rows.require_sound()
    every = list(rows)
    for row in every:
        # As printed but for zeros, so that the chosen zone does not change the ids.
        asked = row[_ASKED].tz_convert(choices.zone).strftime("%Y-%m-%d %H:%M:%S")
        row["whole"] = f"{row[_TITLE]}\x1f{asked}"
        row["id"] = hashed_id("fatebook", row["whole"], *filter(None, [row[_OPTION]]))
        row["who"] = handle(row[_WHO])
    rows.require_agreement([row["id"] for row in every])
    rows.require_sound()
    owner = _owner(every)
    first = {row["id"]: row for row in reversed(every)}
    asked = [row for row in every if first[row["id"]] is row]
    reading = Reading("fatebook")
    reading.note(f"The file's times have no zone; they were read as {choices.zone.key}.")
    reading.note(
        "Fatebook exports no question ids: the title and the time of asking identify a question. "
        "A question with a new title is a new question."
    )
    if owner and owner != choices.owner:
        reading.note(f"Forecasts of {owner!r} are {choices.owner}'s.")
    _note_options(asked, reading)
    for row in asked:
        reading.question(row.place, _question(row))
    reading.close_when_due(choices.zone)
    for row in every:
        name = row["who"]
        if not name:
            reading.leave_out(row.place, str(row[_FORECAST]), "names no forecaster")
            continue
        if owner:
            name = choices.owner if name == owner else apart(name, choices.owner, "Fatebook")
        cells = {"question_id": row["id"], "forecaster": name, "made_at": row[_MADE]}
        reading.forecast(row.place, cells | {"probability": row[_FORECAST]})
    commented = {row["whole"]: row for row in reversed(asked)}
    for row in asked:
        if row[_COMMENTS].strip() and commented[row["whole"]] is row:
            reason = "the comments of a question are in one cell, without their times"
            reading.leave_out(row.place, row[_COMMENTS], reason)
    for row in asked:
        _add_scores(row, choices.owner if owner else "", reading)
    reading.left_out += rows.unused()
    return reading.record(account=owner)


def _owner(rows: Sequence[Line]) -> str:
    """Return the name of the account that exported the file; '' if it cannot be told.

    It has forecasts on every question with a printed score, since only its own scores are printed.
    """
    scored: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        if _printed(row):
            scored[row["whole"]].add(row["who"])
    some = list(scored.values())
    if not some and not any(row[_TOURNAMENT] for row in rows):
        some = [{row["who"] for row in rows}]
    common = set.intersection(*some) - {""} if some else set()
    return common.pop() if len(common) == 1 else ""


def _printed(row: Line) -> dict[str, float]:
    """Return the scores in a row by their names."""
    return {name: row[column] for column, name in _SCORES.items() if row[column] == row[column]}


def _question(row: Line) -> dict[str, Any]:
    option = row[_OPTION]
    tags = dict.fromkeys([*row[_TAGS].split("; "), row[_TOURNAMENT]])
    return {
        "question_id": row["id"],
        "title": f"{row[_TITLE]}: {option}" if option else row[_TITLE],
        "type": "binary",
        "open_time": row[_ASKED],
        "due": row[_DUE],
        "resolved": row[_RESOLVED],
        "resolution": row[_OUTCOME],
        "resolved_at": row[_RESOLVED] if row[_OUTCOME] else None,
        "family": hashed_id("fatebook", row["whole"]) if option else "",
        "tags": [tag for tag in tags if tag.strip()] or None,
        "background": row[_NOTES],
    }


def _add_scores(row: Line, owner: str, reading: Reading) -> None:
    """Add a question's printed scores, which are the account's own, or leave them out."""
    printed = _printed(row)
    if not printed:
        return
    if row[_OPTION] or not owner:
        reason = "your score, and the file does not tell which forecaster you are"
        if row[_OPTION]:
            reason = "the score of one option, which Fatebook prints at every option"
        shown = ", ".join(f"{name} {score:g}" for name, score in printed.items())
        reading.leave_out(row.place, shown, reason)
        return
    reading.printed += [
        {"question_id": row["id"], "forecaster": owner, "name": name, "score": score}
        for name, score in printed.items()
    ]


def _note_options(asked: Sequence[Line], reading: Reading) -> None:
    none_true: dict[str, bool] = {}
    for row in asked:
        if row[_OPTION]:
            none_true[row["whole"]] = none_true.get(row["whole"], True) and row[_OUTCOME] == "no"
    if not none_true:
        return
    reading.note("Each option is a yes/no question; the options of one question are a family.")
    no_option = "Every option of {n} question{s} resolved NO. Fatebook writes this for Other and "
    ambiguous = "for Ambiguous alike; annul the options if it was ambiguous."
    reading.note(counted(sum(none_true.values()), no_option + ambiguous))
