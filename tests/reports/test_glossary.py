"""Every number that is shown is explained, in one sentence, from one place, and has its page."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from forecasts.reports import Group, formats
from forecasts.reports.comparison import Pair, Side, build
from forecasts.reports.comparison.document import comparison_document
from forecasts.reports.glossary import OF_COMPARISONS, OF_REPORTS, explained
from forecasts.reports.report import Decomposition, Miscalibration
from tests.reports.small_ledgers import (
    NOW,
    cited,
    random_ledger,
    random_report,
    report,
    with_numbers,
)

NOT_ALONE = ("skill", "crowd_skill", "crowd_brier_skill", "adjusted")
FOLDER = Path(__file__).parents[2] / "docs" / "statistics"
EVERY = [*OF_REPORTS.values(), *OF_COMPARISONS.values()]
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


def test_every_page_on_a_statistic_is_named_by_one_and_is_there() -> None:
    assert {one.page for one in EVERY} | {"README.md"} == {
        page.name for page in FOLDER.glob("*.md")
    }


def test_each_term_is_explained_in_one_sentence() -> None:
    for one in EVERY:
        assert one.sentence.endswith("."), one.title
        assert ". " not in one.sentence
        assert len(one.sentence) < 260
        assert one.help[1:] == one.sentence[1:]


def test_a_report_explains_the_terms_that_it_shows() -> None:
    whole = report(cited(with_numbers(random_ledger(8))), by="forecaster", names=["ana", "bo"])
    assert explained(whole) == list(OF_REPORTS.values())
    alone = random_report(8)
    missing = [one for one in OF_REPORTS.values() if one not in explained(alone)]
    assert missing == [OF_REPORTS[name] for name in ("left_out", *NOT_ALONE, "pit", "earned")]
    for form in ("html", "md"):
        said = str(formats.rendered(whole, form)).replace("\\", "").replace("&#39;", "'")
        assert [one.title for one in explained(whole) if one.sentence[1:] not in said] == []
        other = str(formats.rendered(alone, form)).replace("\\", "")
        assert OF_REPORTS["skill"].sentence[1:] not in other


@pytest.mark.slow
def test_a_comparison_explains_its_numbers_too() -> None:
    frames = random_ledger(8, questions=40)
    teams = build(frames, between=["north", "south"], as_of=NOW)
    assert comparison_document(teams).terms == tuple(
        one for name, one in OF_COMPARISONS.items() if name != "skill"
    )
    made = build(frames, between=["ana", "bo"], of="forecasters", as_of=NOW)
    for form in ("html", "md", "text"):
        said = " ".join(str(formats.rendered(made, form)).replace("\\", "").split())
        assert [one.title for one in OF_COMPARISONS.values() if one.sentence[1:] not in said] == []
