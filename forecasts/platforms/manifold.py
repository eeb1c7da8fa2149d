"""Manifold's API: bets and markets as JSON, in any number of files.

A bet is not a stated probability. The probability after an account's bet, ``probAfter``, is the
price that it left, so the record is marked as implied. A market's own ``probability`` is the
present price, and is never read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from forecasts.common import limits
from forecasts.common.errors import Problem
from forecasts.platforms.entries import (
    LAST_TIME,
    Entry,
    columns_of,
    json_files,
    require_sound,
    starts_with,
)
from forecasts.platforms.json_records import records
from forecasts.platforms.manifold_bets import DROPPED, KEPT, Bets, whole_vectors
from forecasts.platforms.manifold_markets import FIELDS, Asked, Market, read_market
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

_LISTS = ("bets", "markets", "contracts")
_MOST_MARKETS = 250_000


def recognises(source: Source) -> bool:
    """Return whether a file begins with a bet or a market."""
    kinds = ("contractId", "probAfter"), ("outcomeType", "isResolved"), ("outcomeType", "mechanism")
    return starts_with(source, *kinds)


def read(source: Source, choices: Choices) -> PlatformRecord:
    """Return the markets that bets were made on, and the probabilities that the bets imply."""
    problems: list[Problem] = []
    left_out: list[LeftOut] = []
    bets, entries = Bets(problems), {}
    for name in json_files(source):
        bets.begin(name)
        for number, fields in records(source, name, _LISTS, most_bytes=limits.FILE_BYTES):
            if "contractId" in fields and "outcomeType" not in fields:
                bets.add(number, fields)
                continue
            few = {field: fields[field] for field in FIELDS if field in fields}
            entry = Entry(f"{name}, record {number:,}", few, problems)
            if "outcomeType" in fields:
                entries[entry.name("id", required=True)] = entry  # the last one is the newest
                if len(entries) > _MOST_MARKETS:
                    most = f"{_MOST_MARKETS:,}"
                    raise limits.too_much(name, "more markets", most, "Give those with bets.")
            else:
                reason = "neither a bet (contractId) nor a market (outcomeType)"
                left_out.append(LeftOut(entry.place, "", reason))
    frame = bets.frame()
    markets = {id_: read_market(entry) for id_, entry in entries.items()}
    require_sound(source, problems)
    left_out += [market for market in markets.values() if isinstance(market, LeftOut)]
    made, asked = _forecasts(frame, bets, markets, left_out)
    frame = frame.iloc[made["row"]]
    answered, which = np.unique(made["question"], return_inverse=True)
    kept = [asked[one] for one in answered.tolist()]
    left_out += [
        LeftOut(asked[one].place, str(asked[one].cells["title"]), "no bet of the account counts")
        for one in sorted(set(range(len(asked))) - set(answered.tolist()))
    ]

    def place(table: str, row: int) -> str:
        if table == "questions":
            return str(kept[row].place)
        return bets.place(*(int(frame[name].iloc[row]) for name in ("file", "number")))

    ids = [str(question.cells["question_id"]) for question in kept]
    who, notes = _forecasters(frame["userId"], choices)
    is_binary = made["probabilities"].isna().to_numpy()
    forecasts = {
        "question_id": _named(which, ids),
        "forecaster": who,
        "made_at": pd.to_datetime(frame["ms"].to_numpy(), unit="ms", utc=True),
        "probability": np.where(is_binary, frame["p"].to_numpy(), np.nan),
        "probabilities": made["probabilities"].to_numpy(),
    }
    origins = {
        "question_id": ids,
        "platform_id": [question.platform_id for question in kept],
        "url": [question.url for question in kept],
    }
    return PlatformRecord(
        "manifold",
        frames_of(columns_of([one.cells for one in kept]), forecasts, place=place),
        frame_of(ORIGIN_COLUMNS, origins),
        frame_of(PRINTED_COLUMNS, {}),
        implied=True,
        left_out=[*_dropped(source, bets), *left_out],
        notes=[*notes, *_notes(kept)],
    )


def _forecasts(
    frame: pd.DataFrame,
    bets: Bets,
    markets: Mapping[str, Market | LeftOut],
    left_out: list[LeftOut],
) -> tuple[pd.DataFrame, list[Asked]]:
    """Return the bets that are forecasts, and all questions.

    Each has the bet's ``row`` in ``frame``, its ``question``'s place among the questions and, on
    exclusive answers, ``probabilities``.
    """
    contracts, answers, outcomes = (
        frame[name].cat for name in ("contractId", "answerId", "outcome")
    )
    known = [markets.get(id_) for id_ in contracts.categories]
    # Old bets name the answer as the outcome.
    names = [*answers.categories, *outcomes.categories, ""]
    answer = np.where(answers.codes >= 0, answers.codes, len(answers.categories) + outcomes.codes)
    answer[(answers.codes < 0) & (outcomes.codes < 0)] = len(names) - 1
    pairs, which = np.unique(
        contracts.codes.to_numpy(dtype=np.int64) * len(names) + answer, return_inverse=True
    )
    is_kept = frame["dropped"].to_numpy() == KEPT
    counts = np.bincount(which, weights=is_kept, minlength=len(pairs)).astype(int)
    first = dict(zip(pairs.tolist(), np.unique(which, return_index=True)[1].tolist(), strict=True))
    asked: list[Asked] = []
    begins = {}
    for id_, market in markets.items():
        if isinstance(market, Market):
            begins[id_] = len(asked)
            asked += market.questions
    question, option = np.full(len(pairs), -1), np.full(len(pairs), -1)
    for place, pair in enumerate(pairs.tolist()):
        code, name = pair // len(names), names[pair % len(names)]
        of = known[code] if code >= 0 else None
        if isinstance(of, Market):
            start = begins[contracts.categories[code]]
            at = of.answers.index(name) if name in of.answers else -1
            if at >= 0 or not of.answers:
                question[place] = start if of.exclusive or at < 0 else start + at
                option[place] = at if of.exclusive else -1
                continue
        if counts[place] and code >= 0 and not isinstance(of, LeftOut):
            lack = f"an answer, {name!r}, that its market lacks"
            what = "a market that no file has" if of is None else lack
            where = bets.place(*(int(frame[n].iloc[first[pair]]) for n in ("file", "number")))
            reason = f"{_bets(counts[place])} on {what}"
            left_out.append(LeftOut(where, str(contracts.categories[code]), reason))
    made = pd.DataFrame({"row": np.arange(len(frame)), "question": question[which]})
    is_part = (option >= 0)[which]
    single = made[is_kept & ~is_part & (made["question"] >= 0)].assign(probabilities=None)
    if not is_part.any():
        return single, asked
    some = frame.loc[is_part, ["userId", "ms", "p", "dropped"]].assign(
        question=made.loc[is_part, "question"].to_numpy(), answer=option[which][is_part]
    )
    since = {
        begins[id_]: market.since
        for id_, market in markets.items()
        if isinstance(market, Market) and market.exclusive
    }
    whole = whole_vectors(some, since)
    whole["row"] = np.flatnonzero(is_part)[whole["row"]]
    whole["question"] = made["question"].to_numpy()[whole["row"]]
    return pd.concat([single, whole], ignore_index=True).sort_values("row"), asked


def _named(codes: Any, names: Sequence[str]) -> pd.Series[Any]:
    """Return the names at these places, each kept once until it is written out."""
    texts = pa.DictionaryArray.from_arrays(
        pa.array(codes, pa.int32()), pa.array(names, pa.string())
    )
    return pd.Series(texts.cast(pa.string()).to_pandas())


def _forecasters(users: pd.Series[Any], choices: Choices) -> tuple[pd.Series[Any], list[str]]:
    """Return the handle of each bet's account, and sentences if there are several."""
    accounts = users.cat.remove_unused_categories().cat
    many = len(accounts.categories)
    if many < 2:
        return _named(np.zeros(len(users)), [choices.owner]), []
    codes = np.where(accounts.codes < 0, many, accounts.codes)
    notes = [f"The bets are of {many:,} accounts; each is a forecaster with its id on Manifold."]
    if unnamed := int((accounts.codes < 0).sum()):
        names = "names" if unnamed == 1 else "name"
        notes.append(f"{_bets(unnamed)} {names} no account; imported as {choices.owner}'s.")
    return _named(codes, [*accounts.categories, choices.owner]), notes


def _dropped(source: Source, bets: Bets) -> list[LeftOut]:
    return [
        LeftOut(source.name, _bets(count), DROPPED[code])
        for code, count in sorted(bets.dropped.items())
    ]


def _bets(count: int) -> str:
    return "1 bet" if count == 1 else f"{count:,} bets"


def _notes(kept: Sequence[Asked]) -> list[str]:
    notes = ["Each probability is the price that a bet left, which nobody stated as a forecast."]
    if any(one.cells["type"] == "multiple_choice" for one in kept):
        notes.append(
            "A bet tells the price of one answer. The others share the rest in proportion to their "
            "last prices in the files."
        )
    if endless := sum(one.cells["scheduled_close_time"] == LAST_TIME for one in kept):
        what = "1 question has" if endless == 1 else f"{endless:,} questions have"
        notes.append(f"{what} no close on Manifold; here that is the end of the year 9999.")
    return notes
