"""Manifold's API: bets and markets as JSON, in any number of files.

A bet is not a stated probability. The probability after an account's bet, ``probAfter``, is the
price that it left, so the record is marked as implied. A market's own ``probability`` is the
present price, and is never read. A market is one question, or one an answer where several can be
right.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from forecasts.common import limits
from forecasts.common.text import count, counted
from forecasts.platforms.reading import LAST_TIME, Entry, Reading
from forecasts.platforms.record import Choices, LeftOut, PlatformRecord
from forecasts.platforms.source import Source
from forecasts.values.outcomes import NOT_SCORED

_LISTS = ("bets", "markets", "contracts")
_MOST_MARKETS = 250_000
# Why a bet is not a forecast, in the order in which omissions are listed.
_DROPPED = (
    "redemptions: Manifold trades pairs of shares back by itself",
    "limit orders that were not filled: nothing was bought",
    "cancelled limit orders",
    "the creator's first liquidity",
    "listed a second time, as pages of the API overlap",
)
_REDEMPTION, _UNFILLED, _CANCELLED, _ANTE, _AGAIN = _DROPPED
# The first market was made in 2021; a time in seconds would be before this.
_FIRST_MS, _LAST_MS = 1_000_000_000_000, 253_402_300_799_999
_TIME_RULE = "a time in milliseconds since 1970"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BUCKETS = ("NUMBER", "MULTI_NUMERIC", "DATE")  # whose answers are the parts of a range, in order
_KINDS = ("BINARY", "MULTIPLE_CHOICE", "FREE_RESPONSE", *_BUCKETS)
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


class _Bet(NamedTuple):
    """A bet. ``answer``: the one it is on, which old bets name as the outcome.

    ``dropped``: why it is not a forecast; '' if it is one.
    """

    place: str
    user: str
    market: str
    answer: str
    at: datetime
    p: float
    dropped: str


@dataclass(frozen=True)
class _Market:
    """A market and its questions, each with its ``place``.

    ``answers``: the ids of the answers; empty for a market of yes and no. There is one question an
    answer; if answers exclude each other, one question, whose options are in that order. ``since``:
    when each of its options was added.
    """

    questions: Sequence[Mapping[str, Any]]
    answers: Sequence[str] = ()
    since: Sequence[datetime] = ()


# The forecast that a bet implies: the bet, its question and its value.
_Forecast = tuple[_Bet, Mapping[str, Any], Mapping[str, Any]]


def read(source: Source, choices: Choices) -> PlatformRecord:
    """Return the markets that bets were made on, and the probabilities that the bets imply."""
    reading = Reading("manifold")
    bets: dict[str, _Bet] = {}
    markets: dict[str, _Market | LeftOut] = {}
    for entry in reading.entries(source, _LISTS, most_bytes=limits.FILE_BYTES):
        if "outcomeType" in entry.fields:
            markets[entry.name("id", required=True)] = _market(entry)  # the last one is the newest
            if len(markets) > _MOST_MARKETS:
                most = f"{_MOST_MARKETS:,}"
                raise limits.too_much(source.name, "more markets", most, "Give those with bets.")
        elif "contractId" in entry.fields:
            is_again = (id_ := entry.text("id")) in bets
            bets[id_ if id_ and not is_again else entry.place] = _bet(entry, is_again=is_again)
        else:
            reason = "neither a bet (contractId) nor a market (outcomeType)"
            reading.leave_out(entry.place, "", reason)
    reading.require_sound(source.name)
    dropped = Counter(bet.dropped for bet in bets.values())
    for reason in filter(dropped.get, _DROPPED):
        reading.leave_out(source.name, count(dropped[reason], "bet"), reason)
    for bet, question, value in _forecasts(bets.values(), markets, reading):
        cells = {"question_id": question["question_id"], "forecaster": bet.user, "made_at": bet.at}
        reading.forecast(bet.place, {**cells, **value})
    forecast = {one["question_id"] for one in reading.forecasts}
    for market in markets.values():
        if isinstance(market, LeftOut):
            reading.left_out.append(market)
            continue
        for question in market.questions:
            if question["question_id"] in forecast:
                reading.question(question["place"], question)
            else:
                reason = "no bet of the account counts"
                reading.leave_out(question["place"], question["title"], reason)
    accounts = {one["forecaster"] for one in reading.forecasts} - {""}
    _add_notes(reading, accounts)
    mine = accounts.pop() if len(accounts) == 1 else ""  # bets without an account are theirs too
    reading.name_forecasters({}, "Manifold", choices.owner, mine=mine)
    return reading.record(implied=True)


def _bet(entry: Entry, *, is_again: bool) -> _Bet:
    reasons = {
        _AGAIN: is_again,
        _REDEMPTION: entry.flag("isRedemption"),
        _ANTE: entry.flag("isAnte"),
        _CANCELLED: entry.flag("isCancelled"),
        # Blank in a bet without a limit.
        _UNFILLED: not entry.flag("isFilled") and entry.fields.get("isFilled") is not None,
    }
    dropped = next((reason for reason, holds in reasons.items() if holds), "")
    if dropped:
        entry = Entry(entry.place, entry.fields)  # its faults refuse nothing
    elif entry.number("createdTime") > _LAST_MS:
        entry.wrong("createdTime", _TIME_RULE)  # it may be in microseconds
    return _Bet(
        entry.place,
        entry.text("userId"),
        entry.text("contractId", required=not dropped),
        entry.text("answerId") or entry.text("outcome"),
        _time(entry, "createdTime", required=not dropped) or _EPOCH,
        entry.number("probAfter", low=0, high=1, required=not dropped),
        dropped,
    )


def _forecasts(
    bets: Iterable[_Bet], markets: Mapping[str, _Market | LeftOut], reading: Reading
) -> list[_Forecast]:
    """Return the forecasts that the bets imply; bets on unknown answers are left out."""
    found: list[_Forecast] = []
    unknown: defaultdict[tuple[str, str], list[_Bet]] = defaultdict(list)
    exclusive: dict[str, tuple[_Market, list[_Bet]]] = {}
    for bet in bets:
        market = markets.get(bet.market)
        if isinstance(market, LeftOut):
            continue
        if market is None or (market.answers and bet.answer not in market.answers):
            unknown[bet.market, bet.answer].append(bet)
        elif market.since:
            exclusive.setdefault(bet.market, (market, []))[1].append(bet)
        elif not bet.dropped:
            at = market.answers.index(bet.answer) if market.answers else 0
            found.append((bet, market.questions[at], {"probability": bet.p}))
    for (market_id, answer), some in unknown.items():
        if (many := sum(not bet.dropped for bet in some)) and market_id:
            what = "a market that no file has"
            if market_id in markets:
                what = f"an answer, {answer!r}, that its market lacks"
            reading.leave_out(some[0].place, market_id, f"{count(many, 'bet')} on {what}")
    return found + [one for both in exclusive.values() for one in _whole_vectors(*both)]


def _whole_vectors(market: _Market, bets: Sequence[_Bet]) -> list[_Forecast]:
    """Return the forecasts that bets on exclusive answers imply: one an account and a time.

    A bet tells one answer's price. The others share the rest in proportion to their last prices,
    which also dropped bets tell: a bet on one answer moves the others, by redemptions at the same
    moment. An answer has no probability before it is added.
    """
    last: dict[tuple[datetime, str], _Forecast] = {}
    prices: dict[int, float] = {}
    for bet in sorted(bets, key=lambda one: (one.at, not one.dropped)):
        if math.isnan(bet.p):
            continue
        answer = market.answers.index(bet.answer)
        prices[answer] = bet.p
        if not bet.dropped:
            there = [at == answer or bet.at >= since for at, since in enumerate(market.since)]
            value = {"probabilities": _vector(answer, bet.p, prices, there)}
            last[bet.at, bet.user] = (bet, market.questions[0], value)
    return list(last.values())


def _vector(
    answer: int, p: float, prices: Mapping[int, float], there: Sequence[bool]
) -> list[float | None]:
    """Return the probabilities of all options; None for one that is not there yet."""
    others = [one for one, is_there in enumerate(there) if is_there and one != answer]
    known = [prices[one] for one in others if one in prices]
    usual = max(0.0, 1 - p - sum(known)) / max(1, len(others) - len(known))
    weights = {one: prices.get(one, usual) for one in others}
    if sum(weights.values()) <= 0:
        weights = dict.fromkeys(others, 1.0)
    total = sum(weights.values())
    shares = {one: (1 - p) * (weight / total) for one, weight in weights.items()}
    shares[answer] = p if others else 1.0
    return [shares.get(one) for one in range(len(there))]


def _add_notes(reading: Reading, accounts: Collection[str]) -> None:
    if len(accounts) > 1:
        reading.note(
            f"The bets are from {len(accounts):,} accounts; each is a forecaster named by its ID "
            "on Manifold."
        )
    reading.note(
        "Each probability is the price that a bet left, which nobody stated as a forecast."
    )
    if any(one["type"] == "multiple_choice" for one in reading.questions):
        reading.note(
            "A bet tells the price of one answer. The others share the rest in proportion to their "
            "last prices in the files."
        )
    endless = sum(one["scheduled_close_time"] == LAST_TIME for one in reading.questions)
    no_close = "{n} question{s} {has} no close on Manifold; here it is the end of the year 9999."
    reading.note(counted(endless, no_close))


def _market(entry: Entry) -> _Market | LeftOut:
    """Return the market, or why it is left out. Faults are noted in the entry's problems."""
    kind = entry.text("outcomeType").upper()
    title = entry.text("question", required=True, most=limits.NAME_BYTES)
    if kind not in _KINDS:
        reason = _REFUSED.get(kind, f"a market of an unknown kind, {kind}")
        return LeftOut(entry.place, title, reason)
    cells = _cells(entry, title)
    if cells["scheduled_close_time"] <= cells["open_time"]:
        return LeftOut(entry.place, title, "it closed at the moment it was made")
    opened = cells["open_time"]
    if kind == "BINARY":
        is_resolved = entry.flag("isResolved")
        return _Market([cells | _binary_resolution(entry, opened) if is_resolved else cells])
    answers = _ordered(entry.entries("answers"), kind)
    if not answers:
        reason = "the file has no answers for it; export the market by itself (/v0/market/ID)"
        return LeftOut(entry.place, title, reason)
    ids = [answer.name("id", required=True) for answer in answers]
    if len(set(ids)) < len(ids):
        entry.wrong("answers", "answers with different ids")
    sums = "shouldAnswersSumToOne"
    if sums in entry and not entry.flag(sums):
        return _Market([_of_answer(cells, entry, one) for one in answers], ids)
    options = _options(answers)
    if len(options) < 2:
        return LeftOut(entry.place, title, "a choice with a single answer")
    choice = {"type": "multiple_choice", "options": options, "ordered": kind in _BUCKETS}
    outcome = _choice_resolution(entry, ids, options, answers, opened)
    since = [_time(answer, "createdTime") or _EPOCH for answer in answers]
    return _Market([cells | choice | outcome], ids, since)


def _cells(entry: Entry, title: str) -> dict[str, Any]:
    """Return the cells that every kind of market has, and its place."""
    opened = _time(entry, "createdTime", required=True) or _EPOCH
    closes, resolved = (_time(entry, name) for name in ("closeTime", "resolutionTime"))
    # One that was closed early, by hand, can have any time; and one without a time never closes.
    if closes is None or closes <= opened:
        closes = resolved if closes is not None and resolved is not None else LAST_TIME
    return {
        "place": entry.place,
        "url": entry.address("url"),
        "question_id": f"manifold-{entry.name('id', required=True)}",
        "title": title,
        "type": "binary",
        "open_time": opened,
        "scheduled_close_time": closes,
        "actual_close_time": resolved if resolved and opened < resolved < closes else None,
        "tags": entry.values("groupSlugs", str)[: limits.ENTRIES] or None,
        "resolution_criteria": _description(entry),
    }


def _of_answer(cells: Mapping[str, Any], market: Entry, answer: Entry) -> dict[str, Any]:
    """Return the question whether one of several answers is right."""
    closes = cells["scheduled_close_time"]
    opened = max(cells["open_time"], _time(answer, "createdTime") or _EPOCH)
    if opened >= closes:
        opened = cells["open_time"]
    resolved = _time(answer, "resolutionTime")
    is_early = resolved is not None and opened < resolved < closes
    source: Entry | None = None
    if "resolution" in answer:
        source = answer
    elif market.text("resolution") == "CANCEL":
        source = market
    elif market.flag("isResolved"):
        source = _weighed(market, answer)
    return {
        **cells,
        "place": answer.place,
        "question_id": f"{cells['question_id']}-{answer.name('id')}",
        "title": f"{cells['title']} ({answer.text('text', required=True)})",
        "family": cells["question_id"],
        "open_time": opened,
        "actual_close_time": resolved if is_early else cells["actual_close_time"],
        **(_binary_resolution(source, opened) if source else {}),
    }


def _weighed(market: Entry, answer: Entry) -> Entry:
    """Return the answer with its resolution as the market has it, by weights of 0 to 100."""
    share = market.entry("resolutions").number(answer.name("id"), low=0, high=100)
    fields = {
        "resolution": "MKT",
        "resolutionProbability": 0.0 if math.isnan(share) else share / 100,
        "resolutionTime": market.fields.get("resolutionTime"),
    }
    return Entry(market.place, fields, market.problems)


def _binary_resolution(entry: Entry, opened: datetime) -> dict[str, Any]:
    """Return the cells of an outcome: yes, no, a share of yes (MKT) or annulled (CANCEL)."""
    known = {"YES": "yes", "NO": "no", "CANCEL": "annulled"}
    outcome = entry.text("resolution").upper()
    if outcome == "MKT":
        known[outcome] = repr(entry.number("resolutionProbability", low=0, high=1, required=True))
    elif outcome not in known:
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
        answers, key=lambda one: (one.flag("isOther"), _time(one, "createdTime") or _EPOCH)
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


def _time(entry: Entry, name: str, *, required: bool = False) -> datetime | None:
    """Return a time in milliseconds since 1970; one after the calendar's end is its end."""
    ms = entry.number(name, required=required)
    if math.isnan(ms):
        return None
    if ms < _FIRST_MS:
        entry.wrong(name, _TIME_RULE)
        return None
    return min(_EPOCH + timedelta(milliseconds=min(ms, _LAST_MS)), LAST_TIME)


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
