"""The bets of a Manifold account, from its API.

Facts relied on (docs/docs/api.md of the platform's source, and the code behind it):

- ``Authorization: Key …``; ``/v0/me`` names the account. 500 requests a minute (429 above).
- ``/v0/bets?userId=…&order=asc&afterTime=…`` lists at most 1,000 bets later than a time in epoch
  milliseconds. ``after`` an id would skip bets of that bet's moment, so a page begins a millisecond
  before the last one's end.
- ``/v0/market/ID`` has a market with its answers, which lists of markets lack; 404 once removed.
- The JSON is that of the files that ``platforms.manifold`` reads.
- Nobody can bet on a resolved market. So a pull does not fetch a market again that the ledger has
  with its outcome and the member's forecasts, except with ``--fresh``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from pydantic import ConfigDict, RootModel

from forecasts.accounts.client import Client, Known, Shape, Site
from forecasts.accounts.kept import Kept, read_rows
from forecasts.accounts.paging import Items, account, by_time
from forecasts.common.errors import Advice, Remedy
from forecasts.common.text import count
from forecasts.platforms import manifold
from forecasts.platforms.record import Choices, LeftOut, PlatformRecord

SITE = Site(
    name="manifold",
    title="Manifold",
    base="https://api.manifold.markets/v0/",
    token_page="https://manifold.markets/profile (Edit, API key)",  # noqa: S106
    signature=lambda token: ({"Authorization": f"Key {token}"}, {}),
)
PAGE = 1_000


class _Account(Shape):
    id: str


class _Bet(Shape):
    """A bet: the fields that page the list, and those that are the reader's to check."""

    model_config = ConfigDict(extra="allow", frozen=True)

    id: str
    contractId: str  # noqa: N815 - the API's name
    createdTime: int  # noqa: N815


class _Market(RootModel[dict[str, Any] | None]):
    """A market; None for one that is gone."""


_BET = (
    *("id", "contractId", "createdTime", "userId", "answerId", "outcome", "probAfter"),
    *("isFilled", "isCancelled", "isRedemption", "isAnte"),
)
_NOT_NEEDED = ("pool", "coverImageUrl", "creatorAvatarUrl")


def fetch(client: Client, kept: Kept, known: Known = tuple) -> None:
    """Fetch the account, its bets, and their markets except the ``known`` ones."""
    me = account(client, kept, "me", _Account)

    def page(after: int) -> Items:
        since = {"afterTime": after} if after >= 0 else {}
        asked = {"userId": me["id"], "order": "asc", "limit": PAGE, **since}
        sent = [one.model_dump() for one in client.get("bets", asked, list[_Bet])]
        return [(one["id"], {name: one.get(name) for name in _BET}) for one in sent]

    by_time(kept, "bets", page, lambda one: int(one["createdTime"]), size=PAGE, title=SITE.title)
    markets = dict.fromkeys(one["contractId"] for one in kept.items("bets").values())
    settled = known()
    wanted = [one for one in markets if one not in settled]
    for market in wanted:
        if market not in kept.items("markets"):
            sent = client.get(f"market/{quote(market, safe='')}", {}, _Market)
            kept.add("markets", {market: _slim(sent.root)}, None, total=len(wanted))


def _slim(market: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return a market without its pictures and pool, and with one of its two descriptions."""
    if market is None:
        return None
    unused = {*_NOT_NEEDED, *(["description"] if "textDescription" in market else [])}
    return {name: value for name, value in market.items() if name not in unused}


def read(kept: Kept, choices: Choices) -> PlatformRecord:
    """Return the fetched record."""
    markets = {id_: one for id_, one in kept.items("markets").items() if one is not None}
    bets = kept.items("bets").values()
    on = Counter(one["contractId"] for one in bets)
    lists = {
        "markets.jsonl": markets.values(),
        "bets.jsonl": [one for one in bets if one["contractId"] in markets],
    }
    record = read_rows(manifold.read, lists, choices)
    removed = [
        LeftOut(f"market {id_}", count(on[id_], "bet"), "Manifold no longer has this market")
        for id_, one in kept.items("markets").items()
        if one is None
    ]
    notes: list[Advice] = list(record.notes)
    if not_fetched := len(on.keys() - kept.items("markets").keys()):
        notes.append(
            (
                f"Resolved markets that are here already were not fetched again: {not_fetched:,}.",
                Remedy("To fetch them too: {}", "", fresh=True),
            )
        )
    return replace(record, left_out=[*record.left_out, *removed], notes=notes)
