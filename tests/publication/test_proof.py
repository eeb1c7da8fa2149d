"""A stranger checks a published record with verify.py, which names every tampering."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine

from forecasts.access.members import member_or_new
from forecasts.folder.frames import complete
from forecasts.importing.frames import import_frames
from forecasts.ledger import database
from forecasts.ledger.models import LinkKind
from forecasts.ledger.verification import newest, verify
from forecasts.publication.proof import program, record_json
from forecasts.publication.record import published
from forecasts.publication.verify import Check, plain
from forecasts.questions import registry
from forecasts.questions.conditions import register_conditional
from forecasts.questions.links import link
from forecasts.questions.revisions import revise, reworded
from forecasts.resolution.confirmation import confirm, withdraw
from forecasts.resolution.proposals import proposals_on, propose, reject
from forecasts.updates import updates
from forecasts.values.value import Value
from tests.conftest import KINDS, ask, day
from tests.operations.timestamping import Authority
from tests.publication.conftest import (
    Stamps,
    act,
    earlier_release,
    forecast,
    record_text,
    stamp_of,
)
from tests.publication.test_tampering import Record, cut, question

RAIN = pd.DataFrame(
    [
        {
            "question_id": "rain",
            "type": "binary",
            "open_time": day(0),
            "scheduled_close_time": day(10),
        }
    ]
)


@pytest.mark.slow
def test_an_untouched_record_states_its_proof(record: Record, kept: str) -> None:
    check = Check(record)
    assert check.faults == []
    said = "\n".join(check.said)
    assert said.startswith("kate: 5 forecasts on 3 questions.")
    assert f"Digest: {record['digest']}" in said
    assert "1 other forecast on these questions, and 1 forecast on 1 other question; " in said
    assert "5 of 5 forecasts stamped, at most 180.0 hours after being recorded, if " in said
    assert "2 Brier scores recomputed" in said
    assert len(record["stamps"]) == 3
    assert "0.15" not in kept
    assert "0.35" not in kept
    assert "was left out." in said
    record["counts"]["elsewhere"] = 0
    assert "was left out." not in "\n".join(Check(record).said)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_records_of_both_databases_are_proved(engine: Engine, stamps: Stamps) -> None:
    text = record_text(engine, stamps)
    assert text == record_text(engine, stamps)
    with database.reading(engine) as session:
        digest = newest(session)
        assert verify(session).broken is None
    assert Check(json.loads(text), digest, *stamps).faults == []
    other = f"3-{'a' * 64}"
    [fault] = Check(json.loads(text), other).faults
    assert fault == f"the digest {other[:20]}… does not belong to this chain"
    chosen = json.loads(record_text(engine, stamps, questions=["rain"]))
    assert chosen["counts"] == {
        "forecasts": 2,
        "others": 1,
        "elsewhere": 4,
        "questions_elsewhere": 3,
        "ties": 0,
    }
    assert Check(chosen).faults == []


def unresolve(engine: Engine) -> None:
    with act(engine, 11.7) as (session, kate, now):
        rain = registry.find(session, "rain")
        withdraw(session, rain, reason="A slip.", member=kate, now=now)


def test_a_withdrawn_outcome_counts_as_none(engine: Engine, stamps: Stamps) -> None:
    unresolve(engine)
    record = json.loads(record_text(engine, stamps))
    check = Check(record)
    assert check.faults == []
    assert "1 Brier score recomputed" in "\n".join(check.said)
    assert len(question(record, "rain")["resolutions"]) == 2
    question(record, "rain")["resolutions"].pop()
    faults = Check(record).faults
    assert any("the resolution of entry" in one and "was left out" in one for one in faults)


def test_only_current_outcomes_have_their_notes(engine: Engine, stamps: Stamps) -> None:
    with act(engine, 11.6) as (session, _, now):
        bob = member_or_new(session, "bob", now=now)
        propose(session, registry.find(session, "fog"), "no", member=bob, now=now, note="Bob’s.")
    with act(engine, 11.7) as (session, kate, now):
        [open_one] = proposals_on(session, registry.find(session, "fog"))
        reject(session, open_one, member=kate, now=now, note="Not yet.")
    record = json.loads(text := record_text(engine, stamps))
    assert len(question(record, "fog")["resolutions"]) == 2
    assert "Bob’s." not in text
    assert "Not yet." not in text
    assert '{\\"note\\":\\"So.\\"}' in text
    assert Check(record).faults == []


# --- what is not published --------------------------------------------------------------------


def test_a_forecast_that_was_left_out_is_counted_without_its_author(record: Record) -> None:
    """Hashes hide whose a forecast is, so the check does not say that it is another member's."""
    one = question(record, "fog")
    one["forecasts"].pop()
    record["counts"] |= {"forecasts": 4, "others": 2}
    check = Check(record)
    assert check.faults == []
    said = next(line for line in check.said if line.startswith("Not published: "))
    assert said.startswith("Not published: 2 other forecasts on these questions, ")
    assert "their authors are hidden" in said


def test_only_a_digest_from_elsewhere_shows_a_record_to_be_as_recorded(record: Record) -> None:
    alone = Check(record)
    assert alone.verdict.startswith("This record agrees with its chain of hashes. Only a digest ")
    assert Check(record, record["digest"]).verdict == "This record is as it was recorded."
    last = max(alone.entries)
    earlier = f"{last - 3}-{alone.entries[last - 3].hash}"
    upto = f"This record is as it was recorded up to entry {last - 3}."
    assert Check(record, earlier).verdict == upto


def test_a_digest_from_before_this_part_of_the_chain_is_not_compared(record: Record) -> None:
    first = Check(record).entries[1].hash
    cut(record, 14, altered=":0.7,")
    check = Check(record, f"1-{first}")
    assert (check.faults, check.status) == ([], 3)
    assert check.verdict.startswith(
        "8 of 14 rows cannot be checked: anyone could have altered them. 1 digest could not be "
        "compared. The rest of this record agrees with its chain of hashes. Only a digest "
    )
    said = f"Chain: the digest 1-{first[:18]}… is of an earlier entry, so it was not compared."
    assert said in check.said
    assert [one for one in check.said if one.startswith("Not published from entry 14 on: ")]
    assert "Chain: only a receipt shows that this part is of that ledger." in check.said
    assert "Scores: 0 Brier scores recomputed, mean none; 2 cannot be." in check.said


# --- what the ledger's past allows ---------------------------------------------------------------


@pytest.mark.slow
def test_stamps_refute_false_times(engine: Engine, stamps: Stamps, authority: Authority) -> None:
    first, _, last = stamps
    backdated = {first: stamp_of(first, authority, 3)}  # before forecasts that say day 2
    faults = Check(json.loads(record_text(engine, backdated))).faults
    assert faults == [
        f"{slug}, forecast of kate at 2026-01-03T00:00:00.000000Z: recorded after a later stamp, "
        "so backdated"
        for slug in ("fog", "wind")
    ]
    ahead = {last: stamp_of(last, authority, 3)}
    faults = Check(json.loads(record_text(engine, ahead))).faults
    assert faults == [
        f"{slug}, forecast of kate at 2026-01-05T00:00:00.000000Z: stamped before it was recorded, "
        "at 2026-01-05T00:00:00.000000Z"
        for slug in ("rain", "wind")
    ]


@pytest.mark.slow
def test_guessable_old_entries_are_hidden(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with act(engine, 0) as (session, kate, _):
        for slug in ("rain", "mine"):
            ask(session, kate, slug=slug, visibility="author" if slug == "mine" else "everyone")
    with earlier_release(monkeypatch):
        forecast(engine, "rain", 1, 0.7)
        forecast(engine, "mine", 1, 0.3)
    unproved = json.loads(record_text(engine, {}))
    assert (Check(unproved).faults, unproved["entries"]) == ([], [])
    forecast(engine, "rain", 2, 0.8)
    forecast(engine, "mine", 2, 0.4)
    with database.reading(engine) as session:
        assert verify(session).broken is None
    record = json.loads(record_text(engine, {}))
    check = Check(record)
    assert check.faults == []
    assert check.verdict.startswith("4 of 5 rows cannot be checked: anyone could have altered ")
    assert [one[0] for one in record["entries"]] == ["forecast", "forecast"]
    old, new = question(record, "rain")["forecasts"]
    assert (old["place"], new["place"]) == (None, record["first"])
    assert check.said[-1] == (
        "Not proved, since older than this part of the chain: 1 forecast, 1 member, 1 question, "
        "1 question_revision."
    )
    assert "words" not in json.loads(old["row"])


@pytest.mark.slow
def test_options_added_later_and_withdrawals_are_scored_alike(engine: Engine) -> None:
    with act(engine, 0) as (session, kate, _):
        ask(session, kate, slug="wind", type="multiple_choice", options=["N", "Other"])
        ask(session, kate, slug="rain")
    forecast(engine, "wind", 1, Value(probabilities=(0.6, 0.4)))
    forecast(engine, "rain", 1, 0.5)
    with act(engine, 2) as (session, kate, now):
        wind = registry.find(session, "wind")
        revise(session, wind, member=kate, now=now, options=["N", "E", "Other"])
    forecast(engine, "wind", 3, Value(probabilities=(0.2, 0.7, 0.1)))
    with act(engine, 4) as (session, kate, now):
        updates.withdraw(session, registry.find(session, "rain"), member=kate, now=now)
    forecast(engine, "rain", 6, 0.2)
    with act(engine, 11) as (session, kate, now):
        for slug, outcome in (("wind", "E"), ("rain", "0.3")):
            question_ = registry.find(session, slug)
            confirm(session, question_, outcome, member=kate, now=now, known_at=day(10))
    check = Check(json.loads(record_text(engine, {})))
    assert check.faults == []
    assert "2 Brier scores recomputed" in check.said[-1]


def test_verify_py_takes_no_name_from_datetime_that_python_3_9_lacks() -> None:
    imports = (one for one in ast.walk(ast.parse(program())) if isinstance(one, ast.ImportFrom))
    names = {name.name for one in imports if one.module == "datetime" for name in one.names}
    assert names <= {"datetime", "timedelta", "timezone"}


@pytest.mark.slow
def test_verify_py_runs_with_python_alone(kept: str, tmp_path: Path) -> None:
    ast.parse(program(), feature_version=(3, 9))  # and on older ones
    assert plain(["kate\x1b[2J", "ok"]) == "kate?[2J\nok"
    (tmp_path / "record.json").write_text(kept, encoding="utf-8")
    (tmp_path / "verify.py").write_text(program(), encoding="utf-8")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", "-S", str(tmp_path / "verify.py"), *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    digest = json.loads(kept)["digest"]
    done = run(digest, "--stamps")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "This record is as it was recorded."
    assert run().stdout.splitlines()[-1] == Check(json.loads(kept)).verdict
    written = sorted(one.name for one in tmp_path.glob("*.tsr"))
    assert sorted(f"{one}.tsr" for one in json.loads(kept)["stamps"]) == written
    assert done.stdout.count("openssl ts -verify") == 3
    assert "cannot be written: [Errno 17] File exists" in run("--stamps").stderr
    for mistyped in ("--help", "--stamp"):
        done = run(mistyped)
        assert (done.returncode, done.stdout) == (1, "")
        assert "python3 -I verify.py FOLDER --stamps" in done.stderr
        assert "does NOT pass" not in done.stderr
    (tmp_path / "record.json").write_text(kept.replace(":0.7,", ":0.8,"), encoding="utf-8")
    done = run()
    assert done.returncode == 1
    assert "This record does NOT pass the check:\nforecast 1 of rain does not" in done.stderr
    (tmp_path / "record.json").write_text("{", encoding="utf-8")
    assert "record.json cannot be read" in run().stderr


@pytest.mark.slow
def test_a_published_record_names_the_voucher_of_imported_times(engine: Engine) -> None:
    with act(engine, 0) as (session, kate, _):
        ask(session, kate, slug="rain")
    with act(engine, 5) as (session, kate, now):
        said = {"question_id": "rain", "made_at": day(1), "probability": 0.2}
        of_both = pd.DataFrame([said | {"forecaster": name} for name in ("kate", "bob")])
        import_frames(session, complete(RAIN, of_both), member=kate, now=now)
    with database.reading(engine) as session:
        kate, bob = (member_or_new(session, name, now=day(6)) for name in ("kate", "bob"))
        own, other = (
            json.loads(record_json(session, published(session, member=who, now=day(6)), {}))
            for who in (kate, bob)
        )
    vouches = "who alone vouches for the earlier time."
    for record, who in ((own, "the forecaster"), (other, "another member")):
        check = Check(record)
        assert check.faults == []
        assert f"Times: 1 forecast imported by {who}, {vouches}" in check.said
    both = other | {"members": [*own["members"], *other["members"]]}
    assert f"Times: 1 forecast imported by kate, {vouches}" in Check(both).said
    [unnamed] = other["questions"][0]["forecasts"]
    unnamed["row"] = re.sub(',"vouched_by_id":[0-9]+', "", unnamed["row"])
    assert f"Times: 1 forecast imported by an unknown member, {vouches}" in Check(other).said


def test_ties_of_published_questions_alone_are_proved(engine: Engine) -> None:
    with act(engine, 0) as (session, kate, now):
        by: dict[str, Any] = {"member": kate, "now": now}
        rain, fog = (ask(session, kate, slug=slug) for slug in ("rain", "fog"))
        mine = ask(session, kate, slug="mine", visibility="author")
        link(session, rain, fog, LinkKind.causes, reason="Wet air.", **by)
        link(session, rain, mine, LinkKind.causes, reason="Mine.", **by)
        text = reworded(registry.newest_wording(session, fog), title="Then?", family="")
        yes, _ = register_conditional(session, fog, text, **by)
        for one in (yes.state.question, fog, rain):
            updates.update(session, one, Value(probability=0.4), **by)
    kept = record_text(engine, {})
    record = json.loads(kept)
    assert {kind: len(rows) for kind, rows in record["ties"].items()} == {
        "question_group": 0,
        "group_place": 0,
        "condition": 1,
        "question_link": 1,
    }
    assert "Wet air." not in kept
    assert Check(record).faults == []
    [asked] = record["ties"]["condition"]
    asked["row"] = asked["row"].replace('"yes"', '"no"')
    [fault] = Check(record).faults
    assert fault.startswith("condition 1 does not match entry")
