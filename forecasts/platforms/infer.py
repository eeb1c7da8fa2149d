"""INFER, now the RAND Forecasting Initiative, and other Cultivate sites: their API's JSON.

A person's value is ``forecasted_probability``. ``final_probability`` is the crowd's after it, and
an answer's ``probability`` is the crowd's now, until it is the outcome; neither is a forecast.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from forecasts.common import limits
from forecasts.platforms.reading import LAST_TIME, PROSE, TITLE, Entry, Field, Reading, plain_words
from forecasts.platforms.record import Choices, PlatformRecord
from forecasts.platforms.source import Source

_LISTS = ("questions", "prediction_sets")
_QUESTION = {
    "title": Field("name", "text", TITLE),
    "resolution_criteria": Field("description", "text", PROSE),
    "scored_from": Field("scoring_start_time", "time"),
    "starts": Field("starts_at", "time"),
    "published": Field("published_at", "time"),
    "created": Field("created_at", "time"),
    "scored_until": Field("scoring_end_time", "time"),
    "ends": Field("ends_at", "time"),
    "resolved_at": Field("resolved_at", "time"),
}
_ROUNDING = 0.02  # that a sum of probabilities may be off, as they have four digits or fewer
_NONE = Entry("", {})  # for an answer that a question lacks


@dataclass
class _Question:
    """A question of the file, and those that it becomes: several if several answers can be right.

    ``answers``: in the order of the options; or of each question, the answer that means yes.
    """

    entry: Entry
    asked: Sequence[Mapping[str, Any]]
    answers: Sequence[Entry]
    is_binary: bool


@dataclass
class _Sets(Reading):
    """The questions of the files by id, and the largest probability that the files can have.

    ``names``: the name of each account at each of its forecasts.
    """

    scale: int = 1
    asked: dict[str, _Question] = field(default_factory=dict)
    names: list[tuple[datetime, str, str]] = field(default_factory=list)
    is_rescaled: bool = False


def read(source: Source, choices: Choices) -> PlatformRecord:
    """Return the questions that the account forecast, and its forecasts."""
    sets = _Sets("infer")
    questions, made = _entries(source, sets)
    sets.scale = _scale(questions.values(), made)
    sets.note(f"The file has probabilities from 0 to {sets.scale}.")
    sets.asked = {id_: _question(entry, sets.scale) for id_, entry in questions.items()}
    for entry in made:
        _add_forecasts(entry, sets)
    sets.require_sound(source.name)
    # An account may have changed its name.
    newest = {who: name for _, who, name in sorted(sets.names, key=lambda one: one[0])}
    sets.name_forecasters(newest, "INFER", choices.owner)
    answered = {one["question_id"] for one in sets.forecasts}
    for question in sets.asked.values():
        counting = [one for one in question.asked if one["question_id"] in answered]
        for cells in counting:
            sets.question(question.entry.place, {**cells, "url": question.entry.address("url")})
        if not counting:
            reason = "no forecast of the account counts"
            sets.leave_out(question.entry.place, question.entry.text("name"), reason)
    if sets.is_rescaled:
        sets.note("Probabilities that were rounded are divided by their sum.")
    return sets.record()


def _entries(source: Source, sets: _Sets) -> tuple[dict[str, Entry], list[Entry]]:
    """Return the questions by id, also those inside of prediction sets, and the prediction sets."""
    questions: dict[str, Entry] = {}
    inside: dict[str, Entry] = {}
    made: dict[str, Entry] = {}
    for entry in sets.entries(source, _LISTS):
        if "answers" in entry.fields:
            questions[entry.name("id", required=True)] = entry
        elif "predictions" in entry.fields:
            made[entry.name("id") or entry.place] = entry  # pages overlap
            if "question" in entry.fields:
                of = entry.entry("question")
                inside[of.name("id", required=True)] = of
        else:
            entry.wrong("answers", "required for a question; a set has predictions")
    return inside | questions, list(made.values())


def _scale(questions: Iterable[Entry], made: Sequence[Entry]) -> int:
    """Return 1 or 100, the largest probability that the files can have."""
    parts = [
        (part, "forecasted_probability") for one in made for part in one.entries("predictions")
    ]
    parts += [(part, "probability") for one in questions for part in one.entries("answers")]
    return 100 if any(part.number(name) > 1 for part, name in parts) else 1


def _question(entry: Entry, scale: int) -> _Question:
    answers = entry.entries("answers")
    if not answers:
        entry.wrong("answers", "at least one answer")
    if all("sort_order" in answer for answer in answers):
        answers.sort(key=lambda answer: answer.number("sort_order"))
    names = [answer.name("name", required=True) for answer in answers]
    folded = [name.casefold() for name in names]
    kind = entry.text("type")
    is_binary = (
        len(answers) == 1 or "Binary" in kind or "YesNo" in kind or sorted(folded) == ["no", "yes"]
    )
    known_at = _known_at(entry, answers)
    cells = _cells(entry, known_at)
    shares = [_certain(answer, scale) for answer in answers]
    if is_binary:
        # The answer that means yes: "yes" or else the first one, unless that is "no".
        place = folded.index("yes") if "yes" in folded else 0
        yes, share = [*answers, _NONE][place], [*shares, None][place]
        if folded[place : place + 1] == ["no"]:
            yes, share = _NONE, None if share is None else 1 - share
        asked = [cells | _outcome(entry, [share], ["yes"], known_at)]
        return _Question(entry, asked, [yes], True)
    if "exclusive?" in entry and not entry.flag("exclusive?"):
        asked = [
            cells
            | {
                "question_id": f"{cells['question_id']}-{answer.name('id', required=True)}",
                "title": f"{cells['title']} ({name})",
                "family": cells["question_id"],
            }
            | _outcome(entry, [share], ["yes"], known_at)
            for answer, name, share in zip(answers, names, shares, strict=True)
        ]
        return _Question(entry, asked, answers, True)
    choice = {
        "type": "multiple_choice",
        "options": names,
        "ordered": entry.flag("use_ordinal_scoring"),
    }
    outcome = _outcome(entry, shares, names, known_at)
    return _Question(entry, [cells | choice | outcome], answers, False)


def _cells(entry: Entry, known_at: datetime | None) -> dict[str, Any]:
    """Return the cells that every kind of question has."""
    read = entry.cells(_QUESTION)
    begins = (read[name] for name in ("scored_from", "starts", "published", "created"))
    opened = next((at for at in begins if at is not None), None)
    closes = read["ends"] or read["scored_until"] or LAST_TIME
    if opened is None:
        entry.wrong("created_at", "required")
        opened = LAST_TIME
    ended = [at for at in (read["scored_until"], known_at) if at and opened < at < closes]
    clarified = [
        one.text("content", most=limits.PROSE_BYTES) for one in entry.entries("clarifications")
    ]
    return {
        "question_id": f"infer-{entry.name('id', required=True)}",
        "title": read["title"],
        "type": "binary",
        "open_time": opened,
        "scheduled_close_time": closes,
        "actual_close_time": min(ended, default=None),
        "resolution_criteria": plain_words(read["resolution_criteria"]),
        "fine_print": "\n\n".join(map(plain_words, filter(None, clarified))),
    }


def _known_at(entry: Entry, answers: Sequence[Entry]) -> datetime | None:
    """Return when the outcome became known: the first such time of the question or an answer."""
    known = [at for one in (entry, *answers) if (at := one.time("correctness_known_at"))]
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


def _outcome(
    entry: Entry, shares: Sequence[float | None], names: Sequence[str], known_at: datetime | None
) -> dict[str, Any]:
    """Return the cells of the outcome: one of the names with the share 1, or a share of yes."""
    if "voided_at" in entry:
        return {"resolution": "annulled", "resolved_at": entry.time("voided_at")}
    if "resolved_at" not in entry or any(share is None for share in shares):
        return {}
    if list(names) == ["yes"]:
        [share] = shares
        outcome = repr(share) if share not in (0, 1) else "yes" if share else "no"
    else:
        right = [name for name, share in zip(names, shares, strict=True) if share == 1]
        outcome = right[0] if len(right) == 1 else "ambiguous"
    at = entry.time("resolved_at")
    return {"resolution": outcome, "known_at": known_at, "resolved_at": at}


def _add_forecasts(entry: Entry, sets: _Sets) -> None:
    """Add the forecasts of a prediction set, or leave it out."""
    made_at = entry.time("created_at", required=True)
    id_ = entry.name("question_id") or entry.entry("question").name("id", required=True)
    question, parts = sets.asked.get(id_), entry.entries("predictions")
    if question is None:
        sets.leave_out(entry.place, id_, "a forecast on a question that no file has")
        return
    if any(part.flag("made_after_correctness_known") for part in parts):
        sets.leave_out(entry.place, question.entry.text("name"), "made after the outcome was known")
        return
    by_answer: dict[str, float] = {}
    for part in parts:
        p = part.number("forecasted_probability", low=0, high=sets.scale, required=True)
        for name in filter(None, map(part.name, ("answer_id", "answer_name"))):
            by_answer[name] = p / sets.scale
    values = [_value(answer, by_answer) for answer in question.answers]
    found: list[dict[str, Any]] = []
    if question.is_binary:
        no = [a for a in question.entry.entries("answers") if a.name("name").casefold() == "no"]
        if len(values) == 1 and values[0] is None and no:  # stated for no alone
            opposite = _value(no[0], by_answer)
            values = [None if opposite is None else 1 - opposite]
        found = [
            {"question_id": asked["question_id"], "probability": p}
            for asked, p in zip(question.asked, values, strict=True)
            if p is not None
        ]
        fault = "" if found else "no value for an answer of the question"
    else:
        vector, fault = _vector(question, values, made_at)
        sets.is_rescaled |= not fault and vector != values
        found = [{"question_id": question.asked[0]["question_id"], "probabilities": vector}]
    if fault:
        sets.leave_out(entry.place, question.entry.text("name"), fault)
        return
    account = entry.name("membership_username")
    who = entry.name("membership_id") or account
    sets.names.append((made_at or LAST_TIME, who, account))
    common = {"made_at": made_at, "rationale": plain_words(entry.text("rationale"))}
    for one in found:
        sets.forecast(entry.place, common | {"forecaster": who} | one)


def _value(answer: Entry, by_answer: Mapping[str, float]) -> float | None:
    """Return the probability of an answer, which a set names by its id or by its name."""
    name = answer.name("name")
    return by_answer.get(answer.name("id") or name, by_answer.get(name))


def _vector(
    question: _Question, values: Sequence[float | None], made_at: datetime | None
) -> tuple[list[float | None], str]:
    """Return the probabilities divided by their sum, and the fault of the vector, or ''."""
    for answer, p in zip(question.answers, values, strict=True):
        added = answer.time("created_at")
        is_later = added is not None and made_at is not None and added > made_at
        if p is None and not is_later:
            return [], f"no value for the answer {answer.name('name')!r}: a trade in one answer"
    total = math.fsum(p for p in values if p is not None)
    if abs(total - 1) > _ROUNDING:
        return [], f"its probabilities sum to {100 * total:.4g}%"
    return [None if p is None else p / total for p in values], ""
