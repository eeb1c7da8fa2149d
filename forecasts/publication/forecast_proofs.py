"""Receipts compared without the ledger: with a folder's proofs, a published record, or digests.

A ledger folder has no chain of hashes, but a receipt has the hash of its forecast. So the JSON that
this hash is of proves that a forecast in the folder is the one that was recorded. The time of the
recording is proved by the ledger, a published record, whose chain has the receipt's entry, or the
digest of that entry.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
from sqlmodel import Session, SQLModel, col, select

from forecasts.access.visibility import forecast_visible
from forecasts.common.errors import BadInput, Remedy
from forecasts.common.private_files import create_private
from forecasts.common.times import iso, read_time, to_minute
from forecasts.exporting.export import reading
from forecasts.folder.folder import read_folder
from forecasts.folder.frames import Frames, rows
from forecasts.ledger.chain import contents, read_digest, sha256
from forecasts.ledger.models import Entry, Forecast, Member, Question
from forecasts.ledger.receipts import Receipt, ledger_id
from forecasts.publication.verify import FILE as RECORD
from forecasts.publication.verify import Check, content, strict
from forecasts.values.value import format_value

FILE = "proofs.jsonl"
_BATCH = 10_000  # forecasts
_VALUES = ("probability", "probabilities", "quantiles")


def write_proofs(session: Session, folder: Path, *, member: Member | None, now: datetime) -> Path:
    """Return the file of proofs in a ledger folder, which is written.

    It has the forecasts that ``export.exported`` has.
    """
    create_private(folder / FILE)
    with reading(session, member, now), (folder / FILE).open("w", encoding="utf-8") as file:
        file.write(f'{{"ledger": "{ledger_id(session)}"}}\n')
        file.writelines(_lines(session))
    return folder / FILE


def _lines(session: Session) -> Iterator[str]:
    """Yield a line for each forecast that the session's reader may see, in the order recorded."""
    table = SQLModel.metadata.tables["forecast"]
    words = dict(
        session.exec(select(Entry.row_id, Entry.words_hash).where(Entry.kind == "forecast")).all()
    )
    found = session.execute(
        select(table, Question.slug, Member.handle)  # type: ignore[call-overload]
        .join(Question, col(Question.id) == table.c.question_id)
        .join(Member, col(Member.id) == table.c.member_id)
        .where(forecast_visible(session))
        .order_by(table.c.id)
    )
    for some in found.partitions(_BATCH):
        *columns, slugs, handles = zip(*some, strict=True)
        named = dict(zip(table.c.keys(), columns, strict=True))
        for id_, slug, handle, (rest, _) in zip(
            named["id"], slugs, handles, contents("forecast", named), strict=True
        ):
            known = words.get(id_)
            row = f"{rest[:-1]}}}" if known is None else f'{rest}"words":"{known}"}}'
            names = json.dumps({"question_id": slug, "forecaster": handle}, ensure_ascii=False)
            yield f'{names[:-1]}, "row": {row}}}\n'


@dataclass(frozen=True)
class Compared:
    """A receipt, its ``finding`` in a word, and what was ``said`` of it in a sentence."""

    receipt: Receipt
    finding: str
    said: str


def compare(proofs: Path | Sequence[str], given: Sequence[Receipt]) -> list[Compared]:
    """Return each receipt with its finding.

    ``proofs``: a folder that was exported with proofs, or a published record; or digests.
    """
    if not isinstance(proofs, Path):
        digests = dict(map(read_digest, proofs))
        return [_at_digest(one, digests) for one in given]
    if (record := proofs / RECORD).is_file():
        try:
            check = Check(strict(content(record).decode()))
        except (OSError, ValueError, RecursionError) as error:
            raise BadInput(f"{str(record)!r} cannot be read: {error}.") from None
        if check.faults:
            said = f"{RECORD} does not pass its check: {check.faults[0]}."
            return [Compared(one, "altered_folder", said) for one in given]
        return [Compared(one, *check.receipt(one.model_dump())) for one in given]
    return _with_proofs(proofs, given)


def _at_digest(one: Receipt, digests: Mapping[int, str]) -> Compared:
    if not one.fits:
        return _altered(one)
    if one.place not in digests:
        known = " and ".join(f"{place:,}" for place in sorted(digests)[-3:])
        said = f"The receipt is for entry {one.place:,}; a digest proves only its own: {known}."
        return Compared(one, "missing", said)
    if digests[one.place] != one.hash:
        said = f"The receipt of entry {one.place:,} is not from the ledger of this digest."
        return Compared(one, "other_ledger", said)
    said = f"Proved: forecast {one.row_id} is entry {one.place:,}, whose digest you have."
    return Compared(one, "proved", said)


def _with_proofs(folder: Path, given: Sequence[Receipt]) -> list[Compared]:
    file = folder / FILE
    if not file.is_file():
        raise BadInput(
            f"The folder {str(folder)!r} has no proofs.",
            remedy=(
                Remedy("Export it with its proofs: {}.", "export", "FOLDER", proofs=True),
                "Or name a published record, the ledger, or a backup.",
            ),
        )
    wanted, proved, ids, ledger = {one.row for one in given}, {}, set(), ""
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                proof = json.loads(line)
                if "ledger" in proof:
                    ledger = proof["ledger"]
                    continue
                row = json.dumps(
                    proof["row"], sort_keys=True, separators=(",", ":"), ensure_ascii=False
                )
                hash_ = sha256(row.encode("utf-8", "surrogatepass"))
            except (ValueError, KeyError, TypeError, RecursionError):
                raise BadInput(f"Line {number} of {str(file)!r} is not a proof.") from None
            if hash_ in wanted:
                proved[hash_] = proof
            elif isinstance(proof["row"], dict):
                ids.add(str(proof["row"].get("id")))
    frames = read_folder(folder)

    def compared(one: Receipt) -> Compared:
        proof, is_other = proved.get(one.row), ledger not in ("", one.ledger)
        number = f"Forecast {one.row_id}"
        if not one.fits or (proof is not None and is_other):  # the id is not in the hash
            return _altered(one)
        if proof is not None:
            return _compared(frames, one, proof)
        if is_other:
            said = f"The receipt of entry {one.place:,} is of another ledger ({one.ledger[:12]}…)."
            return Compared(one, "other_ledger", said)
        if str(one.row_id) in ids:
            return Compared(one, "altered_folder", f"{number}: its proof in {FILE} was altered.")
        said = f"{number}: the folder has no proof of it. It was left out or removed."
        return Compared(one, "missing", said)

    return [compared(one) for one in given]


def _altered(one: Receipt) -> Compared:
    said = f"The receipt of entry {one.place:,} was altered: its contents do not fit its hash."
    return Compared(one, "altered_receipt", said)


def _compared(frames: Frames, one: Receipt, proof: Any) -> Compared:
    row, slug, handle = proof["row"], proof["question_id"], proof["forecaster"]
    made_at = read_time(row["made_at"])
    of = frames.forecasts
    there = of[
        (of["question_id"] == slug)
        & (of["forecaster"] == handle)
        & (of["made_at"] == pd.Timestamp(made_at))
    ]
    recorded = {name: row.get(name) for name in _VALUES}
    if not any(_values(found) == recorded for found in rows(there)):
        at = iso(made_at)
        said = f"Forecast {one.row_id}: forecasts.csv differs from the forecast recorded at {at}."
        return Compared(one, "altered_folder", said)
    options = next(rows(frames.questions[frames.questions["question_id"] == slug])).options
    value = format_value(Forecast(**recorded), options)
    said = (
        f"Proved: {handle}, {value} on {slug}, {to_minute(made_at)}: the folder has this forecast "
        "as it was recorded."
    )
    return Compared(one, "proved", said)


def _values(found: Any) -> dict[str, Any]:
    """Return the value of a row of forecasts.csv, None where it is blank."""
    return {
        name: None if isinstance(value := getattr(found, name), float) and value != value else value
        for name in _VALUES
    }
