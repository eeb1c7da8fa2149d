"""A comparison's renderings: they say the same, and take everyone's words as words."""

from __future__ import annotations

import csv
import io
import json

import jsonschema
import pytest

from forecasts.comparisons import Comparison, build
from forecasts.comparisons.as_csv import as_csv
from forecasts.comparisons.as_html import as_html
from forecasts.comparisons.as_json import as_json, schema
from forecasts.comparisons.as_markdown import as_markdown
from forecasts.comparisons.as_pdf import as_pdf
from forecasts.comparisons.as_text import as_text
from forecasts.reports.choice import Choice
from tests.reports.small_ledgers import NOW, asked, day, joined, ledger, made, random_ledger

UNKIND = "=<script>alert(1)</script>|*_`#set page`"


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return build(
        random_ledger(11, questions=80), between=["ana", "bo", "cy"], of="forecasters", as_of=NOW
    )


def test_the_json_is_what_its_schema_says(comparison: Comparison) -> None:
    jsonschema.validate(json.loads(as_json(comparison)), schema())


def test_which_questions_and_forecasts_were_asked_for_stands_in_every_form() -> None:
    choice = Choice(tags=("t0", "t1"), since=day(1), lead=2)
    made = build(
        random_ledger(11, questions=80), between=["north", "south"], choice=choice, as_of=NOW
    )
    said = json.loads(as_json(made))
    jsonschema.validate(said, schema())
    assert said["metadata"]["lead"] == 2
    assert said["metadata"]["since"] == "2026-01-02T00:00:00Z"
    [row] = csv.DictReader(io.StringIO(as_csv(made)))
    assert (row["tags"], row["since"], row["until"], row["lead"]) == (
        "t0;t1",
        "2026-01-02T00:00:00Z",
        "",
        "2",
    )
    for form in (as_html, as_markdown, as_text):
        text = " ".join(form(made).split())
        assert "with the tag t0 or t1" in text
        assert "as they stood 2 days before the scheduled close" in text


@pytest.mark.parametrize("form", [as_csv, as_html, as_json, as_markdown, as_pdf, as_text])
def test_the_same_comparison_gives_the_same_bytes(form, comparison: Comparison) -> None:  # type: ignore[no-untyped-def]
    again = build(
        random_ledger(11, questions=80), between=["ana", "bo", "cy"], of="forecasters", as_of=NOW
    )
    assert form(again) == form(comparison)


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


def test_names_are_text_in_every_form() -> None:
    frames = ledger(
        [asked(f"q{n}", "yes") for n in range(31)],
        [made(f"q{n}", who, 0, p) for n in range(31) for who, p in (("ann", 0.9), ("bob", 0.7))],
        [joined(UNKIND, "ann"), joined("theirs", "bob")],
    )
    comparison = build(frames, between=[UNKIND, "theirs"], as_of=NOW)
    assert "<script>" not in as_html(comparison)
    assert "&lt;script&gt;" in as_html(comparison)
    assert "\\<script\\>" in as_markdown(comparison)
    assert as_csv(comparison).splitlines()[1].startswith("'=<script>")
    assert as_pdf(comparison).startswith(b"%PDF")
    assert "#set page" in as_text(comparison)


def test_a_page_needs_nothing_from_elsewhere(comparison: Comparison) -> None:
    page = as_html(comparison)
    assert "default-src 'none'" in page
    assert "http" not in page.replace("http-equiv", "")


def test_names_in_scripts_that_the_fonts_lack_do_no_harm() -> None:
    frames = ledger([asked("q", "yes")], [made("q", "習近平", 0, 0.5), made("q", "bo", 0, 0.4)])
    comparison = build(frames, between=["習近平", "bo"], of="forecasters", as_of=NOW)
    assert as_pdf(comparison).startswith(b"%PDF")
