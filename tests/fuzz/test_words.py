"""User input and files other than folders are read or refused with our own errors."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import Engine
from typer.testing import CliRunner

from forecasts.cli.main import app
from forecasts.common.settings import Settings
from forecasts.common.times import iso, read_time
from forecasts.ledger import database
from forecasts.ledger.models import Forecast, QuestionText, QuestionType
from forecasts.questions.registry import free_slug, is_slug, question_text
from forecasts.resolution.resolvers.kinds import kind as resolver
from forecasts.resolution.resolvers.protocol import Asked, Seen
from forecasts.updates.evidence_parsing import read_evidence
from forecasts.updates.typed_values import read_typed, typed_forecast
from forecasts.values.outcomes import read_outcome
from forecasts.values.value import format_value
from forecasts.values.value_parsing import read_probability, read_value
from tests.conftest import day
from tests.fuzz.fuzzing import CELLS, NUMBERS, TIMES, WORDS, damaged, few_or, fuzz
from tests.fuzz.fuzzing import our_own_or_nothing as ours

pytestmark = pytest.mark.slow

OPEN = {"open_time": day(0), "scheduled_close_time": day(1)}
QUESTIONS: list[QuestionText] = [
    question_text(title="?", **OPEN),
    question_text(title="?", type="multiple_choice", options=["a", "b, c", "Other"], **OPEN),
    question_text(title="?", type="numeric", lower_bound="0", upper_bound="30", **OPEN),
    question_text(
        title="?", type="date", lower_bound="2026-01-01", upper_bound="2027-01-01", **OPEN
    ),
]
SIGNS = st.text(st.sampled_from("0123456789.%:=,;+-eE_ \n[]{}\"'abnif∞½٠−"), max_size=24)
NAMES = st.sampled_from(
    ["a", "b, c", "Other", "50%", "10%", "0.5", "below", "above", "nan", "1e400"]
)
VALUES = NUMBERS | TIMES | WORDS
PAIRS = st.lists(st.tuples(NAMES | WORDS, VALUES), max_size=4).map(
    lambda pairs: ", ".join(f"{name}={value}" for name, value in pairs)
)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text(max_size=3), inner),
    max_leaves=8,
)
TYPED = SIGNS | CELLS | PAIRS | PLAIN.map(json.dumps)


@few_or(200)
def test_any_typed_value_is_read_or_refused(examples: int) -> None:
    @fuzz(examples)
    @given(typed=TYPED, question=st.sampled_from(QUESTIONS))
    def check(typed: str, question: QuestionText) -> None:
        with ours():
            p = read_probability(typed)
            assert 0 <= p <= 1
        with ours():
            value = read_value(typed, question)
            said = Forecast(
                question_id=1, member_id=1, made_at=day(0), recorded_at=day(0), **value.columns()
            )
            assert format_value(value, question.options)
            # The stored value is JSON, and can be entered again.
            json.dumps(value.columns(), allow_nan=False)
            read_typed(typed_forecast(said, question), said, question)
        with ours():
            read_outcome(read_outcome(typed, question), question)

    check()


@few_or(150)
def test_any_typed_time_setting_or_title_is_read_or_refused(examples: int) -> None:
    @fuzz(examples)
    @example(typed="~nobody-here/x", ends=False)
    @given(typed=SIGNS | CELLS | st.text(), ends=st.booleans())
    def check(typed: str, ends: bool) -> None:
        with ours():
            read = read_time(typed, end_of_day=ends)
            assert read_time(iso(read)) == read
        assert is_slug(free_slug(typed, ()))
        for name in ("member", "lowest_probability", "allow_private_addresses", "database_url"):
            # The command shows it with the name of the setting.
            with suppress(ValidationError):
                Settings(**{name: typed})  # type: ignore[arg-type]
        with ours():
            resolver("outcomes_file").read("outcomes_file", {"path": typed})

    check()


@few_or(120)
def test_the_fields_of_a_question(examples: int) -> None:
    fields = list(QuestionText.model_fields)

    @fuzz(examples)
    @given(
        base=st.sampled_from(QUESTIONS),
        changes=st.dictionaries(
            st.sampled_from(fields), CELLS | PLAIN | st.datetimes(), max_size=3
        ),
    )
    def check(base: QuestionText, changes: dict[str, Any]) -> None:
        with ours():
            question_text(**(base.model_dump() | changes))

    check()


@few_or(60)
def test_any_typed_evidence_is_read_or_refused(engine: Engine, examples: int) -> None:
    heads = st.sampled_from(["supports ", "opposes data 30%: ", "article ", "https://", "x: ", ":"])

    @fuzz(examples)
    @given(typed=st.tuples(heads, CELLS | SIGNS).map("".join) | st.text())
    def check(typed: str) -> None:
        with ours(), database.reading(engine) as session:
            read_evidence(session, typed)

    check()


OUTCOMES = (
    b"question,outcome,known_at,source,note\n"
    b"rain,yes,2026-01-02T00:00:00Z,https://example.org,wet\n"
    b'rain,yes,2026-01-02,"a, b",\nport,,,,\n'
)
AS_JSON = json.dumps(
    [
        {"question": "rain", "outcome": "yes", "known_at": "2026-01-02", "note": None},
        {"question": 1},
    ]
).encode()


FILE = resolver("outcomes_file").read("outcomes_file", {"path": "o.csv"})


@few_or(120)
def test_a_file_of_outcomes(examples: int) -> None:
    @fuzz(examples)
    @given(
        data=st.data(),
        whole=st.sampled_from([OUTCOMES, AS_JSON]),
        cell=CELLS | PLAIN.map(json.dumps),
        how=st.sampled_from(["bytes", "cell", "json"]),
    )
    def check(data: st.DataObject, whole: bytes, cell: str, how: str) -> None:
        content = damaged(data, whole)
        if how == "cell":
            content = OUTCOMES.replace(b"2026-01-02,", cell.encode("utf-8", "replace") + b",")
        if how == "json":
            content = AS_JSON.replace(b'"yes"', cell.encode("utf-8", "replace"))
        seen = Seen("o.csv", content, day(9))
        for slug in ("rain", "port", "1"):
            with ours():
                asked = Asked(slug, "?", QuestionType.binary, day(0), day(1), day(1))
                resolver("outcomes_file").look(asked, FILE, day(9), lambda _: seen)

    check()


COMMANDS = [
    ("ask", "{}", "--closes", "{}"),
    ("ask", "?", "--closes", "2027-01-01", "--type", "numeric", "--lower", "{}", "--upper", "{}"),
    ("ask", "?", "--closes", "2027-01-01", "--slug", "{}", "--tag", "{}"),
    ("update", "rain", "{}", "--because", "{}"),
    ("update", "rain", "40%", "--evidence", "{}"),
    ("resolve", "rain", "{}", "--known-at", "{}"),
    ("propose", "rain", "{}", "--source", "{}"),
    ("show", "{}"),
    ("import", "{}"),
    ("report", "--as-of", "{}", "--since", "{}", "--lead", "{}"),
    ("report", "--by", "{}", "--name", "{}"),
    ("crowd", "--at", "{}", "--method", "{}"),
    ("articles", "--as", "{}"),
    ("capture", "{}", "--captured-at", "{}"),
]


@few_or(60, 1_500)
def test_any_command_line_is_read_or_refused(
    ledger_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, examples: int
) -> None:
    monkeypatch.setenv("FORECASTS_DATABASE_URL", str(ledger_file))
    monkeypatch.setenv("FORECASTS_MEMBER", "alice")
    monkeypatch.setattr("forecasts.cli.console.clock", lambda: day(5))
    monkeypatch.chdir(tmp_path)
    run = CliRunner()
    asked = run.invoke(app, ["ask", "Will it rain?", "--closes", "2027-01-15", "--slug", "rain"])
    assert asked.exit_code == 0, asked.output

    @fuzz(examples)
    @given(command=st.sampled_from(COMMANDS), typed=st.tuples(CELLS | SIGNS, CELLS | SIGNS))
    def check(command: tuple[str, ...], typed: tuple[str, str]) -> None:
        words = iter(typed)
        line = [next(words, "") if part == "{}" else part for part in command]
        if command[0] == "capture" and ("://" in line[1] or line[1] == "-"):
            return  # nothing is fetched in this test
        result = run.invoke(app, line)
        assert result.exit_code in (0, 1, 2), (line, result.output)
        assert isinstance(result.exception, SystemExit | None), (line, repr(result.exception))
        assert "Traceback" not in result.output

    check()
