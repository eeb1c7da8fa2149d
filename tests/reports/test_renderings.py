"""Renderings: every form says the same, escapes everyone's words, and is the same each time."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import jsonschema
import pytest

from forecasts.frames import Frames
from forecasts.reports import Report
from forecasts.reports.as_csv import as_csv
from forecasts.reports.as_html import as_html
from forecasts.reports.as_json import as_json, schema
from forecasts.reports.as_markdown import as_markdown
from forecasts.reports.as_text import as_text
from forecasts.reports.notes import GUIDE
from tests.reports.small_ledgers import asked, joined, ledger, made, random_ledger, report

RENDERERS = [as_text, as_json, as_html, as_csv, as_markdown]
NASTY = ["<script>alert(1)</script>", "=1+1", "a|b*c_d`e`", "[x](javascript:1)", "{{ 7 * 7 }}"]


def nasty() -> Frames:
    return ledger(
        [asked("q1", "yes", tags=NASTY), asked("q2", "no", tags=NASTY)],
        [made(q, name, 0, 0.6) for q in ("q1", "q2") for name in NASTY],
        [joined(team, NASTY[0]) for team in NASTY],
    )


def edge_cases() -> dict[str, Report]:
    return {
        "an empty ledger": report(ledger([])),
        "no team": report(ledger([]), by="team"),
        "nothing resolved": report(ledger([asked("q", closes=300)], [made("q", "ana", 0, 0.5)])),
        "one question": report(ledger([asked("q", "yes")], [made("q", "ana", 0, 1.0)])),
        "an impossible that happened": report(
            ledger([asked("q", "yes"), asked("r", "no")], [made("q", "a", 0, 0.0)])
        ),
        "without curves": report(random_ledger(2)),
        "many groups": report(random_ledger(2), by="forecaster"),
        "all resolved": report(random_ledger(3), by="team", cohort="resolved"),
        "everyone's words": report(nasty(), by="tag"),
    }


@pytest.fixture(scope="module")
def reports() -> dict[str, Report]:
    return edge_cases()


def test_every_form_has_words_for_every_edge_case(reports: dict[str, Report]) -> None:
    for found in reports.values():
        for render in RENDERERS:
            assert render(found).strip()
    assert "There is no team in this ledger." in as_text(reports["no team"])


def test_the_json_keeps_to_its_schema(reports: dict[str, Report]) -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    validator = jsonschema.Draft202012Validator(schema())
    for found in reports.values():
        validator.validate(json.loads(as_json(found)))


def test_the_schema_allows_no_key_without_describing_it() -> None:
    def objects(node: Any) -> list[dict[str, Any]]:
        if isinstance(node, list):
            return [found for item in node for found in objects(item)]
        if not isinstance(node, dict):
            return []
        here = [node] if "properties" in node and "required" in node else []
        return here + [found for item in node.values() for found in objects(item)]

    for each in objects(schema()):
        assert each["additionalProperties"] is False
        assert set(each["required"]) == set(each["properties"])


@pytest.mark.parametrize("render", RENDERERS)
def test_the_same_ledger_gives_the_same_bytes(render: Callable[[Report], str]) -> None:
    first, second = (render(report(random_ledger(4), by="team")) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("render", [as_text, as_html, as_csv, as_markdown])
def test_every_form_names_both_brier_scales_engine_cohort_and_digest(
    render: Callable[[Report], str],
) -> None:
    found = report(random_ledger(4))
    text = render(found)
    assert ("0–1" in text and "0–2" in text) or "brier_original_mean" in text
    for word in (found.metadata.engine_version, "scheduled", "2026-06-01T00:00:00Z"):
        assert word in text
    assert found.metadata.input_sha256 in text.replace("\n", "")


class Page(HTMLParser):
    """What a browser would make of a page: its tags, and every address it would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [v or "" for name, v in attrs if name in ("src", "href", "xlink:href")]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("by", ["forecaster", "team", "tag"])
def test_a_page_shows_a_forecaster_called_script_and_runs_nothing(by: str) -> None:
    page = Page()
    source = as_html(report(nasty(), by=by))
    page.feed(source)
    assert "script" not in page.tags
    assert "<script" not in source
    for name in NASTY:
        assert name in page.text
    assert all(address.startswith("#group-") for address in page.addresses)
    assert "url(" not in source
    assert "@import" not in source


def test_the_page_has_a_chart_with_its_words_and_tables_for_each_group_with_a_score() -> None:
    page = Page()
    page.feed(as_html(report(random_ledger(4), by="team")))
    assert page.tags.count("figure") == page.tags.count("figcaption") == 2
    assert page.tags.count("details") == 2
    assert page.tags.count("h1") == 1
    assert "True" not in page.text
    assert "None" not in page.text


def test_a_spreadsheet_finds_no_formula() -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(report(nasty(), by="forecaster")))))
    assert {row["name"] for row in rows} == {f"'{n}" if n[0] == "=" else n for n in NASTY}
    for row in rows:
        assert not any(value.startswith(("=", "+", "@")) for value in row.values())


def test_numbers_in_csv_are_those_of_the_report_to_the_last_bit() -> None:
    found = report(random_ledger(6), by="team")
    rows = list(csv.DictReader(io.StringIO(as_csv(found))))
    for row, group in zip(rows, found.groups, strict=True):
        assert float(row["brier_mean"]) == group.brier.mean
        assert float(row["miscalibration"]) == group.decomposition.miscalibration


def test_markdown_takes_no_name_for_markup() -> None:
    text = as_markdown(report(nasty(), by="forecaster"))
    assert r"\<script\>" in text
    assert r"a\|b\*c\_d\`e\`" in text
    assert r"\[x\]" in text
    columns = {line.count(" | ") for line in text.splitlines() if line.startswith("| ")}
    assert len(columns) == 2  # the groups' table and the bins' table


def test_markdown_drops_control_signs_and_takes_no_markup_from_behind_them() -> None:
    name = "\x00# ana\x1b[2J\u202e\u200b- bo\x9b1m"
    frames = ledger([asked("q", "yes", tags=[name])], [made("q", name, 0, 0.6)])
    for by in ("forecaster", "tag"):
        text = as_markdown(report(frames, by=by))
        assert r"## \# ana\[2J- bo1m" in text
        assert all(sign == "\n" or sign.isprintable() for sign in text)


def test_a_page_has_no_more_in_its_tables_than_the_curve_needs() -> None:
    found = report(random_ledger(8, questions=60, choices=False))
    assert found.groups[0].curve is not None
    page = Page()
    page.feed(as_html(found))
    assert page.tags.count("tr") < 200


def test_lines_of_text_keep_to_the_width() -> None:
    found = report(random_ledger(4), by="team")
    for width in (80, 100):
        assert max(map(len, as_text(found, width=width).splitlines())) <= width


def test_the_text_of_one_group_has_its_bins_and_that_of_several_has_not() -> None:
    frames = random_ledger(4)
    assert "90–100 %" in as_text(report(frames))
    assert "90–100 %" not in as_text(report(frames, by="team"))


def test_miscalibration_is_never_shown_without_what_luck_makes_of_it() -> None:
    found = report(random_ledger(4))
    for render in (as_text, as_html, as_markdown):
        text = " ".join(render(found).replace("\u00a0", " ").split())
        assert GUIDE["miscalibration"].split(". ")[1] in text
