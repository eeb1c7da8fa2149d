"""An export of one JSON document a question."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlmodel import Session

from forecasts.access import teams, visibility
from forecasts.common.errors import Refused
from forecasts.exporting.export import write_question_files
from forecasts.ledger.models import Member
from forecasts.resolution import confirmation
from forecasts.updates import updates
from forecasts.updates.evidence import CitedEvidence
from forecasts.values.value import Value
from tests.conftest import ask, day

pytestmark = pytest.mark.slow


def test_each_question_is_a_document(session: Session, alice: Member, tmp_path: Path) -> None:
    rain = ask(session, alice, slug="rain")
    ask(session, alice, slug="Rain")
    cited = [CitedEvidence(url="https://example.org/a", stance=None)]
    updates.update(
        session, rain, Value(probability=0.8), member=alice, now=day(1), rationale="Wet.",
        evidence=cited,
    )  # fmt: skip
    confirmation.confirm(session, rain, "yes", known_at=day(2), now=day(3), member=alice)
    written = write_question_files(session, tmp_path / "out", member=alice, now=day(4))
    assert sorted(file.name for file in written.files) == ["Rain-2.json", "rain.json"]
    document = json.loads((tmp_path / "out" / "rain.json").read_text(encoding="utf-8"))
    assert (document["id"], document["outcome"]) == ("rain", "yes")
    [forecast] = document["forecasts"]
    assert (forecast["rationale"], forecast["evidence"][0]["url"]) == (
        "Wet.",
        "https://example.org/a",
    )
    assert document["scores"][0]["brier"] == pytest.approx(0.04)
    with pytest.raises(Refused):
        write_question_files(session, tmp_path / "out", member=alice, now=day(4))


def test_it_has_nothing_that_the_member_may_not_see(
    session: Session, alice: Member, bob: Member, tmp_path: Path
) -> None:
    teams.create(session, "Alder", member=alice, now=day(0))
    ask(session, alice, slug="all")
    ask(session, alice, slug="own", **teams.visibility_fields(session, "me"))
    visibility.read_as(session, bob, now=day(1))
    written = write_question_files(session, tmp_path / "out", member=bob, now=day(1))
    assert [file.name for file in written.files] == ["all.json"]
    assert written.left_out == ["1 team"]
