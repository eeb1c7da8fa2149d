"""A stranger checks a published record with verify.py, which names every tampering."""

from __future__ import annotations

import ast
import base64
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine

from forecasts.access.members import member_or_new
from forecasts.folder.frames import complete
from forecasts.importing.frames import import_frames
from forecasts.ledger import database
from forecasts.ledger.verification import newest, verify
from forecasts.publication.proof import program, record_json
from forecasts.publication.record import published
from forecasts.publication.verify import Check, plain
from forecasts.questions import registry
from forecasts.questions.revisions import revise
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

Record = dict[str, Any]
Tamper = Callable[[Record], Any]
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
    the_counts(record)
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


# --- tampering ---------------------------------------------------------------------------------


def question(record: Record, slug: str) -> Record:
    [found] = [one for one in record["questions"] if f'"slug":"{slug}"' in one["question"]["row"]]
    return found


def altered(one: Record, old: str, new: str) -> None:
    assert old in one["row"]
    one["row"] = one["row"].replace(old, new)


def digest_of(record: Record) -> str:
    """Return the digest of a record's chain, hashed again."""
    chain = next(one for one in Check(record).said if one.startswith("Chain: "))
    return chain.rpartition("Digest: ")[2]


def edit(slug: str, kind: str, place: int, old: str, new: str) -> Tamper:
    """Return an edit of the text of a question's row."""

    def edit(record: Record) -> None:
        altered(question(record, slug)[kind][place], old, new)

    return edit


def put(*path: Any, of: str = "") -> Tamper:
    """Return an edit of the record, or of a question: its last value goes where the others lead."""

    def edit(record: Record) -> None:
        at: Any = question(record, of) if of else record
        *places, last, value = path
        for place in places:
            at = at[place]
        at[last] = value

    return edit


def doubled(slug: str, kind: str, place: int) -> Tamper:
    """Return an edit that adds a row of a question again."""

    def edit(record: Record) -> None:
        rows = question(record, slug)[kind]
        rows.append(rows[place])

    return edit


def words(part: Callable[[Record], Record], old: str, new: str) -> Tamper:
    """Return an edit of the opened words of a part of the record."""

    def edit(record: Record) -> None:
        assert old in part(record)["said"]
        part(record)["said"] = part(record)["said"].replace(old, new)

    return edit


def a_forecast_of_another_question(record: Record) -> None:
    one = question(record, "rain")["forecasts"].pop()
    question(record, "fog")["forecasts"].append(one)


def a_forecast_without_an_entry(record: Record) -> None:
    one = question(record, "fog")["forecasts"][0]
    altered(one, "0.30000000000000004", "0.01")
    one["place"] = None


def a_forecast_that_is_called_older(record: Record) -> None:
    record |= {"before": Check(record).entries[1].hash, "first": 2}
    del record["entries"][0]
    one = question(record, "rain")["forecasts"][0]
    altered(one, ":0.7,", ":0.99,")
    one["place"] = None


def a_cut_end(record: Record) -> None:
    del record["entries"][-4:]
    record["digest"] = digest_of(record)


def a_chain_hashed_again(record: Record) -> None:
    one = question(record, "rain")["forecasts"][1]
    altered(one, ":0.9,", ":0.99,")
    record["entries"][one["place"] - 1][2] = hashlib.sha256(one["row"].encode()).hexdigest()
    record["digest"] = digest_of(record)


def restamped(change: Callable[[bytes], bytes]) -> Tamper:
    """Return an edit of the first stamp."""

    def edit(record: Record) -> None:
        first = next(iter(record["stamps"]))
        token = change(base64.b64decode(record["stamps"][first]))
        record["stamps"][first] = base64.b64encode(token).decode()

    return edit


def a_stamp_of_another_digest(record: Record) -> None:
    first, *_, last = record["stamps"]
    record["stamps"][first] = record["stamps"][last]


def a_stamp_of_another_ledger(record: Record) -> None:
    first, token = next(iter(record["stamps"].items()))
    record["stamps"][f"{first.partition('-')[0]}-{'b' * 64}"] = token


the_counts = put("counts", "elsewhere", 0)
END = "the chain does not end in the stated digest: one was altered"
FORM = "record.json does not have the form of a public record"
TAMPERED: dict[str, tuple[Tamper, str]] = {
    "a value": (
        edit("rain", "forecasts", 0, ":0.7,", ":0.8,"),
        "forecast 1 of rain does not match",
    ),
    "a rationale": (
        words(lambda record: question(record, "rain")["forecasts"][0], "perhaps", "maybe"),
        "the words of forecast 1 of rain do not match",
    ),
    "the wording": (
        lambda record: altered(question(record, "rain")["wording"], "gazette", "almanac"),
        "question_revision 1 of rain does not match",
    ),
    "the close": (
        lambda record: altered(question(record, "wind")["wording"], "2026-01-11", "2026-01-09"),
        "wind: Brier score of kate: ",
    ),
    "the order of forecasts": (
        lambda record: question(record, "rain")["forecasts"].reverse(),
        "rain: the forecasts are out of order",
    ),
    "a removed forecast": (
        lambda record: question(record, "rain")["forecasts"].pop(),
        "counts: forecasts: 4 counted, 5 stated",
    ),
    "a doubled forecast": (doubled("rain", "forecasts", 1), "forecast 6 of rain appears twice"),
    "a removed question": (
        lambda record: record["questions"].remove(question(record, "wind")),
        "counts: questions_elsewhere: 2 counted, 1 stated",
    ),
    "a removed resolution": (
        lambda record: question(record, "rain").update(resolutions=[], scores=[]),
        "rain: the resolution of entry ",
    ),
    "another question": (a_forecast_of_another_question, "fog: a row of another question"),
    "no entry": (a_forecast_without_an_entry, "forecast 5 of fog has no entry"),
    "called older": (a_forecast_that_is_called_older, "forecast 1 of rain has no entry"),
    "rows within rows": (put("question", "row", "[" * 100_000, of="rain"), FORM),
    "a removed entry": (lambda record: record["entries"].pop(8), END),
    "an entry of another time": (
        put("entries", -1, 3, "2026-01-01T00:00:00.000000Z"),
        "is earlier than the one before it",
    ),
    "a cut end": (a_cut_end, "the stamp of "),
    "a chain hashed again": (a_chain_hashed_again, "does not belong to this chain"),
    "another beginning": (put("before", "a" * 64), "the first entry follows another one"),
    "a score": (
        put("scores", 0, "brier", 0.001, of="rain"),
        "rain: Brier score of kate: 0.0367 computed from the rows, 0.0010 stated",
    ),
    "a score too many": (
        put("scores", [{"forecaster": "kate", "brier": 0.0}], of="fog"),
        "fog: Brier score of kate: none computed from the rows, 0.0000 stated",
    ),
    "a doubled score": (doubled("rain", "scores", 0), "rain: a score appears twice"),
    "the mean": (put("brier", 0.01), "mean Brier score: 0.0533 computed from the rows, 0.0100"),
    "the mean a little": (
        lambda record: record.update(brier=record["brier"] + 1e-8),
        "mean Brier score: 0.0533333333 computed from the rows, 0.0533333433 stated",
    ),
    "the counts": (the_counts, "counts: elsewhere: 1 counted, 0 stated"),
    "a name": (
        words(lambda record: record["members"][0], "kate", "bob"),
        "the words of member 1 do not match",
    ),
    "a stamp of another digest": (a_stamp_of_another_digest, "is for another digest"),
    "a stamp of another time": (
        restamped(lambda token: token.replace(b"20260102120000Z", b"20250102120000Z")),
        "is damaged or was altered",
    ),
    "a stamp of another ledger": (a_stamp_of_another_ledger, "does not belong to this chain"),
    "another form": (put("form", "public record of forecasts, form 0"), FORM),
    "a missing part": (lambda record: record.__delitem__("entries"), FORM),
    "a wrong type": (put("questions", {"rain": 1}), FORM),
}


@pytest.mark.parametrize(("tamper", "fault"), TAMPERED.values(), ids=list(TAMPERED))
def test_each_tampering_is_named(record: Record, tamper: Tamper, fault: str) -> None:
    tamper(record)
    faults = Check(record).faults
    assert any(fault in one for one in faults), faults


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


def test_rows_that_are_moved_before_the_chain_are_said_to_be_unproved(record: Record) -> None:
    last = max(Check(record).entries)
    record |= {"first": last + 1, "before": record["digest"].partition("-")[2], "entries": []}
    record |= {"stamps": {}, "counts": dict.fromkeys(record["counts"], 0) | {"forecasts": 5}}
    every = [*record["members"], *(row for one in record["questions"] for row in rows_of(one))]
    for one in every:
        one["place"] = None
    check = Check(record)
    assert check.faults == []
    assert ", except for the older rows, which are not proved. Only a digest" in check.verdict
    record["questions"].append(question(record, "rain"))
    assert "forecast 1 of rain appears twice" in Check(record).faults


def test_only_a_digest_from_elsewhere_shows_a_record_to_be_as_recorded(record: Record) -> None:
    alone = Check(record)
    assert alone.verdict.startswith("This record agrees with its chain of hashes. Only a digest ")
    assert Check(record, record["digest"]).verdict == "This record is as it was recorded."
    last = max(alone.entries)
    earlier = f"{last - 3}-{alone.entries[last - 3].hash}"
    upto = f"This record is as it was recorded up to entry {last - 3}."
    assert Check(record, earlier).verdict == upto


def test_a_digest_from_before_this_part_of_the_chain_is_not_a_fault(record: Record) -> None:
    every = Check(record).entries
    first = every[1].hash
    record |= {"first": 2, "before": first, "entries": record["entries"][1:]}
    check = Check(record, f"1-{first}")
    assert check.verdict.startswith("This record agrees with its chain of hashes. Only a digest ")
    said = f"Chain: the digest 1-{first[:18]}… is of an earlier entry, so it was not compared."
    assert said in check.said
    assert [one for one in check.said if one.startswith("Not published from entry 2 on: ")]
    assert not [one for one in check.faults if "digest" in one]


def rows_of(one: Record) -> list[Record]:
    return [one["question"], one["wording"], *one["resolutions"], *one["forecasts"]]


# --- what the ledger's past allows ---------------------------------------------------------------


@pytest.mark.slow
def test_stamps_refute_false_times(engine: Engine, stamps: Stamps, authority: Authority) -> None:
    first, _, last = stamps
    backdated = {first: stamp_of(first, authority, 3)}  # before forecasts that say day 2
    faults = Check(json.loads(record_text(engine, backdated))).faults
    assert faults == [
        f"{slug}, forecast of kate at 2026-01-03T00:00:00.000000Z: recorded after a later stamp, "
        "so backdated"
        for slug in ("wind", "fog")
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


@pytest.mark.slow
def test_verify_py_runs_with_python_alone(kept: str, tmp_path: Path) -> None:
    ast.parse(program(), feature_version=(3, 9))  # and on older ones
    assert plain(["kate\x1b[2J", "ok"]) == "kate?[2J\nok"
    (tmp_path / "record.json").write_text(kept, encoding="utf-8")
    (tmp_path / "verify.py").write_text(program(), encoding="utf-8")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", "-S", str(tmp_path / "verify.py"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    digest = json.loads(kept)["digest"]
    done = run(digest, "--stamps")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "This record is as it was recorded."
    assert run().stdout.splitlines()[-1] == Check(json.loads(kept)).verdict
    written = sorted(one.name for one in tmp_path.glob("*.tsr"))
    assert sorted(f"{one}.tsr" for one in json.loads(kept)["stamps"]) == written
    assert done.stdout.count("openssl ts -verify") == 3
    for mistyped in ("--help", "--stamp"):
        done = run(mistyped)
        assert (done.returncode, done.stdout) == (1, "")
        assert "python verify.py --stamps" in done.stderr
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
