"""Manifold's API: bets and markets as JSON, in any number of files.

A bet is not a stated probability. The probability after an account's bet, ``probAfter``, is the
price that it left, so the record is marked as implied. A market's own ``probability`` is the
present price, and is never read.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from forecasts.common import limits
from forecasts.common.text import count, counted
from forecasts.platforms.entries import LAST_TIME, Entry
from forecasts.platforms.json_records import records
from forecasts.platforms.manifold_markets import (
    EPOCH,
    FIELDS,
    FIRST_MS,
    LAST_MS,
    TIME_RULE,
    Asked,
    Market,
    read_market,
)
from forecasts.platforms.reading import Reading
from forecasts.platforms.record import Choices, LeftOut, PlatformRecord
from forecasts.platforms.source import Source

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


class _Bet(NamedTuple):
    """A bet. ``answer``: the one it is on, which old bets name as the outcome.

    ``dropped``: why it is not a forecast; '' if it is one.
    """

    place: str
    user: str
    market: str
    answer: str
    ms: float
    p: float
    dropped: str


class _Forecast(NamedTuple):
    """The forecast that a bet implies on a question."""

    bet: _Bet
    asked: Asked
    value: Mapping[str, Any]


def recognises(source: Source) -> bool:
    """Return whether a file begins with a bet or a market."""
    kinds = ("contractId", "probAfter"), ("outcomeType", "isResolved"), ("outcomeType", "mechanism")
    return source.starts_with(*kinds)


def read(source: Source, choices: Choices) -> PlatformRecord:
    """Return the markets that bets were made on, and the probabilities that the bets imply."""
    reading = Reading("manifold")
    bets, entries = _entries(source, reading)
    markets = {id_: read_market(entry) for id_, entry in entries.items()}
    reading.require_sound(source.name)
    dropped = Counter(bet.dropped for bet in bets)
    for reason in _DROPPED:
        if dropped[reason]:
            reading.leave_out(source.name, count(dropped[reason], "bet"), reason)
    reading.left_out += [market for market in markets.values() if isinstance(market, LeftOut)]
    found = _forecasts(bets, markets, reading)
    who = _forecasters([one.bet.user for one in found], choices, reading)
    for bet, asked, value in found:
        cells = {
            "question_id": asked.cells["question_id"],
            "forecaster": who[bet.user],
            "made_at": EPOCH + timedelta(milliseconds=bet.ms),
        }
        reading.forecast(bet.place, {**cells, **value})
    forecast = {one.asked.platform_id for one in found}
    for market in markets.values():
        for asked in () if isinstance(market, LeftOut) else market.questions:
            if asked.platform_id in forecast:
                own = {"platform_id": asked.platform_id, "url": asked.url}
                reading.question(asked.place, asked.cells, **own)
            else:
                reason = "no bet of the account counts"
                reading.leave_out(asked.place, str(asked.cells["title"]), reason)
    _add_notes(reading)
    return reading.record(implied=True)


def _entries(source: Source, reading: Reading) -> tuple[list[_Bet], dict[str, Entry]]:
    """Return the bets, and the markets by id."""
    bets, entries = [], {}
    seen: set[str] = set()
    for name in source.json_files:
        for number, fields in records(source, name, _LISTS, most_bytes=limits.FILE_BYTES):
            entry = Entry(f"{name}, record {number:,}", fields, reading.problems)
            if "contractId" in fields and "outcomeType" not in fields:
                bets.append(_bet(entry, seen))
                continue
            if "outcomeType" not in fields:
                reason = "neither a bet (contractId) nor a market (outcomeType)"
                reading.leave_out(entry.place, "", reason)
                continue
            few = {field: fields[field] for field in FIELDS if field in fields}
            # The last one is the newest.
            entries[entry.name("id", required=True)] = Entry(entry.place, few, reading.problems)
            if len(entries) > _MOST_MARKETS:
                most = f"{_MOST_MARKETS:,}"
                raise limits.too_much(name, "more markets", most, "Give those with bets.")
    return bets, entries


def _bet(entry: Entry, seen: set[str]) -> _Bet:
    """Return a bet; ``seen`` has the ids so far."""
    id_ = entry.text("id")
    is_again = id_ in seen
    if id_:
        seen.add(id_)
    is_unfilled = not entry.flag("isFilled") and entry.fields.get("isFilled") is not None
    reasons = {
        _AGAIN: is_again,
        _REDEMPTION: entry.flag("isRedemption"),
        _ANTE: entry.flag("isAnte"),
        _CANCELLED: entry.flag("isCancelled"),
        _UNFILLED: is_unfilled,  # blank in a bet without a limit
    }
    dropped = next((reason for reason, holds in reasons.items() if holds), "")
    is_kept = not dropped
    ms = entry.number("createdTime")
    if is_kept and not FIRST_MS <= ms <= LAST_MS:
        entry.wrong("createdTime", TIME_RULE)
    p = entry.number("probAfter")
    if is_kept and not 0 <= p <= 1:
        entry.wrong("probAfter", "a probability from 0 to 1")
    answer = entry.text("answerId") or entry.text("outcome")
    market = entry.text("contractId", required=is_kept)
    return _Bet(entry.place, entry.text("userId"), market, answer, ms, p, dropped)


def _forecasts(
    bets: Sequence[_Bet], markets: Mapping[str, Market | LeftOut], reading: Reading
) -> list[_Forecast]:
    """Return the forecasts that the bets imply, in the order of the bets."""
    found: dict[int, _Forecast] = {}
    unknown: defaultdict[tuple[str, str], list[_Bet]] = defaultdict(list)
    exclusive: defaultdict[str, list[tuple[int, int, _Bet]]] = defaultdict(list)
    for row, bet in enumerate(bets):
        market = markets.get(bet.market)
        if isinstance(market, LeftOut):
            continue
        at = -1
        if market is not None and bet.answer in market.answers:
            at = market.answers.index(bet.answer)
        if market is None or (at < 0 and market.answers):
            unknown[bet.market, bet.answer].append(bet)
        elif market.exclusive:
            exclusive[bet.market].append((row, at, bet))
        elif not bet.dropped:
            found[row] = _Forecast(bet, market.questions[max(at, 0)], {"probability": bet.p})
    for (market_id, answer), some in unknown.items():
        if (many := sum(not bet.dropped for bet in some)) and market_id:
            what = "a market that no file has"
            if market_id in markets:
                what = f"an answer, {answer!r}, that its market lacks"
            reading.leave_out(some[0].place, market_id, f"{count(many, 'bet')} on {what}")
    for market_id, several in exclusive.items():
        market = markets[market_id]
        assert isinstance(market, Market)
        found |= _whole_vectors(market, several)
    return [found[row] for row in sorted(found)]


def _whole_vectors(market: Market, bets: Sequence[tuple[int, int, _Bet]]) -> dict[int, _Forecast]:
    """Return the forecasts that bets on exclusive answers imply: one an account and a time.

    ``bets``: each with its row and the place of its answer, dropped ones too. A bet tells one
    answer's price. The others share the rest in proportion to their last prices, which also dropped
    bets tell: a bet on one answer moves the others, by redemptions at the same moment. An answer
    has no probability before it is added.
    """
    last: dict[tuple[float, str], tuple[int, _Forecast]] = {}
    prices: dict[int, float] = {}
    for row, answer, bet in sorted(bets, key=lambda one: (one[2].ms, not one[2].dropped)):
        if bet.p != bet.p:
            continue
        prices[answer] = bet.p
        if not bet.dropped:
            there = [at == answer or bet.ms >= added for at, added in enumerate(market.since)]
            value = {"probabilities": _vector(answer, bet.p, prices, there)}
            last[bet.ms, bet.user] = (row, _Forecast(bet, market.questions[0], value))
    return dict(last.values())


def _vector(
    answer: int, p: float, prices: Mapping[int, float], there: Sequence[bool]
) -> list[float | None]:
    """Return the probabilities of all options; None for one that is not there yet."""
    others = [one for one, is_there in enumerate(there) if is_there and one != answer]
    if not others:
        return [1.0 if one == answer else None for one in range(len(there))]
    known = [prices[one] for one in others if one in prices]
    usual = max(0.0, 1 - p - sum(known)) / max(1, len(others) - len(known))
    weights = [prices.get(one, usual) for one in others]
    total = sum(weights)
    if total <= 0:
        weights, total = [1.0] * len(others), float(len(others))
    vector: list[float | None] = [None] * len(there)
    vector[answer] = p
    for one, weight in zip(others, weights, strict=True):
        vector[one] = (1 - p) * (weight / total)
    return vector


def _forecasters(users: Sequence[str], choices: Choices, reading: Reading) -> dict[str, str]:
    """Return the handle of each bet's account: the owner's, unless there are several."""
    accounts = dict.fromkeys(filter(None, users))
    if len(accounts) < 2:
        return dict.fromkeys(users, choices.owner)
    reading.note(
        f"The bets are of {len(accounts):,} accounts; each is a forecaster with its id on Manifold."
    )
    if unnamed := counted(users.count(""), "{n} bet{s} {names} no account"):
        reading.note(f"{unnamed}; imported as {choices.owner}'s.")
    return {user: user for user in accounts} | {"": choices.owner}


def _add_notes(reading: Reading) -> None:
    reading.note(
        "Each probability is the price that a bet left, which nobody stated as a forecast."
    )
    if any(one["type"] == "multiple_choice" for one in reading.questions):
        reading.note(
            "A bet tells the price of one answer. The others share the rest in proportion to their "
            "last prices in the files."
        )
    endless = sum(one["scheduled_close_time"] == LAST_TIME for one in reading.questions)
    no_close = "{n} question{s} {has} no close on Manifold; here that is the end of the year 9999."
    reading.note(counted(endless, no_close))
