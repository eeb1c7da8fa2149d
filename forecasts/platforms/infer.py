"""INFER, now the RAND Forecasting Initiative, and other Cultivate sites: their API's JSON.

A person's value is ``forecasted_probability``. ``final_probability`` is the crowd's after it, and
an answer's ``probability`` is the crowd's now, until it is the outcome; neither is a forecast.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from forecasts.common import limits
from forecasts.common.errors import Problem
from forecasts.platforms.columns import account_handles
from forecasts.platforms.entries import (
    LAST_TIME,
    Entry,
    columns_of,
    json_files,
    plain_words,
    require_sound,
    starts_with,
)
from forecasts.platforms.json_records import records
from forecasts.platforms.record import (
    ORIGIN_COLUMNS,
    PRINTED_COLUMNS,
    Choices,
    LeftOut,
    PlatformRecord,
    frame_of,
    frames_of,
)
from forecasts.platforms.source import Source

_LISTS = ("questions", "prediction_sets")
_ROUNDING = 0.02  # that a sum of probabilities may be off, as they have four digits or fewer


def recognises(source: Source) -> bool:
    """Return whether a file begins with a prediction set or a question."""
    # A long rationale can come before the predictions.
    begins = ["prediction_sets"], ["forecasted_probability"], ["membership_id", "rationale"]
    return starts_with(source, *begins, ["use_ordinal_scoring"], ["scoring_start_time"])


def read(source: Source, choices: Choices) -> PlatformRecord:
    """Return the questions that the account forecast, and its forecasts."""
    problems: list[Problem] = []
    questions, sets = _entries(source, problems)
    scale = _scale(questions.values(), sets)
    read_ = {id_: _question(entry, scale) for id_, entry in questions.items()}
    left_out: list[LeftOut] = []
    found = [one for entry in sets for one in _forecasts(entry, read_, scale, left_out)]
    require_sound(source, problems)
    notes = [f"The file has probabilities from 0 to {scale}."]
    who = _forecasters(found, choices, notes)
    forecast = {one.question_id for one in found}
    asked = [
        one for group in read_.values() for one in group.asked if one["question_id"] in forecast
    ]
    left_out += [
        LeftOut(group.entry.place, group.title, "no forecast of the account counts")
        for group in read_.values()
        if not any(one["question_id"] in forecast for one in group.asked)
    ]
    of = {one["question_id"]: group.entry for group in read_.values() for one in group.asked}
    places = {
        "questions": [of[one["question_id"]].place for one in asked],
        "forecasts": [one.place for one in found],
    }
    if any(one.is_rescaled for one in found):
        notes.append("Probabilities that were rounded are divided by their sum.")
    return PlatformRecord(
        "infer",
        frames_of(
            columns_of(asked),
            {
                "question_id": [one.question_id for one in found],
                "forecaster": [who[one.who] for one in found],
                "made_at": [one.made_at for one in found],
                "probability": [one.probability for one in found],
                "probabilities": [one.probabilities for one in found],
                "rationale": [one.rationale for one in found],
            },
            place=lambda table, row: places[table][row],
        ),
        frame_of(
            ORIGIN_COLUMNS,
            {
                "question_id": [one["question_id"] for one in asked],
                "platform_id": [one["question_id"].removeprefix("infer-") for one in asked],
                "url": [of[one["question_id"]].address("url") for one in asked],
            },
        ),
        frame_of(PRINTED_COLUMNS, {}),
        left_out=left_out,
        notes=notes,
    )


@dataclass(frozen=True)
class _Question:
    """A question of the file, and those that it becomes: several if several answers can be right.

    ``answers``: the answers, in the order of the options.
    """

    entry: Entry
    title: str
    asked: Sequence[Mapping[str, Any]]
    answers: Sequence[Entry]
    is_binary: bool


@dataclass(frozen=True)
class _Forecast:
    """A forecast. ``who``: the account's id, or its name without one; ``name``: its name then."""

    question_id: str
    who: str
    name: str
    made_at: datetime | None
    probability: float
    probabilities: list[float | None] | None
    rationale: str
    place: str
    is_rescaled: bool = False


def _entries(source: Source, problems: list[Problem]) -> tuple[dict[str, Entry], list[Entry]]:
    """Return the questions by id, also those inside of prediction sets, and the prediction sets."""
    questions: dict[str, Entry] = {}
    inside: dict[str, Entry] = {}
    sets: dict[str, Entry] = {}
    for name in json_files(source):
        for number, fields in records(source, name, _LISTS):
            entry = Entry(f"{name}, record {number:,}", fields, problems)
            if "answers" in fields:
                questions[entry.name("id", required=True)] = entry
            elif "predictions" in fields:
                # Pages overlap.
                sets[entry.name("id") or entry.place] = entry
                if "question" in fields:
                    of = entry.entry("question")
                    inside[of.name("id", required=True)] = of
            else:
                entry.wrong("answers", "required for a question; a set has predictions")
    return inside | questions, list(sets.values())


def _scale(questions: Any, sets: Sequence[Entry]) -> int:
    """Return 1 or 100, the largest probability that the files can have."""
    fields = [
        one.fields.get(name)
        for entries, name in (
            ([p for each in sets for p in each.entries("predictions")], "forecasted_probability"),
            ([a for each in questions for a in each.entries("answers")], "probability"),
        )
        for one in entries
    ]
    return 100 if any(_above_one(value) for value in fields) else 1


def _above_one(value: Any) -> bool:
    try:
        return float(value) > 1
    except (TypeError, ValueError, OverflowError):
        return False


def _question(entry: Entry, scale: int) -> _Question:
    title = entry.text("name", required=True, most=limits.NAME_BYTES)
    answers = entry.entries("answers")
    if not answers:
        entry.wrong("answers", "at least one answer")
    if all("sort_order" in answer for answer in answers):
        answers.sort(key=lambda answer: answer.number("sort_order"))
    kind = entry.text("type")
    names = [answer.name("name", required=True) for answer in answers]
    is_binary = (
        len(answers) == 1
        or "Binary" in kind
        or "YesNo" in kind
        or sorted(name.casefold() for name in names) == ["no", "yes"]
    )
    common = _common(entry, title)
    several = "exclusive?" in entry and not entry.flag("exclusive?")
    if not is_binary and not several:
        if len({name.casefold() for name in names}) < len(names):
            entry.wrong("answers", "answers with different names")
        choice = {
            "type": "multiple_choice",
            "options": names,
            "ordered": entry.flag("use_ordinal_scoring"),
        }
        outcome = _outcome(entry, [_certain(answer, scale) for answer in answers], names)
        return _Question(entry, title, [common | choice | outcome], answers, False)
    if is_binary:
        yes, is_no = _yes(answers) if answers else (entry, False)
        share = _certain(yes, scale)
        share = None if share is None else 1 - share if is_no else share
        outcome = _outcome(entry, [share], ["yes"])
        return _Question(entry, title, [common | outcome], [yes], True)
    asked = [
        common
        | {
            "question_id": f"{common['question_id']}-{answer.name('id', required=True)}",
            "title": f"{title} ({name})",
            "family": common["question_id"],
        }
        | _outcome(entry, [_certain(answer, scale)], ["yes"])
        for answer, name in zip(answers, names, strict=True)
    ]
    return _Question(entry, title, asked, answers, True)


def _common(entry: Entry, title: str) -> dict[str, Any]:
    """Return the cells that every kind of question has."""
    times = {
        name: entry.time(name)
        for name in (
            *("scoring_start_time", "starts_at", "published_at", "created_at"),
            *("scoring_end_time", "ends_at", "resolved_at"),
        )
    }
    opened = next((at for at in list(times.values())[:4] if at is not None), None)
    closes = times["ends_at"] or times["scoring_end_time"] or LAST_TIME
    if opened is None:
        entry.wrong("created_at", "required")
        opened = LAST_TIME
    elif closes <= opened:
        entry.wrong("ends_at", "after the question opened")
    ended = [at for at in (times["scoring_end_time"], _known_at(entry)) if at is not None]
    actual = min((at for at in ended if opened < at < closes), default=None)
    clarified = [
        one.text("content", most=limits.PROSE_BYTES) for one in entry.entries("clarifications")
    ]
    return {
        "question_id": f"infer-{entry.name('id', required=True)}",
        "title": title,
        "type": "binary",
        "open_time": opened,
        "scheduled_close_time": closes,
        "actual_close_time": actual,
        "resolution_criteria": plain_words(entry.text("description", most=limits.PROSE_BYTES)),
        "fine_print": "\n\n".join(map(plain_words, filter(None, clarified))),
    }


def _known_at(entry: Entry) -> datetime | None:
    """Return when the outcome became known: the first such time of the question or an answer."""
    of = [entry, *entry.entries("answers")]
    known = [at for one in of if (at := one.time("correctness_known_at"))]
    return min(known) if known else entry.time("resolved_at")


def _certain(answer: Entry, scale: int) -> float | None:
    """Return an answer's share of the outcome; None while it is not certain.

    Without ``resolved_probability`` the crowd's last price takes its place: it is the outcome only
    where it is all or nothing.
    """
    if "resolved_probability" in answer:
        return answer.number("resolved_probability", low=0, high=scale) / scale
    share = answer.number("probability", low=0, high=scale) / scale
    return share if share in (0, 1) else None


def _outcome(entry: Entry, shares: Sequence[float | None], names: Sequence[str]) -> dict[str, Any]:
    """Return the cells of the outcome: one of the names with the share 1, or a share of yes."""
    if "voided_at" in entry:
        return {"resolution": "annulled", "resolved_at": entry.time("voided_at")}
    if "resolved_at" not in entry or any(share is None for share in shares):
        return {}
    at = {"known_at": _known_at(entry), "resolved_at": entry.time("resolved_at")}
    if list(names) == ["yes"]:
        share = shares[0]
        return {"resolution": {0: "no", 1: "yes"}.get(share, repr(share)), **at}  # type: ignore[call-overload]
    right = [name for name, share in zip(names, shares, strict=True) if share == 1]
    return {"resolution": right[0] if len(right) == 1 else "ambiguous", **at}


def _yes(answers: Sequence[Entry]) -> tuple[Entry, bool]:
    """Return the answer that means yes; or the only one, which is no, and True."""
    by_name = {answer.name("name").casefold(): answer for answer in answers}
    if "yes" in by_name:
        return by_name["yes"], False
    return answers[0], answers[0].name("name").casefold() == "no"


def _forecasts(
    entry: Entry, questions: Mapping[str, _Question], scale: int, left_out: list[LeftOut]
) -> list[_Forecast]:
    """Return the forecasts of a prediction set, none if it is left out."""
    made_at = entry.time("created_at", required=True)
    name = entry.name("membership_username")
    who = entry.name("membership_id") or name
    id_ = entry.name("question_id") or entry.entry("question").name("id", required=True)
    parts = entry.entries("predictions")
    question = questions.get(id_)

    def without(reason: str) -> list[_Forecast]:
        title = question.title if question else id_
        left_out.append(LeftOut(entry.place, title, reason))
        return []

    if question is None:
        return without("a forecast on a question that no file has")
    if any(part.flag("made_after_correctness_known") for part in parts):
        return without("made after the outcome was known")
    by_answer: dict[str, float] = {}
    for part in parts:
        p = part.number("forecasted_probability", low=0, high=scale, required=True) / scale
        for key in ("answer_id", "answer_name"):
            by_answer[part.name(key)] = p
    values = [
        by_answer.get(answer.name("id") or answer.name("name"), by_answer.get(answer.name("name")))
        for answer in question.answers
    ]
    common = (who, name, made_at)
    rationale = plain_words(entry.text("rationale"))
    if question.is_binary:
        found = [
            _Forecast(str(asked["question_id"]), *common, p, None, rationale, entry.place)
            for asked, p in zip(question.asked, values, strict=True)
            if p is not None
        ]
        return (
            found
            or _opposite(question, by_answer, common, rationale, entry)
            or without("no value for an answer of the question")
        )
    missing = [
        answer
        for answer, p in zip(question.answers, values, strict=True)
        if p is None and not _is_later(answer, made_at)
    ]
    if missing:
        return without(
            f"no value for the answer {missing[0].name('name')!r}: a trade in one answer"
        )
    total = math.fsum(p for p in values if p is not None)
    if math.isnan(total):
        return []  # noted
    if abs(total - 1) > _ROUNDING:
        return without(f"its probabilities sum to {100 * total:.4g}%")
    vector = [None if p is None else p / total for p in values]
    asked = str(question.asked[0]["question_id"])
    made = _Forecast(asked, *common, math.nan, vector, rationale, entry.place, total != 1)
    return [made]


def _opposite(
    question: _Question,
    by_answer: Mapping[str, float],
    common: tuple[str, str, datetime | None],
    rationale: str,
    entry: Entry,
) -> list[_Forecast]:
    """Return the forecast of a question of yes and no that is stated for no alone."""
    no = [a for a in question.entry.entries("answers") if a.name("name").casefold() == "no"]
    p = next(
        (by_answer[key] for a in no for key in (a.name("id"), a.name("name")) if key in by_answer),
        None,
    )
    if p is None or len(question.asked) > 1:
        return []
    asked = str(question.asked[0]["question_id"])
    return [_Forecast(asked, *common, 1 - p, None, rationale, entry.place)]


def _is_later(answer: Entry, made_at: datetime | None) -> bool:
    added = answer.time("created_at")
    return added is not None and made_at is not None and added > made_at


def _forecasters(found: Sequence[_Forecast], choices: Choices, notes: list[str]) -> dict[str, str]:
    """Return the handle of each account: the owner's if there is only one account.

    An account may have changed its name, and two accounts may have the same one.
    """
    ordered = sorted(found, key=lambda one: one.made_at or LAST_TIME)
    names = {one.who: one.name for one in ordered}  # the newest
    if len(names) == 1:
        return dict.fromkeys(names, choices.owner)
    if unnamed := sum(not one.who for one in found):
        what = "1 forecast names" if unnamed == 1 else f"{unnamed:,} forecasts name"
        notes.append(f"{what} no account; imported as {choices.owner}'s.")
    names.pop("", None)
    return {"": choices.owner} | account_handles(names, "INFER", notes)
