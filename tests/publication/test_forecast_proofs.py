"""A ledger folder exported with proofs proves receipts, and shows a forecast that was altered."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from sqlmodel import Session

from forecasts.access.members import member_or_new
from forecasts.access.roles import ensure_admin
from forecasts.access.visibility import read_as
from forecasts.common.errors import BadInput
from forecasts.common.settings import sqlite_url
from forecasts.exporting.export import exported
from forecasts.folder.folder import read_folder, write_folder
from forecasts.ledger import database
from forecasts.ledger.models import Member
from forecasts.ledger.receipts import Receipt, receipt
from forecasts.ledger.receipts import receipts as receipts_of
from forecasts.publication import verify
from forecasts.publication.forecast_proofs import FILE, compare, write_proofs
from forecasts.updates import updates
from forecasts.values.value import Value
from tests.conftest import ask, day, say
from tests.publication.conftest import Filled

pytestmark = pytest.mark.slow

VALUES = {
    "binary": (Value(probability=0.1 + 0.2), "30%"),
    "multiple_choice": (Value(probabilities=(0.6, 0.4)), "A 60%, B 40%"),
    "numeric": (Value(quantiles={"0.1": 20.5, "0.5": 40.0, "0.9": 70.0}), "50th: 40"),
    "date": (
        Value(quantiles={"0.1": "2026-01-10", "0.5": "2026-01-20", "0.9": "2026-02-01"}),
        "50th: 2026-01-20",
    ),
}
FIELDS = {
    "binary": {},
    "multiple_choice": {"options": ["A", "B"]},
    "numeric": {"lower_bound": "0", "upper_bound": "300"},
    "date": {"lower_bound": "2026-01-01", "upper_bound": "2026-02-20"},
}


@pytest.fixture
def receipts(session: Session, alice: Member) -> list[Receipt]:
    """The receipts of a forecast of each type, and of a withdrawal; one forecast has a reason."""
    found = []
    for kind, (value, _) in VALUES.items():
        question = ask(session, alice, slug=kind, type=kind, **FIELDS[kind])
        row = updates.update(
            session, question, value, member=alice, now=day(1), rationale="ä" if found else ""
        ).forecast
        found.append(receipt(session, row))
    row = updates.withdraw(session, question, member=alice, now=day(2)).forecast
    return [*found, receipt(session, row)]


@pytest.fixture
def folder(session: Session, alice: Member, receipts: list[Receipt], tmp_path: Path) -> Path:
    frames, _ = exported(session, member=alice, now=day(3))
    write_folder(frames, tmp_path / "folder")
    write_proofs(session, tmp_path / "folder", member=alice, now=day(3))
    return tmp_path / "folder"


def of_another_ledger(one: Receipt) -> Receipt:
    """Return an intact receipt of the same place in another ledger."""
    link = one.model_dump(exclude={"ledger", "hash"}, exclude_none=True) | {
        "row": "1" * 64,
        "before": "2" * 64,
    }
    text = json.dumps(link, sort_keys=True, separators=(",", ":"))
    hash_ = hashlib.sha256(text.encode()).hexdigest()
    return Receipt(**link, ledger="3" * 64, hash=hash_)


def test_every_type_of_forecast_is_proved_in_words(folder: Path, receipts: list[Receipt]) -> None:
    found = compare(folder, receipts)
    assert [one.finding for one in found] == ["proved"] * 5
    for one, (_, shown) in zip(found, VALUES.values(), strict=False):
        assert shown in one.said
        assert "on " in one.said
    assert "alice, withdrawn on date, 2026-01-03 00:00 UTC" in found[-1].said
    assert len(read_folder(folder).forecasts) == 5


def test_altered_forecasts_proofs_receipts_are_named(folder: Path, receipts: list[Receipt]) -> None:
    file = folder / "forecasts.csv"
    file.write_text(file.read_text().replace("0.30000000000000004", "0.9"))
    proofs = (folder / FILE).read_text().splitlines(keepends=True)
    (folder / FILE).write_text("".join(proofs[:2] + proofs[3:]).replace("40.0", "41.0"))
    found = compare(folder, [*receipts[:3], receipts[3].model_copy(update={"number": 9})])
    assert [one.finding for one in found] == [
        *("altered_folder", "missing", "altered_folder", "altered_receipt"),
    ]
    assert found[2].said == "Forecast 3: its proof in proofs.jsonl was altered."
    elsewhere = receipts[0].model_copy(update={"ledger": "0" * 64})
    assert compare(folder, [elsewhere])[0].finding == "altered_receipt"
    assert compare(folder, [of_another_ledger(receipts[0])])[0].finding == "other_ledger"


def test_hidden_forecasts_have_no_proof(
    session: Session, alice: Member, bob: Member, tmp_path: Path
) -> None:
    question = ask(session, alice, slug="hidden", crowd_hidden=True)
    row = say(session, question, alice, 0.2, 1)
    kept = receipt(session, row)
    stranger = member_or_new(session, "carol", now=day(1))
    ensure_admin(session, bob, now=day(1))
    read_as(session, stranger, now=day(2))
    frames, _ = exported(session, member=stranger, now=day(2))
    write_folder(frames, tmp_path / "folder")
    file = write_proofs(session, tmp_path / "folder", member=stranger, now=day(2))
    assert "row" not in file.read_text()
    [found] = compare(tmp_path / "folder", [kept])
    assert found.finding == "missing"


def test_bad_lines_and_missing_proofs_are_named(folder: Path, receipts: list[Receipt]) -> None:
    proofs = (folder / FILE).read_text()
    for line in ("{", "[]", "{}"):
        (folder / FILE).write_text(f"{proofs}{line}\n")
        with pytest.raises(BadInput, match="Line 7 of"):
            compare(folder, receipts)
    (folder / FILE).write_text(f'{proofs}{{"row": 3}}\n')
    assert compare(folder, receipts[:1])[0].finding == "proved"
    (folder / FILE).unlink()
    with pytest.raises(BadInput, match="has no proofs") as refused:
        compare(folder, receipts)
    assert "--proofs" in refused.value.remedy


def test_a_published_record_and_a_digest_prove_receipts_or_say_why_not(
    kept: str, filled: Filled, tmp_path: Path
) -> None:
    engine = database.open_engine(sqlite_url(filled.file))
    with database.reading(engine) as session:
        rain, bobs, _ = receipts_of(session, [1, 2, 3])
    engine.dispose()
    later = rain.model_copy(update={"place": 10_000})
    folder = tmp_path / "record"
    folder.mkdir()
    (folder / "record.json").write_text(kept, encoding="utf-8")
    altered, strange = rain.model_copy(update={"row_id": 9}), of_another_ledger(rain)
    cases = {
        "proved": (rain, "Proved: rain, forecast of kate at 2026-01-02T00:00:00.000000Z: entry"),
        "hidden": (bobs, "Proved: forecast 2, which is not published: entry"),
        "altered_receipt": (altered, "was altered: its contents do not fit its hash."),
        "other_ledger": (strange, "is of another ledger, or the ledger was rewritten."),
    }
    for finding, (one, said) in cases.items():
        [found] = compare(folder, [one])
        assert found.finding == finding.replace("hidden", "proved")
        assert said in found.said
        file = tmp_path / "receipt.json"
        file.write_text(f'{{"receipt": {one.model_dump_json()}}}', encoding="utf-8")
        command = [sys.executable, "-I", verify.__file__, str(folder), "--receipt", str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == (found.finding != "proved")
        assert found.said in (done.stderr or done.stdout)
    own = compare([rain.digest, bobs.digest], [rain, bobs, altered, strange, later])
    assert [one.finding for one in own] == [
        *("proved", "proved", "altered_receipt", "other_ledger", "altered_receipt"),
    ]
    [unknown] = compare([bobs.digest], [rain])
    assert (unknown.finding, "proves only its own" in unknown.said) == ("missing", True)
    file.write_text("{}")
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (refused.returncode, "it has no receipt" in refused.stderr) == (1, True)
    (folder / "record.json").write_text(kept.replace(":0.7,", ":0.8,"), encoding="utf-8")
    [found] = compare(folder, [rain])
    assert found.finding == "altered_folder"
    assert "does not pass its check: forecast 1 of rain does not match entry" in found.said
