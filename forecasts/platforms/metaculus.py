"""Metaculus: the ZIP of a download, or its CSVs; full, personal and anonymised.

Columns are found by their headers and files by their columns, since old exports lack some and
browsers rename files. Crowds ("aggregates") have no forecaster's id; they are left out, or imported
as bots when asked. Everything beside questions, forecasts and scores is left out with its count.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pandas as pd

from forecasts.common import limits
from forecasts.common.errors import BadInput, Remedy
from forecasts.common.text import counted
from forecasts.common.times import read_time
from forecasts.folder.tables import Table
from forecasts.platforms import metaculus_questions
from forecasts.platforms.handles import account_handles
from forecasts.platforms.metaculus_forecasts import read_forecasts, read_rows
from forecasts.platforms.metaculus_questions import Asked, own_id, read_questions
from forecasts.platforms.reading import Reading, require_sound, rows_of
from forecasts.platforms.record import Choices, PlatformRecord
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
    "Comment Text": ("{n} comment{s}", "a ledger has no place for comments from elsewhere"),
    "Key Factor ID": ("{n} key factor{s}", "a ledger has no place for key factors"),
    "Link ID": ("{n} link{s} between questions", "join questions in a family instead"),
}
# The crowds' names, for files without forecasters' ids.
_METHODS = (
    "recency_weighted",
    "unweighted",
    "single_aggregation",
    "metaculus_prediction",
    "geometric_mean",
)
_HASH = re.compile(r"[0-9a-f]{64}")
_EXPORTED = re.compile(r"^This data was exported on (\S+ \S+)\s*$", re.MULTILINE)


def recognises(source: Source) -> bool:
    """Return whether one of the files is Metaculus's list of questions, forecasts or scores."""
    return any(_kind(header) in ("questions", "forecasts") for header in source.headers.values())


def read(source: Source, choices: Choices) -> PlatformRecord:
    """Return the questions, forecasts and scores of an export (see ``record``)."""
    files = _files(source)
    if "questions" not in files:
        raise BadInput(
            f"{source.name} has no question_data.csv, so its questions are unknown.",
            remedy="Give the whole ZIP, or the folder with all its files.",
        )
    asked = source.table(files["questions"], metaculus_questions.KINDS)
    made = read_rows(source.files[files["forecasts"]]) if "forecasts" in files else None
    scored = source.table(files["scores"], _SCORES) if "scores" in files else None
    reading = Reading("metaculus")
    questions = read_questions(asked, lambda: _first_forecasts(made), reading)
    accounts = _Accounts(made, scored, choices, reading)
    if made is not None:
        for method, count in accounts.crowds.items():
            reason = "a crowd of the platform, not a member's forecast"
            reading.leave_out(made.path.name, f"{count:,} of {method}", reason)
        who, until = accounts.of_forecasts, _until(source, choices)
        read_forecasts(made, questions, who, accounts.handles, until, reading)
    if scored is not None:
        _add_scores(scored, questions, accounts, reading)
    tables = [table for table in (asked, made, scored) if table is not None]
    require_sound(source.name, [one for table in tables for one in table.by_line()])
    for column, (what, reason) in _OTHERS.items():
        if column in files:
            count = len(source.table(files[column], {column: "text"}).frame)
            reading.leave_out(files[column], counted(count, what), reason)
    for name in source.files:
        if name not in files.values() and name.rsplit("/", 1)[-1] != "README.md":
            reading.leave_out(name, "", "not a file of Metaculus's exports")
    return reading.record(account=accounts.owner)


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

    def __init__(
        self, made: Table | None, scored: Table | None, choices: Choices, reading: Reading
    ) -> None:
        self.handles: list[str] = []
        self.owner = ""
        self.crowds: Counter[str] = Counter()
        self._choices = choices
        # Places by ("id", id) and by (is a crowd, name); the id at each place, blank if unknown,
        # None for a crowd.
        self._places: dict[tuple[str | bool, str], int] = {}
        self._ids: list[str | None] = []
        self._anonymous = False
        self.of_forecasts = self._read(made, "Forecaster")
        self.of_scores = self._read(scored, "User")
        bots = self._marked_bots(made)
        people = [place for place, id_ in enumerate(self._ids) if id_ is not None]
        self._tell_apart(people, reading)
        if len(people) == 1 and not self._anonymous and not bots:
            [place] = people
            if (name := self.handles[place]) != choices.owner:
                self.owner, self.handles[place] = name, choices.owner
                reading.note(
                    f"All forecasts are by {name} on Metaculus; they are imported as "
                    f"{choices.owner}'s."
                )
        if self._anonymous:
            reading.note(
                "Metaculus's anonymised ids can be traced to accounts: they are hashes of small "
                "numbers, without a salt."
            )
        crowds_too = {place for place, id_ in enumerate(self._ids) if id_ is None}
        reading.bots.update(self.handles[place] for place in bots | crowds_too)
        if self.crowds and not self.handles:
            importing = Remedy("Import them: {}", "", aggregates=True)
            reading.note(("Only crowds have forecasts.", importing))

    def _read(self, table: Table | None, role: str) -> list[int]:
        """Return the place of each row's account, which is added if it is new."""
        if table is None:
            return []
        hashed, has_ids = f"{role} (Anonymized)", f"{role} ID" in table.header
        is_hashed = hashed in table.header
        names = table.frame[hashed if is_hashed else f"{role} Username"].tolist()
        ids = table.frame[f"{role} ID"].tolist() if has_ids and not is_hashed else [""] * len(names)
        # An account with an id can change its name: the last one counts.
        keys = [(id_, "" if id_ else name) for id_, name in zip(ids, names, strict=True)]
        places = {}
        for (id_, _), name in dict(zip(keys, names, strict=True)).items():
            is_crowd = not id_ and (has_ids or name in _METHODS)
            if is_hashed:
                is_crowd = _HASH.fullmatch(name) is None
                self._anonymous = self._anonymous or not is_crowd
            key = (id_, "" if id_ else name)
            places[key] = self._place(own_id(id_), name, is_crowd, is_hashed)
        found = [places[key] for key in keys]
        if role == "Forecaster":
            some = zip(names, found, strict=True)
            self.crowds.update(name for name, place in some if place < 0)
        return found

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
            elif hashed:
                handle = self._choices.alias(handle)
            limits.require_name(handle, "The forecaster's name")
            self.handles.append("".join(c if c.isprintable() else "?" for c in handle))
            self._ids.append(None if crowd else id_)
        if id_:
            self._places["id", id_], self._ids[place] = place, id_
        self._places.setdefault((crowd, name), place)
        return place

    def _tell_apart(self, people: Sequence[int], reading: Reading) -> None:
        """Give accounts with the same name different handles."""
        names = {id_: self.handles[place] for place in people if (id_ := self._ids[place])}
        handles = account_handles(names, "Metaculus", reading.notes)
        for place in people:
            if id_ := self._ids[place]:
                self.handles[place] = handles[id_]

    def _marked_bots(self, made: Table | None) -> set[int]:
        if made is None:
            return set()
        marked = zip(made.frame["Is Bot"], self.of_forecasts, strict=True)
        return {place for is_bot, place in marked if is_bot.strip().lower() == "true"} - {-1}


def _add_scores(
    scored: Table,
    questions: Mapping[str, Asked | None],
    accounts: _Accounts,
    reading: Reading,
) -> None:
    """Add the scores that the platform printed for the imported questions and members."""
    of_crowds = unknown = 0
    for row, place in zip(rows_of(scored.frame), accounts.of_scores, strict=True):
        question = questions.get(own_id(row["Question ID"]))
        if place < 0:
            of_crowds += 1
        elif question is None:
            unknown += 1
        elif not pd.isna(row["Score"]):
            reading.printed.append(
                {
                    "question_id": question.id,
                    "forecaster": accounts.handles[place],
                    "name": row["Score Type"],
                    "score": row["Score"],
                    "coverage": row["Coverage"],
                }
            )
    for count, reason in (
        (of_crowds, "scores of the platform's crowds"),
        (unknown, "their questions are not imported"),
    ):
        if count:
            reading.leave_out(scored.path.name, counted(count, "{n} score{s}"), reason)
