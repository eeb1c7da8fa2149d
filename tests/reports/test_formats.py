"""Renderings: every form says the same, escapes everyone's words, and is the same each time."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import jsonschema
import numpy as np
import pytest

from forecasts.documents.numbers import number, percent
from forecasts.folder.frames import Frames
from forecasts.reports import Report, figures, formats
from forecasts.reports.comparison import Comparison, build
from forecasts.reports.glossary import TERMS
from forecasts.reports.report_document import credits, overview, report_document
from forecasts.reports.selection import Choice
from tests.nasty import WORDS
from tests.reports.small_ledgers import (
    NOW,
    asked,
    cited,
    day,
    joined,
    ledger,
    made,
    once,
    path,
    random_ledger,
    random_report,
    report,
    schema,
    with_numbers,
)

as_text, as_html, as_markdown, as_csv, as_json, as_pdf = (
    partial(formats.rendered, form=form) for form in ("text", "html", "md", "csv", "json", "pdf")
)
TEXTS = (as_text, as_html, as_markdown)
Render = Callable[[Any], str]


def nasty() -> Frames:
    some = WORDS[::12]
    return ledger(
        [asked("q1", "yes", tags=some), asked("q2", "no", tags=some)],
        [made(q, name, 0, 0.6) for q in ("q1", "q2") for name in some],
        [joined(team, some[0]) for team in some],
    )


def came_and_went() -> Frames:
    return ledger(
        [asked("q", "yes"), asked("r", "no")],
        [made("q", "bo", at, 0.3 + at / 20) for at in (1, 5, 9)] + [made("r", "cy", 0, 0.5)],
        [joined("red", "bo", 4, 6), joined("blue", "bo", 8), joined("empty", "dee", 0, 1)],
    )


def waiting() -> Frames:
    return ledger([asked("q", closes=300)], [made("q", "ana", 0, 0.5)])


def surprised() -> Frames:
    """Return a ledger with a certainty that failed, and forecasts that swing."""
    rows = []
    for n in range(40):
        last = 0.6 if n else 1.0
        rows += path(f"q{n}", "ana", (0, 0.5), (1, 0.9 - n / 500), (2, 0.4), (3, last))
    return ledger([asked(f"q{n}", "yes" if n else "no") for n in range(40)], rows)


def edge_cases() -> dict[str, Report]:
    impossible = ledger([asked("q", "yes"), asked("r", "no")], [made("q", "a", 0, 0.0)])
    cases: dict[str, tuple[Frames, dict[str, Any]]] = {
        "no team": (ledger([]), {"by": "team"}),
        "nothing resolved": (waiting(), {}),
        "an impossible that happened": (impossible, {"by": "forecaster"}),
        "a certainty that failed": (surprised(), {}),
        "a choice": (random_ledger(2), {"tags": ("t0",), "since": day(0), "until": day(30)}),
        "every outcome the same": (once(["yes"] * 35, [0.5 + n / 100 for n in range(35)]), {}),
        "separated": (once(["no", "yes"] * 20, [0.1, 0.9] * 20), {}),
        "who came and went": (came_and_went(), {"by": "team"}),
        "at a lead": (random_ledger(3), {"by": "team", "cohort": "resolved", "lead": 2.0}),
        "evidence": (cited(with_numbers(random_ledger(8))), {"by": "team"}),
        "everyone's words": (nasty(), {"by": "tag"}),
    }
    found = {name: report(frames, **wanted) for name, (frames, wanted) in cases.items()}
    return found | {by: random_report(4, by) for by in ("lead", "forecaster")}


@pytest.mark.slow
def test_every_format_writes_every_edge_case_and_a_group_begins_with_few_sentences() -> None:
    jsonschema.Draft202012Validator.check_schema(schema("report"))
    validator = jsonschema.Draft202012Validator(schema("report"))
    reports = edge_cases()
    for name, found in reports.items():
        for render in (*TEXTS, as_csv):
            assert render(found).strip(), name
        validator.validate(json.loads(as_json(found)))
        for section in report_document(found).sections:
            text = " ".join(finding.text for finding in section.findings)
            assert len(re.findall(r"\.(?= |$)", text)) <= 3, name
    for name in ("no team", "evidence", "everyone's words"):
        assert as_pdf(reports[name]).startswith(b"%PDF")
    assert "There is no team in this ledger." in as_text(reports["no team"])
    assert reports["a certainty that failed"].groups[0].verdict.rest is not None


def test_the_schema_allows_no_key_without_describing_it() -> None:
    def objects(node: Any) -> list[dict[str, Any]]:
        if isinstance(node, list):
            return [found for item in node for found in objects(item)]
        if not isinstance(node, dict):
            return []
        here = [node] if "properties" in node and "required" in node else []
        return here + [found for item in node.values() for found in objects(item)]

    for each in objects(schema("report")):
        assert each["additionalProperties"] is False
        assert set(each["required"]) == set(each["properties"])


@pytest.mark.slow
def test_the_same_ledger_gives_the_same_bytes() -> None:
    again = report(random_ledger(4), by="team")
    for render in (*TEXTS, as_csv, as_json, as_pdf):
        assert render(random_report(4, "team")) == render(again)


def words(render: Render, found: Report | Comparison) -> str:
    return " ".join(render(found).replace("\u00a0", " ").split())


@pytest.mark.parametrize("render", [as_text, as_html, as_csv, as_markdown])
def test_every_form_names_scales_and_provenance(render: Render) -> None:
    about = random_report(4).metadata
    text = words(render, random_report(4))
    assert ("0–1" in text and "0–2" in text) or "brier_original_mean" in text
    for word in (about.engine_version, "scheduled", "2026-06-01T00:00:00Z", about.input_sha256):
        assert word in text


def test_every_chart_of_the_page_has_its_words_and_the_table_behind_it() -> None:
    page = as_html(random_report(4, "team"))
    # Reliability, ROC curve, lead time and Murphy curve of each of two teams, and its basis.
    assert [page.count(f"<{tag}") for tag in ("figure>", "figcaption", "details")] == [8, 8, 10]
    named = " ".join(re.findall(r'<svg [^>]*aria-labelledby="([^"]*)"', page)).split()
    assert len(named) == 2 * 8
    assert set(named) <= set(re.findall(r'\bid="([^"]*)"', page))
    assert not re.search(r">[^<]*\b(True|None)\b", page)


def test_only_the_text_of_one_group_has_bins() -> None:
    assert "90 to 100%" in as_text(random_report(4))
    assert "90 to 100%" not in as_text(random_report(4, "team"))


@pytest.mark.slow
def test_figures_come_with_luck_and_their_unit() -> None:
    found = random_report(4, questions=80, choices=False)
    made_ = found.groups[0].miscalibration
    for text in (words(render, found) for render in TEXTS):
        for shown in (made_.when_made, made_.expected):
            assert number(shown) in text.replace("\\", "")
        assert "counted as one piece of evidence in every test and interval" in text
        assert "over 40 families of questions" in text
        assert "It counts 40 families of questions as separate evidence" in text
    assert as_html(found).count("<tr") < 200  # only the points of the curve


def test_luck_is_explained_once() -> None:
    both = random_report(4), random_report(4, "team")
    for text in (words(render, found) for found in both for render in TEXTS):
        assert text.count(TERMS["luck"].sentence[1:]) == 1


def test_extremes_come_with_a_warning_about_hindsight() -> None:
    one = report(cited(random_ledger(8)), by="team", names=["north"])
    for render in TEXTS:
        said = words(render, one)
        assert said.count("The rows are the extremes of many, so luck has a part in each.") >= 2


def test_a_murphy_curve_above_the_base_rates_is_not_a_finding() -> None:
    group = random_report(4).groups[0]
    for less, said in (
        (0.01, "is smaller at thresholds of 0 to 100%, which may be luck."),
        (0.0, "is not noticeably smaller at any threshold."),
    ):
        curve = tuple(replace(one, base_rate=one.score - less) for one in group.murphy)
        caption = figures.murphy("", replace(group, murphy=curve)).caption
        assert caption.endswith(f"With the overall share of “yes” as the forecast, it {said}")


def test_a_reaction_is_shown_beside_the_verdict_in_every_format() -> None:
    whole = random_report(4)
    [group] = whole.groups
    slow = replace(group.movement, kind="under_reacting", sentence="Under-reacts: so it does.")
    found = replace(whole, groups=(replace(group, movement=slow),))
    for render in (*TEXTS, as_csv, as_json):
        assert "Under-reacts: so it does." in render(found)


def test_a_report_with_nothing_to_score_names_the_next_step() -> None:
    said = as_text(report(waiting()))
    assert "Nothing is scored yet. Next: record an outcome" in said
    assert "Coverage" not in said
    early = ledger(
        [asked("q", "yes", closes=300, actual_close_time=day(3))], [made("q", "ana", 0, 0.5)]
    )
    for by in ("all", "forecaster"):
        said = words(as_text, report(early, by=by))
        assert "1 question resolved before the scheduled close" in said
        assert "wait for it, or count at once with --cohort resolved" in said


def test_a_team_is_told_that_its_members_forecast_before_they_joined() -> None:
    late = ledger([asked("q", "yes")], [made("q", "ana", 0, 0.3)], [joined("north", "ana", 20)])
    for render in TEXTS:
        said = words(render, report(late, by="team"))
        assert "No forecast counts in north, as none was made while its author was in" in said
        assert "On 1 question of this ledger every forecast was made outside the teams" in said
        assert "forecasts team add TEAM MEMBER --since DAY" in said
        assert "record an outcome" not in said


def test_no_minus_zero_or_zero_infinite_scores_are_shown_and_a_dash_is_explained() -> None:
    found = random_report(4, "forecaster")
    assert "A dash: too few for an interval." in overview(found).note
    for render in TEXTS:
        assert "−0.000" not in render(found)
        assert "0 infinite" not in render(found)


def test_the_summary_says_how_much_of_the_curve_leaves_the_band() -> None:
    group = random_report(4, questions=80, choices=False).groups[0]
    rng = np.random.default_rng(2)
    for leaves in (0, 0, 1, 2, 5):
        off = set(rng.choice(len(group.curve), leaves, replace=False).tolist())
        curve = []
        for place, point in enumerate(group.curve):
            lower = point.recalibrated + (0.1 if place in off else -0.1)
            curve.append(replace(point, lower=lower, upper=point.recalibrated + 0.2))
        weight = sum(point.weight for point in curve)
        outside = sum(point.weight for place, point in enumerate(curve) if place in off) / weight
        said = figures.reliability_in_words(replace(group, curve=curve))
        assert ("The whole curve lies in the band" in said) == (not off)
        share = "less than 1%" if outside < 0.01 else percent(outside)
        assert (f"leaves the band at {share} of the forecasts" in said) == bool(off)
    one = replace(curve[0], lower=1.0, upper=1.0, weight=weight / 500)
    inside = (replace(point, lower=0.0, upper=1.0) for point in curve)
    said = figures.reliability_in_words(replace(group, curve=(one, *inside)))
    assert "leaves the band at less than 1% of the forecasts" in said


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    frames = random_ledger(11, questions=40)
    return build(frames, between=["ana", "bo", "cy"], of="forecasters", as_of=NOW)


def test_every_format_of_a_comparison_states_the_choice() -> None:
    choice = Choice(tags=("t0", "t1"), since=day(1), lead=2)
    frames = random_ledger(11, questions=40)
    compared = build(frames, between=["north", "south"], choice=choice, as_of=NOW)
    said = json.loads(as_json(compared))
    jsonschema.validate(said, schema("comparison"))
    assert (said["metadata"]["lead"], said["metadata"]["since"]) == (2, "2026-01-02T00:00:00Z")
    [row] = csv.DictReader(io.StringIO(as_csv(compared)))
    chosen = [row[name] for name in ("tags", "since", "until", "lead")]
    assert chosen == ["t0;t1", "2026-01-02T00:00:00Z", "", "2"]
    for render in TEXTS:
        text = words(render, compared)
        assert "with the tag t0 or t1" in text
        assert "the forecasts current 2 days before the scheduled close" in text


def test_a_comparison_fits_its_schema_and_each_pair_is_a_row(comparison: Comparison) -> None:
    jsonschema.validate(json.loads(as_json(comparison)), schema("comparison"))
    rows = list(csv.DictReader(io.StringIO(as_csv(comparison))))
    assert [(row["a"], row["b"]) for row in rows] == [("ana", "bo"), ("ana", "cy"), ("bo", "cy")]
    for row, pair in zip(rows, comparison.pairs, strict=True):
        assert float(row["difference"]) == pair.difference
        assert 1 <= int(row["a_rank_low"]) <= int(row["a_rank_high"]) <= 3


@pytest.mark.parametrize("render", TEXTS)
def test_a_comparisons_text_has_every_sentence(render: Render, comparison: Comparison) -> None:
    text = words(render, comparison).replace("\\", "")
    for said in (*(pair.sentence for pair in comparison.pairs), "0–1", "0–2"):
        assert said in text
    assert comparison.metadata.input_sha256 in text


CUT = "Will the harbour freeze over before the end of the year, as it last did in the winter"


def test_updates_have_the_title_and_id_of_their_question_and_the_others_are_counted() -> None:
    ids = [f"q{number:02}" for number in range(12)]
    rows = [row for id_ in ids for row in path(id_, "ana", (1, 0.6), (3, 0.8))]
    titles = dict(zip(ids, (f"{CUT} of 1987?", "Frost?"), strict=False))
    asked_ = [asked(id_, "yes", title=titles.get(id_, "")) for id_ in ids]
    group = report(ledger(asked_, rows)).groups[0]
    table = credits(group)[-1]
    assert {row[0] for row in table.rows} >= {f"{CUT} of … (q00)", "Frost? (q01)", "q02"}
    assert {one.question: one.title for one in group.moved.most}["q01"] == "Frost?"
    assert "If each new forecast was right," in table.note
    assert table.note.endswith("7 more that helped or hurt are not shown.")
