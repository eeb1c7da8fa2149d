"""Manifold's markets as questions: one a market, or one an answer where several can be right."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from forecasts.common import limits
from forecasts.platforms.entries import LAST_TIME, Entry
from forecasts.platforms.record import LeftOut
from forecasts.values.outcomes import NOT_SCORED

# The first market was made in 2021; a time in seconds would be before this.
FIRST_MS, LAST_MS = 1_000_000_000_000, 253_402_300_799_999
TIME_RULE = "a time in milliseconds since 1970"

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BUCKETS = ("NUMBER", "MULTI_NUMERIC", "DATE")  # whose answers are the parts of a range, in order
_SEVERAL = ("MULTIPLE_CHOICE", "FREE_RESPONSE", *_BUCKETS)
_REFUSED = {
    "STONK": "a stock has no outcome: its price never becomes true or false",
    "PERP": "a perpetual future has no outcome: its price never becomes true or false",
    "PSEUDO_NUMERIC": "its price is a number on a scale, not a probability",
    "NUMERIC": "its bets are on numbers, without a probability for the others",
    "POLL": "a poll has votes, not probabilities",
    "BOUNTIED_QUESTION": "a bounty has answers, not probabilities",
    "QUADRATIC_FUNDING": "a funding round has no probabilities",
    "CERT": "a certificate has no probabilities",
}

# The fields of a market that are read, and kept until the bets are.
FIELDS = (
    *("id", "question", "url", "outcomeType", "createdTime", "closeTime", "groupSlugs"),
    *("textDescription", "description", "answers", "shouldAnswersSumToOne"),
    *("isResolved", "resolution", "resolutionTime", "resolutionProbability", "resolutions"),
)


@dataclass(frozen=True)
class Asked:
    """A question: its cells of ``questions``, its id on Manifold, its address and its place."""

    cells: Mapping[str, Any]
    platform_id: str
    url: str
    place: str


@dataclass(frozen=True)
class Market:
    """A market and its questions.

    ``answers``: the ids of the answers; empty for a market of yes and no. With ``exclusive`` there
    is one question, whose options are in that order; otherwise one question an answer. ``since``:
    when each answer was added, in milliseconds.
    """

    questions: Sequence[Asked]
    answers: Sequence[str] = ()
    exclusive: bool = False
    since: Sequence[int] = ()


def read_market(entry: Entry) -> Market | LeftOut:
    """Return the market, or why it is left out. Faults are noted in the entry's problems."""
    kind = entry.text("outcomeType").upper()
    title = entry.text("question", required=True, most=limits.NAME_BYTES)
    if kind in _REFUSED:
        return LeftOut(entry.place, title, _REFUSED[kind])
    if kind != "BINARY" and kind not in _SEVERAL:
        return LeftOut(entry.place, title, f"a market of an unknown kind, {kind}")
    asked = _common(entry, title)
    if isinstance(asked, LeftOut):
        return asked
    if kind == "BINARY":
        resolved = _binary_resolution(entry, entry.flag("isResolved"), asked.cells["open_time"])
        return Market([_with(asked, **resolved)])
    answers = _ordered(entry.entries("answers"), kind)
    if not answers:
        reason = "the file has no answers for it; export the market by itself (/v0/market/ID)"
        return LeftOut(entry.place, title, reason)
    ids = [answer.name("id", required=True) for answer in answers]
    if len(set(ids)) < len(ids):
        entry.wrong("answers", "answers with different ids")
    sums = "shouldAnswersSumToOne"
    exclusive = entry.flag(sums) if sums in entry else True
    if not exclusive:
        return Market([_of_answer(asked, title, entry, one) for one in answers], ids)
    options = _options(answers)
    if len(options) < 2:
        return LeftOut(entry.place, title, "a choice with a single answer")
    since = [_ms(answer, "createdTime") or 0 for answer in answers]
    cells = {
        "type": "multiple_choice",
        "options": options,
        "ordered": kind in _BUCKETS,
        **_choice_resolution(entry, ids, options, answers, asked.cells["open_time"]),
    }
    return Market([_with(asked, **cells)], ids, exclusive=True, since=since)


def _common(entry: Entry, title: str) -> Asked | LeftOut:
    """Return a question with the cells that every kind of market has."""
    id_ = entry.name("id", required=True)
    opened = _time(entry, "createdTime", required=True) or EPOCH
    closes, resolved = (_time(entry, name) for name in ("closeTime", "resolutionTime"))
    # One that was closed early, by hand, can have any time; and one without a time never closes.
    if closes is None or closes <= opened:
        closes = resolved if closes is not None and resolved is not None else LAST_TIME
    if closes <= opened:
        return LeftOut(entry.place, title, "it closed at the moment it was made")
    is_early = resolved is not None and opened < resolved < closes
    tags = entry.values("groupSlugs", str)
    cells = {
        "question_id": f"manifold-{id_}",
        "title": title,
        "type": "binary",
        "open_time": opened,
        "scheduled_close_time": closes,
        "actual_close_time": resolved if is_early else None,
        "tags": tags[: limits.ENTRIES] or None,
        "resolution_criteria": _description(entry),
    }
    return Asked(cells, id_, entry.address("url"), entry.place)


def _of_answer(asked: Asked, title: str, market: Entry, answer: Entry) -> Asked:
    """Return the question whether one of several answers is right."""
    id_, text = answer.name("id"), answer.text("text", required=True)
    closes = asked.cells["scheduled_close_time"]
    opened = max(asked.cells["open_time"], _time(answer, "createdTime") or EPOCH)
    if opened >= closes:
        opened = asked.cells["open_time"]
    resolved = _time(answer, "resolutionTime")
    is_early = resolved is not None and opened < resolved < closes
    source, is_resolved = answer, "resolution" in answer
    if not is_resolved and market.text("resolution") == "CANCEL":
        source, is_resolved = market, True
    elif not is_resolved and market.flag("isResolved"):
        source, is_resolved = _weighed(market, answer), True
    cells = {
        "question_id": f"{asked.cells['question_id']}-{id_}",
        "title": f"{title} ({text})",
        "family": asked.cells["question_id"],
        "open_time": opened,
        "actual_close_time": resolved if is_early else asked.cells["actual_close_time"],
        **_binary_resolution(source, is_resolved, opened),
    }
    made = _with(asked, **cells)
    return Asked(made.cells, f"{asked.platform_id}-{id_}", asked.url, answer.place)


def _weighed(market: Entry, answer: Entry) -> Entry:
    """Return the answer with its resolution as the market has it, by weights of 0 to 100."""
    weights = market.entry("resolutions")
    share = 0.0
    if answer.name("id") in weights:
        share = weights.number(answer.name("id"), low=0, high=100)
    fields = {
        "resolution": "MKT",
        "resolutionProbability": share / 100,
        "resolutionTime": market.fields.get("resolutionTime"),
    }
    return Entry(market.place, fields, market.problems)


def _binary_resolution(entry: Entry, is_resolved: bool, opened: datetime) -> dict[str, Any]:
    """Return the cells of an outcome: yes, no, a share of yes (MKT) or annulled (CANCEL)."""
    outcome = entry.text("resolution").upper()
    if not is_resolved:
        return {}
    if outcome == "MKT":
        share = entry.number("resolutionProbability", low=0, high=1, required=True)
        return _resolved(entry, "" if math.isnan(share) else repr(share), opened)
    known = {"YES": "yes", "NO": "no", "CANCEL": "annulled"}
    if outcome not in known:
        entry.wrong("resolution", "YES, NO, MKT or CANCEL")
    return _resolved(entry, known.get(outcome, ""), opened)


def _choice_resolution(
    entry: Entry,
    ids: Sequence[str],
    options: Sequence[str],
    answers: Sequence[Entry],
    opened: datetime,
) -> dict[str, Any]:
    """Return the cells of an outcome of exclusive answers; shares of several are ambiguous."""
    if not entry.flag("isResolved"):
        return {}
    outcome = entry.text("resolution")
    if outcome == "CANCEL":
        return _resolved(entry, "annulled", opened)
    if outcome in ids:
        return _resolved(entry, options[ids.index(outcome)], opened)
    weights = entry.entry("resolutions")
    shares = [
        weights.number(id_, low=0, high=100) / 100
        if id_ in weights
        else 1.0
        if answer.text("resolution") == "YES"
        else answer.number("resolutionProbability", low=0, high=1)
        for id_, answer in zip(ids, answers, strict=True)
    ]
    chosen = [place for place, share in enumerate(shares) if share > 0]
    if not chosen:
        entry.wrong("resolution", "the id of an answer, MKT with shares, or CANCEL")
        return {}
    if len(chosen) == 1:
        return _resolved(entry, options[chosen[0]], opened)
    parts = ", ".join(f"{100 * shares[one]:.3g}% {options[one]}" for one in chosen)
    note = f"Manifold paid several answers in shares: {parts}."
    return _resolved(entry, "ambiguous", opened) | {"resolution_note": note}


def _resolved(entry: Entry, outcome: str, opened: datetime) -> dict[str, Any]:
    at = _time(entry, "resolutionTime")
    if at is not None and at <= opened and outcome not in NOT_SCORED:
        entry.wrong("resolutionTime", "after the market was made")
    return {"resolution": outcome, "known_at": at, "resolved_at": at}


def _ordered(answers: Sequence[Entry], kind: str) -> list[Entry]:
    """Return the answers of a range as listed; others in the order added, "Other" last.

    So a newer export only puts new options before the last one.
    """
    if kind in _BUCKETS:
        by = "midpoint" if all("midpoint" in answer for answer in answers) else "index"
        return sorted(answers, key=lambda answer: answer.number(by) if by in answer else 0.0)
    return sorted(
        answers, key=lambda answer: (answer.flag("isOther"), _ms(answer, "createdTime") or 0)
    )


def _options(answers: Sequence[Entry]) -> list[str]:
    """Return the answers' texts, told apart where they are alike."""
    options: list[str] = []
    for answer in answers:
        text = answer.text("text", required=True, most=limits.NAME_BYTES - 10).strip()
        name, copy = text, 1
        while name.casefold() in {*NOT_SCORED, *map(str.casefold, options)}:
            copy += 1
            name = f"{text} ({copy})"
        options.append(name)
    return options


def _ms(entry: Entry, name: str, *, required: bool = False) -> int | None:
    """Return a time in milliseconds; one after the calendar's end is its end."""
    value = entry.number(name, required=required)
    if math.isnan(value):
        return FIRST_MS if required else None
    if value < FIRST_MS:
        entry.wrong(name, TIME_RULE)
        return FIRST_MS
    return min(int(value), LAST_MS)


def _time(entry: Entry, name: str, *, required: bool = False) -> datetime | None:
    ms = _ms(entry, name, required=required)
    return None if ms is None else min(EPOCH + timedelta(milliseconds=ms), LAST_TIME)


def _description(entry: Entry) -> str:
    """Return the market's description, which holds its rules; rich text without its marks."""
    for name in ("textDescription", "description"):
        value = entry.fields.get(name)
        if isinstance(value, dict):
            return "\n".join(_texts(value, 0)).strip()
        if text := entry.text(name, most=limits.PROSE_BYTES).strip():
            return text
    return ""


def _texts(node: Any, depth: int) -> list[str]:
    """Return the paragraphs of rich text."""
    if not isinstance(node, dict) or depth > 50:
        return []
    inside = node.get("content")
    if not isinstance(inside, list):
        return [node["text"]] if isinstance(node.get("text"), str) else []
    parts = [part for each in inside for part in _texts(each, depth + 1)]
    return ["".join(parts)] if node.get("type") in ("paragraph", "heading") else parts


def _with(asked: Asked, **cells: Any) -> Asked:
    return Asked({**asked.cells, **cells}, asked.platform_id, asked.url, asked.place)
