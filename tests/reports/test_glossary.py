"""Every number that is shown is explained, in one sentence, from one place, and has its page."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from forecasts.reports import Group, formats
from forecasts.reports.comparison import Pair, Side, build
from forecasts.reports.comparison.document import comparison_document
from forecasts.reports.glossary import OF_COMPARISONS, OF_REPORTS, TERMS, explained
from forecasts.reports.report import Decomposition, Miscalibration
from tests.reports.small_ledgers import (
    NOW,
    cited,
    random_ledger,
    random_report,
    report,
    with_numbers,
)

FOLDER = Path(__file__).parents[2] / "docs" / "statistics"
# What names a group, or is told with something else.
NO_NUMBERS = {"name", "decomposition", "forecasters", "evidence", "tested"}


def test_every_statistic_of_a_report_is_explained() -> None:
    of_parts = (*fields(Decomposition), *fields(Miscalibration))
    assert set(OF_REPORTS) == {field.name for field in (*fields(Group), *of_parts)} - NO_NUMBERS


def test_every_statistic_of_a_comparison_is_explained() -> None:
    shown = {field.name for field in (*fields(Pair), *fields(Side))}
    names = {name for name in OF_COMPARISONS if name != "rank"}
    assert names <= shown
    told = {"a", "b", "shared_questions", "families", "interval", "p_value", "reason", "better"}
    about = {"sentence", "name", "rank_low", "rank_high", "forecasters"}
    # In the words of the statistics beside which they stand.
    beside = {"effective_families", "dominant", "imputed", "unanswered", "watched_by_family"}
    beside |= {"periods", "p_by_time", "waiting", "p_waiting", "shared_time", "more_questions"}
    assert shown - names - told - about - beside <= set(OF_REPORTS)


def test_at_most_25_terms_explain_everything_each_with_an_example_and_a_page() -> None:
    assert len(TERMS) <= 25
    assert {*OF_REPORTS.values(), *OF_COMPARISONS.values()} == set(TERMS.values())
    for one in TERMS.values():
        assert (FOLDER / one.page).is_file(), one.title
        assert one.sentence.endswith(".")
        assert ". " not in one.sentence
        assert len(one.sentence) < 300
        assert one.example.endswith(".")
        assert one.help[1:] == f"{one.sentence} Example: {one.example}"[1:]


def test_every_page_on_a_statistic_is_listed() -> None:
    listed = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in FOLDER.glob("*.md") if f"({page.name})" not in listed] == [
        "README.md"
    ]


def test_a_report_explains_the_terms_that_it_shows() -> None:
    whole = report(cited(with_numbers(random_ledger(8))), by="forecaster", names=["ana", "bo"])
    assert explained(whole) == list(dict.fromkeys(OF_REPORTS.values()))
    alone = random_report(8)
    missing = [one for one in explained(whole) if one not in explained(alone)]
    assert missing == [TERMS["adjusted"], TERMS["pit"]]
    for form in ("html", "md"):
        said = str(formats.rendered(whole, form)).replace("\\", "").replace("&#39;", "'")
        assert [one.title for one in explained(whole) if one.meaning[1:] not in said] == []
        other = str(formats.rendered(alone, form)).replace("\\", "")
        assert TERMS["pit"].sentence[1:] not in other


def test_every_question_mark_of_a_page_leads_to_a_term() -> None:
    page = str(formats.rendered(random_report(8, "forecaster"), "html"))
    asked_ = set(re.findall(r'class="help" href="#term-(\w+)"', page))
    assert {"brier", "reliability", "tests", "parts", "auc", "murphy"} <= asked_
    assert asked_ <= set(re.findall(r'id="term-(\w+)"', page)) <= set(TERMS)


@pytest.mark.slow
def test_a_comparison_explains_its_numbers_too() -> None:
    frames = random_ledger(8, questions=40)
    terms = tuple(dict.fromkeys(OF_COMPARISONS.values()))
    made = build(frames, between=["ana", "bo"], of="forecasters", as_of=NOW)
    assert comparison_document(made).terms == terms
    for form in ("html", "md", "text"):
        said = " ".join(str(formats.rendered(made, form)).replace("\\", "").split())
        assert [one.title for one in terms if one.sentence[1:] not in said] == []
    asked_ = set(
        re.findall(r'class="help" href="#term-(\w+)"', str(formats.rendered(made, "html")))
    )
    assert {"luck", "difference", "tipping", "rank"} <= asked_ <= {one.name for one in terms}
