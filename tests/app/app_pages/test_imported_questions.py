"""Imported questions show where they come from, and the scores that their platform printed."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from forecasts.access.members import member_named
from forecasts.ledger import database
from forecasts.ledger.models import PrintedScore, QuestionOrigin
from forecasts.questions import registry
from tests.app.conftest import columns, visit, words
from tests.conftest import day

pytestmark = pytest.mark.slow


@pytest.fixture
def imported(furnished: AppTest, engine: Engine) -> AppTest:
    """The resolved question about snow is of Fatebook, that about rain of Metaculus."""
    with database.writing(engine) as ledger:
        snow, rain = registry.find(ledger, "snow"), registry.find(ledger, "rain")
        at = {"platform_id": "7", "recorded_at": day(4)}
        url = "https://www.metaculus.com/questions/7/"
        ledger.add(QuestionOrigin(question_id=snow.id, platform="fatebook", url="", **at))
        ledger.add(QuestionOrigin(question_id=rain.id, platform="metaculus", url=url, **at))
        alice, score = member_named(ledger, "alice"), {"name": "Brier score", "score": 0.25}
        printed = {"member_id": alice.id, "platform": "fatebook", "recorded_at": day(4)}
        ledger.add(PrintedScore(question_id=snow.id, **printed, **score))
    return furnished


def test_a_question_links_to_its_original_and_the_list_filters_by_platform(
    imported: AppTest,
) -> None:
    visit(imported, "question", slug="rain")
    assert "Original: Metaculus 7" in words(imported)
    links = [one.proto for one in imported.get("page_link")]
    assert [one.page for one in links if one.external] == ["https://www.metaculus.com/questions/7/"]
    said = words(visit(imported, "questions", platform="Fatebook"))
    assert "Will it snow?" in said
    assert "Will the quay open?" not in said
    assert " · Fatebook" in said
    assert not imported.exception


def test_printed_scores_are_beside_ours_on_the_question_and_in_my_scores(imported: AppTest) -> None:
    visit(imported, "question", slug="snow")
    assert "Imported from Fatebook 7" in words(imported)  # which has no address
    shown = columns(imported, "Printed")
    assert list(shown["Score"]) == ["Fatebook: Brier score"]
    assert list(shown["Printed"]) == ["0.250"]
    assert float(shown["Ours"][0]) > 0.25
    assert "late joiners look better than they are" in words(imported)
    visit(imported, "my_scores", question="snow")
    assert "Printed" in imported.table[1].value
    assert "Forecaster" not in imported.table[1].value
    assert "Fatebook: Brier score" in words(imported)
