"""A comparison's renderings: they say the same, and take everyone's words as words."""

from __future__ import annotations

import csv
import io
import json
from functools import partial

import jsonschema
import pytest

from forecasts.reports import formats
from forecasts.reports.comparison import Comparison, build
from forecasts.reports.selection import Choice
from tests.reports.small_ledgers import NOW, day, random_ledger, schema

as_text, as_html, as_markdown, as_csv, as_json, as_pdf = (
    partial(formats.rendered, form=form) for form in ("text", "html", "md", "csv", "json", "pdf")
)


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return build(
        random_ledger(11, questions=80), between=["ana", "bo", "cy"], of="forecasters", as_of=NOW
    )


@pytest.mark.slow
def test_the_json_fits_its_schema(comparison: Comparison) -> None:
    jsonschema.validate(json.loads(as_json(comparison)), schema("comparison"))


def test_every_format_states_the_choice() -> None:
    choice = Choice(tags=("t0", "t1"), since=day(1), lead=2)
    frames = random_ledger(11, questions=80)
    made = build(frames, between=["north", "south"], choice=choice, as_of=NOW)
    said = json.loads(as_json(made))
    jsonschema.validate(said, schema("comparison"))
    assert (said["metadata"]["lead"], said["metadata"]["since"]) == (2, "2026-01-02T00:00:00Z")
    [row] = csv.DictReader(io.StringIO(as_csv(made)))
    chosen = [row[name] for name in ("tags", "since", "until", "lead")]
    assert chosen == ["t0;t1", "2026-01-02T00:00:00Z", "", "2"]
    for form in (as_html, as_markdown, as_text):
        text = " ".join(form(made).split())
        assert "with the tag t0 or t1" in text
        assert "the forecasts current 2 days before the scheduled close" in text


def test_every_pair_is_a_row_of_the_csv_with_its_ranks(comparison: Comparison) -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(comparison))))
    assert [(row["a"], row["b"]) for row in rows] == [("ana", "bo"), ("ana", "cy"), ("bo", "cy")]
    for row, pair in zip(rows, comparison.pairs, strict=True):
        assert pair.difference is not None
        assert float(row["difference"]) == pair.difference
        assert 1 <= int(row["a_rank_low"]) <= int(row["a_rank_high"]) <= 3


@pytest.mark.parametrize("form", [as_html, as_markdown, as_text])
def test_every_sentence_and_both_brier_scales_are_in_the_texts(form, comparison) -> None:  # type: ignore[no-untyped-def]
    text = " ".join(form(comparison).replace("\\", "").replace("\u00a0", " ").split())
    for pair in comparison.pairs:
        assert pair.sentence in text
    assert "0–1" in text
    assert "0–2" in text
    assert comparison.metadata.input_sha256 in text
