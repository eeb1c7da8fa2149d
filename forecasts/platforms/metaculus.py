"""Metaculus: the ZIP of a download, or its CSVs; full, personal and anonymised.

Columns are found by their headers and files by their columns, since old exports lack some and
browsers rename files. Crowds ("aggregates") have no forecaster's id; they are left out, or imported
as bots when asked. Everything beside questions, forecasts and scores is left out with its count.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from forecasts.common import limits
from forecasts.common.errors import BadInput
from forecasts.common.times import read_time
from forecasts.folder.tables import Table
from forecasts.platforms import metaculus_questions
from forecasts.platforms.columns import account_handles
from forecasts.platforms.metaculus_forecasts import (
    DROPPED,
    UNKNOWN,
    Forecasts,
    Part,
    Rows,
    placed,
    read_forecasts,
    read_rows,
)
from forecasts.platforms.metaculus_questions import Questions, own_id, read_questions
from forecasts.platforms.record import (
    ORIGIN_COLUMNS,
    PRINTED_COLUMNS,
    Advice,
    Choices,
    LeftOut,
    PlatformRecord,
    frame_of,
    frames_of,
)
from forecasts.platforms.source import Source

_ANONYMOUS = ("Forecaster (Anonymized)", "User (Anonymized)", "Author (Anonymized)")
_WHO = ("Forecaster ID", "Forecaster Username", _ANONYMOUS[0])
_SCORES = {
    "Question ID": "text",
    "User ID": "text",
    "User Username": "text",
    "User (Anonymized)": "text",
    "Score Type": "text",
    "Score": "number",
    "Coverage": "number",
}
_OTHERS = {  # by the columns that only they have
    "Comment Text": ("comment", "a ledger has no place for comments from elsewhere"),
    "Key Factor ID": ("key factor", "a ledger has no place for key factors"),
    "Link ID": ("link between questions", "join questions in a family instead"),
}
# The crowds' names, for files without forecasters' ids; and the mark of a row without an id.
_METHODS = (
    "recency_weighted",
    "unweighted",
    "single_aggregation",
    "metaculus_prediction",
    "geometric_mean",
)
_CROWD = "\0"
_HASH = re.compile(r"[0-9a-f]{64}")
_EXPORTED = re.compile(r"^This data was exported on (\S+ \S+)\s*$", re.MULTILINE)


def recognises(source: Source) -> bool:
    """Return whether one of the files is Metaculus's list of questions, forecasts or scores."""
    return any(_kind(header) in ("questions", "forecasts") for header in source.headers.values())


def read(source: Source, choices: Choices) -> PlatformRecord:
    """Return the questions, forecasts and scores of an export (see ``record``)."""
    files = _files(source)
    asked = source.table(_required(files, "questions", source), metaculus_questions.KINDS)
    _require_columns(asked, ("Question ID", "Question Type"))
    scored = source.table(files["scores"], _SCORES) if "scores" in files else None

    @cache
    def forecasts() -> Table | None:
        """Return the forecasts, which are read once the questions' table takes no memory."""
        return read_rows(source.files[files["forecasts"]]) if "forecasts" in files else None

    questions = read_questions(asked, lambda: _first_forecasts(forecasts()))
    question_rows = _kept(asked, questions)
    asked.frame = pd.DataFrame()
    made = forecasts()
    accounts = _Accounts(made, scored, choices)
    found, left_out = _forecasts(made, questions, accounts, _until(source, choices))
    printed = _printed(scored, questions, accounts, left_out)
    problems = [one for table in (asked, made, scored) if table for one in table.by_line()]
    if problems:
        raise BadInput(
            f"{source.name} breaks Metaculus's format in {len(problems):,} "
            f"place{'s' if len(problems) > 1 else ''}; nothing was read from it.",
            problems=problems,
        )
    tables = {"questions": asked.path, "forecasts": made.path if made else asked.path}
    rows = {"questions": question_rows, "forecasts": found.rows}
    bare = {name: Table(path) for name, path in tables.items()}  # for line numbers

    def place(table: str, row: int) -> str:
        if table not in bare or row >= len(rows[table]):
            return f"{table}, row {row + 1}"
        return bare[table].place(int(rows[table][row]))

    return PlatformRecord(
        "metaculus",
        frames_of(questions.columns, found.columns, bots=accounts.bots, place=place),
        frame_of(ORIGIN_COLUMNS, questions.origins),
        printed,
        left_out=[*questions.left_out, *left_out, *_others(source, files)],
        notes=[*questions.notes, *accounts.notes, *_notes(found)],
        account=accounts.owner,
    )


def _kind(header: Sequence[str]) -> str:
    """Return which of the export's files has these columns; '' if none."""
    names = set(header)
    if "Question ID" in names and "Question Type" in names:
        return "questions"
    if "Question ID" in names and "Start Time" in names and names & set(_WHO):
        return "forecasts"
    if {"Question ID", "Score Type", "Score"} <= names:
        return "scores"
    return next((column for column in _OTHERS if column in names), "")


def _files(source: Source) -> dict[str, str]:
    """Return the files by kind; BadInput if there are two of one kind."""
    found: dict[str, str] = {}
    for name, header in source.headers.items():
        kind = _kind(header)
        if kind in found:
            raise BadInput(
                f"{found[kind]} and {name} have the same columns.",
                remedy="Give the files of one export at a time.",
            )
        if kind:
            found[kind] = name
    return found


def _required(files: Mapping[str, str], kind: str, source: Source) -> str:
    if kind not in files:
        raise BadInput(
            f"{source.name} has no question_data.csv, so its questions are unknown.",
            remedy="Give the whole ZIP, or the folder with all its files.",
        )
    return files[kind]


def _require_columns(table: Table, columns: Sequence[str]) -> None:
    for column in columns:
        if column not in table.header:
            raise BadInput(f"{table.path.name} has no column {column!r}.")


def _first_forecasts(made: Table | None) -> Mapping[str, Any]:
    """Return the time of the first forecast by question."""
    if made is None:
        return {}
    first = made.frame.groupby("Question ID")["Start Time"].min()
    return {own_id(str(given)): at for given, at in first.items()}


def _until(source: Source, choices: Choices) -> datetime | None:
    """Return the time of the export, or of the import if that is unknown or earlier."""
    for name in source.files:
        if name.rsplit("/", 1)[-1] == "README.md" and (
            stated := _EXPORTED.search(source.start(name))
        ):
            try:
                exported = read_time(stated[1])
            except BadInput:
                break
            return exported if choices.now is None else min(exported, choices.now)
    return choices.now


class _Accounts:
    """The accounts that the rows of the files are by, as handles.

    ``of_forecasts`` and ``of_scores``: the place of each row's account in ``handles``, -1 for a
    crowd that is not imported. ``crowds``: the rows of each of those by their method. ``owner``:
    the one account that all are by, if its forecasts became the owner's.
    """

    def __init__(self, made: Table | None, scored: Table | None, choices: Choices) -> None:
        self.handles: list[str] = []
        self.bots: list[str] = []
        self.notes: list[str] = []
        self.owner = ""
        self.crowds: Counter[str] = Counter()
        self._choices = choices
        # Places by ("id", id) and by (is a crowd, name); the id at each place, blank if unknown,
        # None for a crowd.
        self._places: dict[tuple[str | bool, str], int] = {}
        self._ids: list[str | None] = []
        self._anonymous = False
        self.of_forecasts = self._read(made, "Forecaster", count=True)
        self.of_scores = self._read(scored, "User", count=False)
        bots = self._marked_bots(made)
        people = [place for place, id_ in enumerate(self._ids) if id_ is not None]
        self._tell_apart(people)
        if len(people) == 1 and not self._anonymous and not bots:
            [place] = people
            if (name := self.handles[place]) != choices.owner:
                self.owner, self.handles[place] = name, choices.owner
                self.notes.append(
                    f"All forecasts are by {name} on Metaculus; they are imported as "
                    f"{choices.owner}'s."
                )
        if self._anonymous:
            self.notes.append(
                "Metaculus's anonymised ids can be traced to accounts: they are hashes of small "
                "numbers, without a salt."
            )
        self.bots += [self.handles[place] for place in bots]
        if self.crowds and not self.handles:
            self.notes.append(Advice("Only crowds have forecasts.", "Import them: --aggregates"))

    def _read(self, table: Table | None, role: str, *, count: bool) -> Rows:
        """Return the place of each row's account, which is added if it is new."""
        if table is None:
            return np.zeros(0, dtype=np.intp)
        hashed = f"{role} (Anonymized)"
        ids, names = table.frame[f"{role} ID"], table.frame[f"{role} Username"]
        by = names
        if hashed in table.header:
            by = names = table.frame[hashed]
        elif f"{role} ID" in table.header:
            by = ids.where(ids != "", _CROWD + names)
        codes, distinct = pd.factorize(by)
        last = np.zeros(len(distinct), dtype=np.intp)  # the row with an account's newest name
        last[codes] = np.arange(len(codes))
        keys = []
        for key, name in zip(distinct.tolist(), names.iloc[last].tolist(), strict=True):
            if hashed in table.header:
                keys.append(("", name, _HASH.fullmatch(name) is None, True))
            else:
                is_crowd = key.startswith(_CROWD) or (key == name and name in _METHODS)
                id_ = "" if is_crowd or by is names else own_id(key)
                keys.append((id_, name, is_crowd, False))
        self._anonymous = self._anonymous or any(key[3] and not key[2] for key in keys)
        places = np.array([self._place(*key) for key in keys], dtype=np.intp)
        of_rows: Rows = places[codes] if len(places) else np.zeros(0, dtype=np.intp)
        if count:
            for code in np.flatnonzero(places < 0).tolist():
                self.crowds[keys[code][1]] += int((codes == code).sum())
        return of_rows

    def _place(self, id_: str, name: str, crowd: bool, hashed: bool) -> int:
        """Return the place of an account's handle, -1 for a crowd that is not imported.

        An account is known by its id, since its name can change; in files without ids, by its name.
        """
        if crowd and not self._choices.aggregates:
            return -1
        place = self._places.get(("id", id_)) if id_ else None
        if place is None:
            named = self._places.get((crowd, name))
            place = None if named is None or (id_ and self._ids[named]) else named
        if place is None:
            place = len(self.handles)
            handle = name.strip() or (f"user-{id_}" if id_ else "unknown")
            if crowd:
                handle = f"metaculus-{handle}"
                self.bots.append(handle)
            elif hashed:
                handle = self._choices.alias(handle)
            limits.require_name(handle, "The forecaster's name")
            self.handles.append("".join(c if c.isprintable() else "?" for c in handle))
            self._ids.append(None if crowd else id_)
        if id_:
            self._places["id", id_], self._ids[place] = place, id_
        self._places.setdefault((crowd, name), place)
        return place

    def _tell_apart(self, people: Sequence[int]) -> None:
        """Give accounts with the same name different handles."""
        names = {id_: self.handles[place] for place in people if (id_ := self._ids[place])}
        handles = account_handles(names, "Metaculus", self.notes)
        for place in people:
            if id_ := self._ids[place]:
                self.handles[place] = handles[id_]

    def _marked_bots(self, made: Table | None) -> list[int]:
        if made is None:
            return []
        marked = (made.frame["Is Bot"].str.strip().str.lower() == "true").to_numpy()
        return [place for place in np.unique(self.of_forecasts[marked]).tolist() if place >= 0]


def _forecasts(
    made: Table | None, questions: Questions, accounts: _Accounts, until: datetime | None
) -> tuple[Forecasts, list[LeftOut]]:
    """Return the forecasts, and the omissions from their file."""
    if made is None:
        return Forecasts({}, np.zeros(0, dtype=np.intp), [], 0, 0), []
    if not {"Start Time", "Question ID"} <= set(made.header):
        _require_columns(made, ("Question ID", "Start Time"))
    asked, of_question = placed(made.frame, questions.asked)
    made.frame = made.frame.drop(columns=["Question ID", *_WHO, "Is Bot"])
    found = read_forecasts(
        Part(made, asked, of_question, accounts.of_forecasts, accounts.handles, until)
    )
    name = made.path.name
    left_out = [
        LeftOut(name, f"{count:,} of {method}", "a crowd of the platform, not a member's forecast")
        for method, count in accounts.crowds.items()
    ]
    persons = accounts.of_forecasts >= 0
    for rows, reason in (
        ((of_question == UNKNOWN) & persons, "their questions are not in the list of questions"),
        ((of_question == DROPPED) & persons, "their questions are left out"),
    ):
        if count := int(rows.sum()):
            left_out.append(LeftOut(name, _counted(count, "forecast"), reason))
    left_out += [LeftOut(made.place(row), "", "it has no value") for row in found.empty]
    return found, left_out


def _printed(
    scored: Table | None, questions: Questions, accounts: _Accounts, left_out: list[LeftOut]
) -> pd.DataFrame:
    """Return the scores that the platform printed for the imported questions and members."""
    if scored is None:
        return frame_of(PRINTED_COLUMNS, {})
    frame = scored.frame
    slugs = [
        "" if (one := questions.asked.get(own_id(given))) is None else one.id
        for given in frame["Question ID"].tolist()
    ]
    known = np.array(slugs, dtype=object) != ""
    persons = accounts.of_scores >= 0
    kept = np.flatnonzero(known & persons & frame["Score"].notna().to_numpy())
    for rows, reason in (
        (~persons, "scores of the platform's crowds"),
        (~known & persons, "their questions are not imported"),
    ):
        if count := int(rows.sum()):
            left_out.append(LeftOut(scored.path.name, _counted(count, "score"), reason))
    return frame_of(
        PRINTED_COLUMNS,
        {
            "question_id": [slugs[row] for row in kept],
            "forecaster": [accounts.handles[accounts.of_scores[row]] for row in kept],
            "name": frame["Score Type"].iloc[kept].tolist(),
            "score": frame["Score"].iloc[kept].tolist(),
            "coverage": frame["Coverage"].iloc[kept].tolist(),
        },
    )


def _kept(asked: Table, questions: Questions) -> Rows:
    """Return the row of each imported question."""
    given = map(own_id, asked.frame["Question ID"])
    rows = [row for row, one in enumerate(given) if questions.asked.get(one) is not None]
    return np.array(rows, dtype=np.intp)


def _others(source: Source, files: Mapping[str, str]) -> Iterator[LeftOut]:
    """Yield the files that are left out."""
    for column, (what, reason) in _OTHERS.items():
        if column in files:
            count = len(source.table(files[column], {column: "text"}).frame)
            yield LeftOut(files[column], _counted(count, what), reason)
    for name in source.files:
        if name not in files.values() and name.rsplit("/", 1)[-1] != "README.md":
            yield LeftOut(name, "", "not a file of Metaculus's exports")


def _notes(found: Forecasts) -> Iterator[str]:
    if found.scaled:
        yield (
            f"{_counted(found.scaled, 'forecast')} on several options did not sum to 1, by "
            "rounding, and were divided by the sum."
        )
    if found.ahead:
        verbs = "expires later, and has" if found.ahead == 1 else "expire later, and have"
        yield f"{_counted(found.ahead, 'forecast')} {verbs} not ended yet."


def _counted(count: int, what: str) -> str:
    plural = what.replace("link ", "links ") if what.startswith("link ") else f"{what}s"
    return f"{count:,} {what if count == 1 else plural}"
