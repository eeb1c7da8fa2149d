"""Receipts: the proof of a forecast that its forecaster keeps.

A receipt is the JSON that the forecast's entry in the chain of hashes is the hash of (``chain``),
with that hash, and with the ledger's id: the hash of its first entry. So it needs no signature: a
receipt whose contents were altered does not fit its own hash, and one that fits proves with the
chain that the forecast was in the ledger by then, unchanged since.

It holds no words and no value, but a salted hash of them. Receipts of earlier releases have no salt
without a rationale: the value can be found from such a hash by trying them all.

Rejected: a signed receipt (a key to keep safe, and the one who could rewrite the ledger would
have it).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints, ValidationError
from sqlalchemy import Integer, Select, bindparam, func, select
from sqlmodel import Session, SQLModel

from forecasts.common.errors import BadInput
from forecasts.ledger import facts
from forecasts.ledger.chain import NOTHING, sha256, time_text
from forecasts.ledger.models import Forecast
from forecasts.ledger.verification import Verified

MANY = 15_000  # forecasts, or entries, in a statement
_entry, _forecast = (SQLModel.metadata.tables[name] for name in ("entry", "forecast"))
_before, _previous = _entry.alias("before"), _entry.alias("previous")
_low, _high, _since = (bindparam(name, type_=Integer) for name in ("low", "high", "since"))
_ids = bindparam("ids", type_=Integer, expanding=True)
# Built once, since that takes longer than to run them: the entries of forecasts, each with the
# hashes before it. Those of an act are found by their place, others by their questions.
_ENTRIES = (
    select(
        _entry,
        func.coalesce(_before.c.hash, NOTHING).label("before"),
        _previous.c.hash.label("previous"),
    )
    .outerjoin(_before, _before.c.id == _entry.c.id - 1)
    .outerjoin(
        _previous,
        (_previous.c.question_id == _entry.c.question_id)
        & (_previous.c.number == _entry.c.number - 1),
    )
    .where(_entry.c.kind == "forecast")
)
_OF_ACT = _ENTRIES.where(_entry.c.row_id.between(_low, _high), _entry.c.id > _since)
_OF_QUESTIONS = _ENTRIES.where(
    _entry.c.row_id.in_(_ids),
    _entry.c.question_id.in_(select(_forecast.c.question_id).where(_forecast.c.id.in_(_ids))),
)


_Place = Annotated[int, Field(gt=0, lt=2**63)]
_Hash = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]


class Receipt(BaseModel, frozen=True, strict=True):
    """The entry of one forecast: all that its ``hash`` is of, and the ledger's id.

    ``place``: in the ledger's chain; ``number``: in its question's. ``row``: the hash of the
    forecast. ``before`` and ``previous``: the hashes of the entries before it in the two chains.
    ``at``: the time of the act, as it is hashed; None for entries of an older schema.
    """

    ledger: _Hash
    place: _Place
    kind: Literal["forecast"]
    row_id: _Place
    row: _Hash
    question: _Place
    number: _Place
    before: _Hash
    previous: _Hash
    at: str | None = None
    hash: _Hash

    @property
    def digest(self) -> str:
        """The ledger's digest with this entry as its last."""
        return f"{self.place}-{self.hash}"

    @property
    def fits(self) -> bool:
        """Whether its hash is the hash of its contents."""
        linked = {
            name: value
            for name, value in self.model_dump().items()
            if name not in ("ledger", "hash") and value is not None
        }
        text = json.dumps(linked, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return sha256(text.encode("utf-8", "surrogatepass")) == self.hash


def receipt(session: Session, forecast: Forecast) -> Receipt:
    """Return the receipt of a forecast or a withdrawal."""
    [found] = receipts(session, [forecast.id])
    return found


def receipts(session: Session, ids: Sequence[int]) -> list[Receipt]:
    """Return the receipts of forecasts by their ids, in that order; ``ids`` may be a range.

    Those of an act's own forecasts are one statement.
    """
    found: dict[int, Receipt] = {}
    ledger = ledger_id(session)
    since: facts.Facts | None = session.info.get(facts.FACTS)
    for start in range(0, len(ids), MANY):
        wanted = set(ids[start : start + MANY])
        if since is not None:  # most are of this act
            ends = {"low": min(wanted), "high": max(wanted), "since": since.place}
            found |= _entered(session, ledger, wanted, _OF_ACT, ends)
        if missing := wanted - found.keys():
            found |= _entered(session, ledger, missing, _OF_QUESTIONS, {"ids": list(missing)})
    return [found[id_] for id_ in ids]


def ledger_id(session: Session) -> str:
    """Return the hash of the ledger's first entry; that of nothing in an empty ledger."""
    return facts.first(session)


def _entered(
    session: Session, ledger: str, ids: set[int], statement: Select[Any], values: Mapping[str, Any]
) -> dict[int, Receipt]:
    """Return the receipts of forecasts among the entries of a statement, by their ids."""
    rows = session.connection().execute(statement, values)
    return {
        row.row_id: Receipt.model_construct(  # an altered ledger may have anything in an entry
            ledger=ledger,
            place=row.id,
            kind=row.kind,
            row_id=row.row_id,
            row=row.row_hash,
            question=row.question_id,
            number=row.number,
            before=row.before,
            previous=row.previous,
            at=time_text(row.at),
            hash=row.hash,
        )
        for row in rows
        if row.row_id in ids
    }


class Finding(StrEnum):
    """The result of comparing a receipt with a ledger."""

    proved = "proved"
    altered_receipt = "altered receipt"
    other_ledger = "other ledger"
    later = "later"
    altered_ledger = "altered ledger"


@dataclass(frozen=True)
class Checked:
    """A receipt, and the finding in a ledger that was just verified."""

    receipt: Receipt
    finding: Finding

    @property
    def said(self) -> str:
        """The finding in a sentence."""
        one = self.receipt
        return {
            Finding.proved: f"Forecast {one.row_id} is entry {one.place:,} of this ledger, and has "
            "not changed since.",
            Finding.altered_receipt: f"The receipt of entry {one.place:,} was altered: its "
            "contents do not fit its hash.",
            Finding.other_ledger: f"The receipt of entry {one.place:,} is of another ledger "
            f"({one.ledger[:12]}…), or this one was rewritten from its first entry on.",
            Finding.later: f"The receipt is of entry {one.place:,}, and the ledger ends before it: "
            "it is a copy from before the receipt, or its newest entries were removed.",
            Finding.altered_ledger: f"The ledger was altered: entry {one.place:,} is not the one "
            "of the receipt, or does not follow from intact entries.",
        }[self.finding]


def check(session: Session, found: Verified, given: Sequence[Receipt]) -> list[Checked]:
    """Return each receipt with its finding in the ledger, which was just verified (``found``)."""
    ledger = ledger_id(session)
    last = session.scalar(select(func.max(_entry.c.id))) or 0
    hashes: dict[int, str] = {}
    for start in range(0, len(given), MANY):
        places = {one.place for one in given[start : start + MANY]}
        there = select(_entry.c.id, _entry.c.hash).where(_entry.c.id.in_(places))
        hashes.update((place, hash_) for place, hash_ in session.execute(there))

    def finding(one: Receipt) -> Finding:
        is_entry = hashes.get(one.place) == one.hash
        if not one.fits or (is_entry and one.ledger != ledger):  # the id is not in the hash
            return Finding.altered_receipt
        if not is_entry and one.ledger != ledger:
            return Finding.other_ledger
        if one.place > last:
            return Finding.later
        is_intact = one.place <= found.entries
        return Finding.proved if is_entry and is_intact else Finding.altered_ledger

    return [Checked(one, finding(one)) for one in given]


def read_receipts(file: Path) -> list[Receipt]:
    """Return the receipts of a file: JSON (one, a list, or an answer with some) or JSON Lines.

    BadInput for a file without a receipt, and for a receipt with a missing or wrong field.
    """
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise BadInput(f"{str(file)!r} cannot be read: {said}.") from None
    found = [_receipt(one) for document in _documents(file, text) for one in _objects(document)]
    if not found:
        raise BadInput(f"{str(file)!r} has no receipt.", remedy=_REMEDY)
    return found


_HOLDERS = ("receipts", "receipt", "results", "forecasts")  # fields of answers
_REMEDY = "Give the file as you saved it: a receipt, a list of them, or one a line."


def _documents(file: Path, text: str) -> list[Any]:
    with suppress(ValueError, RecursionError):
        return [json.loads(text)]
    try:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError):
        raise BadInput(f"{str(file)!r} is not JSON.", remedy=_REMEDY) from None


def _objects(document: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the receipts in a JSON document: itself, a list's, or those of an answer."""
    if isinstance(document, list):
        for one in document:
            yield from _objects(one)
    elif isinstance(document, dict):
        inner = next((document[name] for name in _HOLDERS if name in document), None)
        if inner is None and "hash" in document:
            yield document
        elif inner is not None:
            yield from _objects(inner)


def _receipt(given: Mapping[str, Any]) -> Receipt:
    try:
        return Receipt.model_validate(given)
    except ValidationError as error:
        field = error.errors()[0]["loc"][0]
        raise BadInput(
            f"A receipt has no valid {field!r}: {given.get(str(field))!r}.", remedy=_REMEDY
        ) from None
