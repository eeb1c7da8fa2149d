"""Metaculus: the ZIP of a download, or its CSVs; full, personal and anonymised.

Columns are found by their headers and files by their columns, since old exports lack some and
browsers rename files. Crowds ("aggregates") have no forecaster's id; they are left out, or imported
as bots when asked. Everything beside questions, forecasts and scores is left out with its count.

A forecast's "End Time" is the start of the next one, or a withdrawal where nothing follows; it can
lie ahead, for a forecast that is to expire.
"""

from __future__ import annotations

import ast
import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from forecasts.common import limits
from forecasts.common.errors import BadInput, LedgerError, Remedy
from forecasts.common.text import counted, unstorable_character
from forecasts.common.times import iso_day_or_time, read_time
from forecasts.common.vocabulary import QuestionType
from forecasts.folder.tables import Table
from forecasts.platforms.handles import account_handles, handle
from forecasts.platforms.reading import Line, Reading, lines, require_sound
from forecasts.platforms.record import Choices, PlatformRecord
from forecasts.platforms.source import Source
from forecasts.values.distributions import first_faults, quantiles
from forecasts.values.outcomes import bounds_fault, figure_to_float, format_figure
from forecasts.values.value import SUM_TOLERANCE
from scoring.arrays import Floats

_P, _VECTOR, _CDF = "Probability Yes", "Probability Yes Per Category", "Continuous CDF"
_START, _END = "Start Time", "End Time"
_FORECASTS = dict.fromkeys(
    (
        *("Question ID", "Forecaster ID", "Forecaster Username", "Forecaster (Anonymized)"),
        *("Is Bot", _VECTOR, _CDF),
    ),
    "text",
) | {_START: "time", _END: "time", _P: "number"}
_SCORES = dict.fromkeys(
    ("Question ID", "User ID", "User Username", "User (Anonymized)", "Score Type"), "text"
) | {"Score": "number", "Coverage": "number"}
_OTHERS = {  # by the columns that only they have
    "Comment Text": ("{n} comment{s}", "a ledger has no place for comments from elsewhere"),
    "Key Factor ID": ("{n} key factor{s}", "a ledger has no place for key factors"),
    "Link ID": ("{n} link{s} between questions", "join questions in a family instead"),
}
_README = "README.md"
# The crowds' names, for files without forecasters' ids.
_METHODS = (
    *("recency_weighted", "unweighted", "single_aggregation", "metaculus_prediction"),
    "geometric_mean",
)
_HASH = re.compile(r"[0-9a-f]{64}")
_EXPORTED = re.compile(r"^This data was exported on (\S+ \S+)\s*$", re.MULTILINE)
_ROUNDED = 0.01  # how far from 1 the platform lets probabilities sum
_CHARACTERS = 100_000  # of a list in a cell; 201 numbers have 5,000
_LONG = f"a list of at most {limits.ENTRIES:,} entries and {_CHARACTERS:,} characters"
_FAULTS = (ValueError, SyntaxError, TypeError, MemoryError, RecursionError)
_ID = re.compile(r"(\d{1,18})(?:\.0)?")
# The kinds of accounts, by which a file names them.
_BY_ID, _BY_NAME, _BY_HASH, _CROWD = "id", "name", "hash", "crowd"


class _Account(NamedTuple):
    """An account as a file names it: its kind, and its id, or its name in files without ids."""

    kind: str
    own: str


class _Made(NamedTuple):
    """A forecast: the number of its row, its times, and the cells of its value."""

    row: int
    start: pd.Timestamp
    end: pd.Timestamp
    value: dict[str, Any]


def read(source: Source, choices: Choices) -> PlatformRecord:
    """Return the questions, forecasts and scores of an export (see ``record``)."""
    files = _files(source)
    if "questions" not in files:
        raise BadInput(
            f"{source.name} has no question_data.csv, so its questions are unknown.",
            remedy="Give the whole ZIP, or the folder with all its files.",
        )
    asked = source.table(files["questions"], _QUESTIONS)
    # The platform writes one cell too few in the rows of unresolved questions, at their end.
    made = source.table(files.get("forecasts"), _FORECASTS, last_can_lack="PDF at Resolution")
    scored = source.table(files.get("scores"), _SCORES)
    reading = Reading("metaculus")
    questions = read_questions(asked, made, reading)
    names: dict[_Account, str] = {}
    # The forecasts have the newest name of an account.
    scored_by = _accounts(scored, "User", names)
    made_by = _accounts(made, "Forecaster", names)
    handles, account = _handles(names, made, made_by, choices, reading)
    until = _until(source, choices)
    _add_forecasts(made, questions, list(map(handles.get, made_by)), reading, until)
    _add_scores(scored, questions, list(map(handles.get, scored_by)), reading)
    tables = (asked, made, scored)
    require_sound(source.name, [one for table in tables for one in table.by_line()])
    for column, (what, reason) in _OTHERS.items():
        if column in files:
            count = len(source.table(files[column], {column: "text"}).frame)
            reading.leave_out(files[column], counted(count, what), reason)
    for name in source.files:
        if name not in files.values() and name.rsplit("/", 1)[-1] != _README:
            reading.leave_out(name, "", "not a file of Metaculus's exports")
    return reading.record(account=account)


def _kind(header: Sequence[str]) -> str:
    """Return which of the export's files has these columns; '' if none."""
    names = set(header)
    if "Question ID" in names and "Question Type" in names:
        return "questions"
    if {"Question ID", "Start Time"} <= names and any(
        one.startswith("Forecaster") for one in names
    ):
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


def _until(source: Source, choices: Choices) -> datetime | None:
    """Return the time of the export, or of the import if that is unknown or earlier."""
    for name in source.files:
        if name.rsplit("/", 1)[-1] == _README and (found := _EXPORTED.search(source.start(name))):
            try:
                exported = read_time(found[1])
            except BadInput:
                break
            return exported if choices.now is None else min(exported, choices.now)
    return choices.now


def _accounts(table: Table, role: str, names: dict[_Account, str]) -> list[_Account]:
    """Return the account of each row; ``names`` gets its name in the last one.

    An account is known by its id, since its name can change; in files without ids, by its name.
    """
    hashed, has_ids = f"{role} (Anonymized)", f"{role} ID" in table.header
    is_hashed = hashed in table.header
    shown = table.frame[hashed if is_hashed else f"{role} Username"].tolist()
    found = []
    for name, id_ in zip(shown, table.frame[f"{role} ID"].tolist(), strict=True):
        kind = _BY_ID if id_ else _BY_NAME
        if is_hashed:
            kind = _BY_HASH if _HASH.fullmatch(name) else _CROWD
        elif not id_ and (has_ids or name in _METHODS):
            kind = _CROWD
        one = _Account(kind, own_id(id_) if kind == _BY_ID else name)
        names[one] = name
        found.append(one)
    return found


def _handles(
    names: Mapping[_Account, str],
    made: Table,
    by: Sequence[_Account],
    choices: Choices,
    reading: Reading,
) -> tuple[dict[_Account, str], str]:
    """Return the handle of each account, and the name of the one whose forecasts are the owner's.

    Crowds have handles only if they are wanted; else their forecasts are left out.
    """
    handles = {}
    for one, name in names.items():
        own = name.strip() or (f"user-{one.own}" if one.kind == _BY_ID else "unknown")
        if one.kind == _CROWD:
            own = f"metaculus-{own}"
        elif one.kind == _BY_HASH:
            own = choices.alias(own)
        limits.require_name(own, "The forecaster's name")
        if one.kind != _CROWD or choices.aggregates:
            handles[one] = handle(own)
    with_ids = {one.own: name for one, name in handles.items() if one.kind == _BY_ID}
    apart = account_handles(with_ids, "Metaculus", reading.notes)
    handles |= {_Account(_BY_ID, own): name for own, name in apart.items()}
    marked = zip(by, made.frame["Is Bot"], strict=True)
    bots = {one for one, is_bot in marked if is_bot.strip().lower() == "true"}
    people = [one for one in handles if one.kind != _CROWD]
    names_of_people = {handles[one] for one in people}
    account = ""
    if any(one.kind == _BY_HASH for one in handles):
        reading.note(
            "Metaculus's anonymised ids can be traced to accounts: they are hashes of small "
            "numbers, without a salt."
        )
    elif len(names_of_people) == 1 and not bots.intersection(people):
        [account] = names_of_people
        if account == choices.owner:
            account = ""
        else:
            handles |= dict.fromkeys(people, choices.owner)
            reading.note(
                f"All forecasts are by {account} on Metaculus; they are imported as "
                f"{choices.owner}'s."
            )
    reading.bots.update(handles[one] for one in handles if one in bots or one.kind == _CROWD)
    crowds = Counter(one.own for one in by if one not in handles)
    for method, count in crowds.items():
        reason = "a crowd of the platform, not a member's forecast"
        reading.leave_out(made.path.name, f"{count:,} of {method}", reason)
    if crowds and not handles:
        reading.note(
            ("Only crowds have forecasts.", Remedy("Import them: {}", "", aggregates=True))
        )
    return handles, account


def _add_forecasts(
    table: Table,
    asked: Mapping[str, Asked | None],
    who: Sequence[str | None],
    reading: Reading,
    until: datetime | None,
) -> None:
    """Add the forecasts, in order of time on each question; bad cells are noted.

    ``who``: the forecaster of each row, None for a row to skip. ``until``: the time of the export
    or import, None if it is unknown; a forecast that ends later has not ended.
    """
    groups: defaultdict[tuple[str, str], list[_Made]] = defaultdict(list)
    curves: defaultdict[tuple[str, int], list[tuple[Asked, _Made]]] = defaultdict(list)
    valueless: list[int] = []
    unknown = scaled = 0
    read = table.frame[["Question ID", _START, _END, _P, _VECTOR, _CDF]]
    for line, name in zip(lines(table, read), who, strict=True):
        question = asked.get(own_id(line["Question ID"]))
        if name is None or question is None:
            unknown += name is not None
            continue
        start, end = line[_START], line[_END]
        if pd.isna(start) and line.number not in table.noted[_START]:
            line.wrong(_START, "required")
        if end < start:
            line.wrong(_END, "not before Start Time")
        value = _value(line, question)
        scaled += value.pop("is_scaled", False)
        if not value:
            valueless.append(line.number)
            continue
        one = _Made(line.number, start, end, value)
        groups[question.id, name].append(one)
        if "cdf" in value:
            curves[question.id, len(value["cdf"])].append((question, one))
    if unknown:
        many = counted(unknown, "{n} forecast{s}")
        reading.leave_out(table.path.name, many, "their questions are not imported")
    for row in valueless:
        reading.leave_out(table.place(row), "", "it has no value")
    rounded = "{n} forecast{s} on several options did not sum to 1, by rounding, and were divided "
    reading.note(counted(scaled, rounded + "by the sum."))
    for some in curves.values():
        _set_quantiles(table, some[0][0], [one for _, one in some])
    ahead = 0
    for (slug, who_made), forecasts in groups.items():
        forecasts.sort(key=attrgetter("start"))
        for one, following in zip_longest(forecasts, forecasts[1:]):
            cells, where = {"question_id": slug, "forecaster": who_made}, table.place(one.row)
            reading.forecast(where, {**cells, "made_at": one.start, **one.value})
            if pd.isna(one.end) or (following is not None and following.start <= one.end):
                continue
            if until is not None and one.end > until:
                ahead += 1
            else:  # a withdrawal comes right after its forecast
                reading.forecast(where, {**cells, "made_at": one.end})
    reading.note(counted(ahead, "{n} forecast{s} {expires} later, and {has} not ended yet."))


def _value(line: Line, asked: Asked) -> dict[str, Any]:
    """Return the cells of a forecast's value, a CDF as it is in the file; {} without a value.

    ``is_scaled``: its probabilities are divided by their sum.
    """
    if asked.kind == QuestionType.binary:
        p = _probability(line)
        return {} if math.isnan(p) else {"probability": p}
    if asked.kind != QuestionType.multiple_choice:
        cdf = numbers(line, _CDF)
        return {"cdf": cdf} if cdf else {}
    if not (vector := numbers(line, _VECTOR)):
        return {}
    total = sum(p for p in vector if p == p)
    is_scaled = abs(total - 1) > SUM_TOLERANCE / 2
    shares = _vector(line, asked, vector, total if is_scaled else 1.0)
    return {"probabilities": shares, "is_scaled": is_scaled}


def _probability(line: Line) -> float:
    """Return a probability; some crowds are written as a pair, of no and yes."""
    p: float = line[_P]
    if p < 0 or p > 1:
        line.wrong(_P, "a probability from 0 to 1")
    if not math.isnan(p) or not (both := numbers(line, _VECTOR)):
        return p
    if len(both) != 2 or not 0 <= both[1] <= 1:
        line.wrong(_VECTOR, "the probabilities of no and yes")
    return both[-1]


def _vector(line: Line, asked: Asked, vector: Sequence[float], total: float) -> list[float | None]:
    """Return the probabilities of options; None for an option that there was not at the time."""
    entries = [None if p != p else p / total for p in vector]
    options = asked.options
    if abs(total - 1) > _ROUNDED or any(p < 0 or p > 1 for p in vector):
        entries = []
    elif len(entries) != len(options):
        # The options of its time, as a vector over all.
        lists = [listed for since, listed in asked.history if since <= line[_START]]
        fits = bool(lists) and len(lists[-1]) == len(entries)
        known = dict(zip(lists[-1], entries, strict=True)) if fits else {}
        entries = [known.get(option) for option in options] if fits else []
    if not entries and options:
        rule = f"{len(options)} probabilities that sum to 1, None for options added later"
        line.wrong(_VECTOR, rule)
    return entries


def _set_quantiles(table: Table, asked: Asked, made: Sequence[_Made]) -> None:
    """Replace the CDFs of one question, all of one length, by their quantiles."""
    cdfs = np.array([one.value.pop("cdf") for one in made])
    count = cdfs.shape[1]
    if asked.scale is None:
        return
    faults = first_faults(cdfs) if count >= 3 else np.zeros(len(cdfs), dtype=np.intp)
    for at in np.flatnonzero(faults >= 0).tolist():
        row = made[at].row
        rule = "at least three numbers that rise from 0 to 1 at most"
        table.wrong(row, _CDF, table.frame[_CDF].iloc[row], rule)
    if (faults < 0).all():
        found = quantiles(cdfs, asked.scale.at(count), asked.kind)
        for one, each in zip(made, found, strict=True):
            one.value["quantiles"] = each


def _add_scores(
    table: Table, asked: Mapping[str, Asked | None], who: Sequence[str | None], reading: Reading
) -> None:
    """Add the scores that the platform printed for the imported questions and members."""
    left: Counter[str] = Counter()
    for row, name in zip(lines(table), who, strict=True):
        question = asked.get(own_id(row["Question ID"]))
        if name is None:
            left["scores of the platform's crowds"] += 1
        elif question is None:
            left["their questions are not imported"] += 1
        elif not pd.isna(row["Score"]):
            cells = {"question_id": question.id, "forecaster": name, "name": row["Score Type"]}
            reading.printed.append(cells | {"score": row["Score"], "coverage": row["Coverage"]})
    for reason, count in left.items():
        reading.leave_out(table.path.name, counted(count, "{n} score{s}"), reason)


_OPENS, _CLOSES = "Open Time", "Scheduled Close Time"
_TIMES = (
    *("Post Published Time", _OPENS, "CP Reveal Time", _CLOSES, "Actual Close Time"),
    "Resolution Known Time",
)
# The lists of options, the most complete first.
_HISTORY = "MC Options History"
_OPTIONS = ("MC Options (All)", _HISTORY, "MC Options (Current)", "MC Options")
_TEXTS = (
    *("Question ID", "Question URL", "Question Title", "Post ID", "Default Project"),
    *("Categories", "Label", "Question Type", *_OPTIONS, "Scaling", "Lower Bound", "Upper Bound"),
    *("Continuous Range", "Resolution"),
)
_QUESTIONS = dict.fromkeys(_TEXTS, "text") | dict.fromkeys(_TIMES, "time")
PREFIX, POST_PREFIX = "metaculus-", "metaculus-post-"
PROJECT = "Metaculus Community"  # of every question that is in no tournament
ADDRESS = "https://www.metaculus.com/questions/"
_TYPES = {str(one): one for one in QuestionType} | {"discrete": QuestionType.numeric}
_DAY = 86_400.0
# A middle this near to half the range is of an even scale; the platform rounds to 1e-10 and so.
_EVEN = 1e-6


@dataclass(frozen=True)
class Scale:
    """Where the numbers of CDFs lie between the bounds.

    ``ratio``: of the steps at the upper and the lower bound, 1 for equal steps. ``points``: the
    numbers that the file lists, always 201 and so not those of a discrete question's CDFs.
    """

    low: float
    high: float
    ratio: float = 1.0
    points: Floats | None = None

    def at(self, count: int) -> Floats:
        """Return the numbers of a CDF with so many points."""
        if self.points is not None and len(self.points) == count:
            return self.points
        share: Floats = np.linspace(0, 1, count)
        if self.ratio != 1.0:
            share = np.expm1(share * math.log(self.ratio)) / (self.ratio - 1)
        points = self.low + (self.high - self.low) * share
        points[-1] = self.high
        return points


class Asked(NamedTuple):
    """A question by which forecasts are read. ``history``: lists of options with their times."""

    id: str
    kind: QuestionType
    options: list[str]
    history: Sequence[tuple[pd.Timestamp, list[str]]]
    scale: Scale | None


def own_id(given: str) -> str:
    """Return an id of the file, written one way."""
    return whole_number(given) or given.strip()


def ledger_id(given: str, prefix: str = PREFIX) -> str:
    """Return the ledger's id for one of the file, which is a number or, if ours, a slug."""
    number = whole_number(given)
    return f"{prefix}{number}" if number else given.strip()


def read_questions(table: Table, made: Table, reading: Reading) -> dict[str, Asked | None]:
    """Return the questions by the file's own id, None for one that is left out, and add them.

    Bad cells are noted in the table. ``made``: the forecasts.
    """
    _fill_in_times(table, made, reading)
    posts = Counter(post for post in table.frame["Post ID"] if post)
    found: dict[str, Asked | None] = {}
    for line in lines(table):
        own = own_id(line["Question ID"])
        kind = _TYPES.get(line["Question Type"].strip().lower())
        if not own or own in found:
            line.wrong("Question ID", "given and unique", own)
            continue
        if kind is None:
            line.wrong("Question Type", "one of " + ", ".join(_TYPES))
            continue
        opens, closes = line[_OPENS], line[_CLOSES]
        if reason := _unusable(opens, closes):
            found[own] = None
            reading.leave_out(line.place, _title(line), reason)
            continue
        options, history = _options(line) if kind == "multiple_choice" else ([], [])
        scale = _scale(line, kind) if kind.is_quantitative else None
        limits.require_name(own, "The Question ID")
        found[own] = asked = Asked(ledger_id(own), kind, options, history, scale)
        post = line["Post ID"].strip()
        number = whole_number(post)
        of_group = post and (line["Label"].strip() or posts[line["Post ID"]] > 1)
        low, high = (line[name].strip() for name in ("Lower Bound", "Upper Bound"))
        actual, reveal = line["Actual Close Time"], line["CP Reveal Time"]
        cells = {
            "question_id": asked.id,
            "platform_id": own,
            "url": f"{ADDRESS}{number}/" if number else line["Question URL"].strip(),
            "title": _title(line),
            "type": str(kind),
            "options": options or None,
            "lower_bound": "" if scale is None else _bound(low, scale.low, kind),
            "upper_bound": "" if scale is None else _bound(high, scale.high, kind),
            "open_time": opens,
            "scheduled_close_time": closes,
            "actual_close_time": actual if actual <= closes else None,
            "spot_time": reveal if reveal > opens else None,
            "resolution": line["Resolution"],
            "known_at": line["Resolution Known Time"] if line["Resolution"].strip() else None,
            "family": ledger_id(post, POST_PREFIX) if of_group else "",
            "tags": _tags(line) or None,
        }
        reading.question(line.place, cells)
    return found


def _fill_in_times(table: Table, made: Table, reading: Reading) -> None:
    """Fill in the times of a file that has no column for them, as old ones are."""
    frame = table.frame
    if _OPENS not in table.header:
        first = made.frame.groupby("Question ID")["Start Time"].min()
        # Without forecasts, ``Series.map`` would make numbers of the times.
        first_made = first.reindex(frame["Question ID"]).set_axis(frame.index)
        frame[_OPENS] = frame["Post Published Time"].fillna(first_made)
        reading.note(
            f"{table.path.name} has no opening times: each question opens when it was published, "
            "or else with its first forecast."
        )
    if _CLOSES not in table.header:
        frame[_CLOSES] = frame["Actual Close Time"].fillna(frame["Resolution Known Time"])
        reading.note(
            f"{table.path.name} has no scheduled close times: the actual close counts, or else the "
            "time at which the outcome was known."
        )


def _unusable(opens: Any, closes: Any) -> str:
    """Return why a question with these times cannot be scored; '' if it can."""
    if pd.isna(opens):
        return "it has no opening time, as a draft"
    if pd.isna(closes):
        return "it has no scheduled close, as a draft"
    return "it closes before it opens" if opens >= closes else ""


def _title(line: Line) -> str:
    """Return a question's title; one of a group has its label in it."""
    title, label = line["Question Title"].strip(), line["Label"].strip()
    if label and label.casefold() not in title.casefold():
        title = f"{title} ({label})"
    return title or ledger_id(line["Question ID"])


def _tags(line: Line) -> list[str]:
    """Return the question's categories and its tournament."""
    tags, project = texts(line, "Categories"), line["Default Project"].strip()
    return tags + [project] * (project not in ("", PROJECT, *tags))


def _options(line: Line) -> tuple[list[str], list[tuple[pd.Timestamp, list[str]]]]:
    """Return every option there ever was, the catch-all last, and the lists over time."""
    history = _history(line)
    column = next((name for name in _OPTIONS if line[name].strip()), "")
    if not column:
        line.wrong(_OPTIONS[0], "the options of a multiple_choice question")
    elif column != _HISTORY:
        options = texts(line, column)
        if len(options) < 2 and line.number not in line.table.noted[column]:
            line.wrong(column, "at least two options")
        return options, history
    each = dict.fromkeys(one for _, options in history for one in options[:-1])
    return [*each, *(history[0][1][-1:] if history else ())], history


def _history(line: Line) -> list[tuple[pd.Timestamp, list[str]]]:
    """Return the lists of options with the times from which they held."""
    found = []
    try:
        for since, options in literal(line, _HISTORY) or ():
            at = pd.Timestamp(read_time(since if len(since) > 19 else f"{since}+00:00"))
            if not options or not all(isinstance(one, str) for one in options):
                raise ValueError(options)
            found.append((at, list(options)))
    except (ValueError, TypeError, AttributeError, BadInput):
        line.wrong(_HISTORY, "a list of times with the options from then on")
        return []
    return found


def _bound(stated: str, number: float, kind: QuestionType) -> str:
    """Return a bound as the file states it, without the '.0' of a whole number."""
    if stated:
        return stated.removesuffix(".0")
    if kind == QuestionType.date:
        return iso_day_or_time(pd.Timestamp(number, unit="s", tz="UTC").to_pydatetime())
    return format_figure(float(f"{number:.15g}"))


def _scale(line: Line, kind: QuestionType) -> Scale | None:
    """Return the scale of a question; None if it has none, or a bad one, which is noted."""
    column = "Continuous Range"
    listed = numbers(line, column) if kind == QuestionType.numeric else []
    bounds = _bounds(line, kind)
    if bounds is None:
        return None
    low, high, ratio = bounds
    if fault := bounds_fault(low, high):
        line.wrong("Upper Bound", f"{fault}.")
        return None
    points = np.array(listed)
    if listed:
        ends_fit = np.allclose(points[[0, -1]], (low, high), rtol=0, atol=_EVEN * (high - low))
        if len(points) < 3 or not (np.diff(points) > 0).all() or not ends_fit:
            line.wrong(column, "numbers that rise from the lower to the upper bound")
            return None
        points[[0, -1]] = low, high
        ratio = _ratio(points[len(points) // 2], low, high, _EVEN) if len(points) % 2 else ratio
    elif kind == QuestionType.date and line[column]:
        days = texts(line, column)
        if len(days) % 2:
            # Days only, so a middle that is off by one is of an even scale.
            middle = figure_to_float(days[len(days) // 2], kind)
            ratio = _ratio(middle, low, high, 1.5 * _DAY / (high - low))
    return Scale(low, high, ratio, points if listed else None)


def _bounds(line: Line, kind: QuestionType) -> tuple[float, float, float] | None:
    """Return the bounds and the ratio that old files state; None if there are none."""
    if line["Lower Bound"].strip() or not line["Scaling"].strip():
        numbers = []
        for column in ("Lower Bound", "Upper Bound"):
            try:
                numbers.append(figure_to_float(line[column].strip(), kind))
            except (ValueError, LedgerError):
                line.wrong(column, f"the bound of a {kind} question")
                return None
        return numbers[0], numbers[1], 1.0
    scaling = literal(line, "Scaling")
    try:
        low, high = float(scaling["Range Min"]), float(scaling["Range Max"])
        zero = scaling.get("Zero Point")
        return low, high, 1.0 if zero is None else (high - zero) / max(low - zero, 1e-7)
    except (TypeError, KeyError, ValueError, AttributeError):
        if line.number not in line.table.noted["Scaling"]:
            line.wrong("Scaling", "an object with Range Min and Range Max")
        return None


def _ratio(middle: float, low: float, high: float, even: float) -> float:
    """Return the ratio of the steps of a scale from its middle, 1 for equal steps."""
    share = (middle - low) / (high - low)
    if abs(share - 0.5) <= even or not 0 < share < 1:
        return 1.0
    return float((1 / share - 1) ** 2)


def literal(line: Line, column: str) -> Any:
    """Return the value of a cell, None if it is blank; a bad cell is noted and None too."""
    text = line[column].strip()
    if not text:
        return None
    rule, value = "", None
    if len(line[column]) > _CHARACTERS:
        rule = f"{_LONG}; this has {len(line[column]):,} characters"
    else:
        try:
            value = ast.literal_eval(text)
        except _FAULTS:
            rule = "a list as Python writes it, as in ['a', 'b']"
        if isinstance(value, list | tuple | dict) and len(value) > limits.ENTRIES:
            rule = _LONG
    if rule:
        line.wrong(column, rule)
    return None if rule else value


def texts(line: Line, column: str) -> list[str]:
    """Return a cell's list of texts, empty if it is blank; a bad cell is noted and empty too."""
    value = literal(line, column)
    if value is None:
        return []
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        line.wrong(column, "a list of texts")
    elif character := unstorable_character("".join(value)):
        line.wrong(column, f"without {character}, which a ledger cannot store")
    else:
        return list(value)
    return []


def numbers(line: Line, column: str) -> list[float]:
    """Return a cell's list of numbers, NaN for None; empty if it is blank, or bad: then noted."""
    text = line[column].strip()
    if not text:
        return []
    if len(line[column]) > _CHARACTERS or text.count(",") > limits.ENTRIES:
        line.wrong(column, _LONG)
        return []
    # The JSON reader is ten times as fast as Python's, and reads the same numbers.
    plain = text.replace("None", "null").replace("nan", "null").rstrip(")]").lstrip("([")
    try:
        found = json.loads(f"[{plain.rstrip().removesuffix(',')}]")
    except _FAULTS:
        found = []
    if text[0] not in "([" or text[-1] not in ")]" or not found or not all(map(_is_number, found)):
        line.wrong(column, "a list of numbers, as in [0.2, None, 0.8]")
        return []
    return [math.nan if one is None else float(one) for one in found]


def _is_number(value: Any) -> bool:
    if value is None:
        return True
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < math.inf


def whole_number(text: str) -> str:
    """Return an id without the '.0' that a spreadsheet or pandas gives it; '' if it is not one.

    >>> whole_number("3672"), whole_number("3672.0"), whole_number("rain-2026")
    ('3672', '3672', '')
    """
    found = _ID.fullmatch(text.strip())
    return "" if found is None else found[1]
