"""The updates that earned and lost most, each with the title and the id of its question."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import jsonschema
import pytest

from forecasts.folder.frames import Frames
from forecasts.parts.reports.reports import report_parts
from forecasts.reports import Report, formats
from forecasts.reports.report_document import credits
from tests.parts.reports.ledgers import written
from tests.reports.small_ledgers import NOW, asked, ledger, made, report, schema

CUT = "Will the harbour freeze over before the end of the year, as it last did in the winter"
TITLE = f"{CUT} of 1987?"


def updated(*titles: str) -> Frames:
    """Return a ledger in which each question has an update."""
    ids = [f"q{number}" for number in range(len(titles))]
    return ledger(
        [asked(id_, "yes", title=title) for id_, title in zip(ids, titles, strict=True)],
        [made(id_, "ana", at, 0.5 + at / 10) for id_ in ids for at in (1, 3)],
    )


@cache
def on(*titles: str) -> Report:
    return report(updated(*titles))


def rendered(found: Report, form: formats.Format) -> str:
    return " ".join(str(formats.rendered(found, form)).split())


def test_a_long_title_is_cut_between_words_and_the_id_stays_whole() -> None:
    moved = on(TITLE).groups[0]
    [[question, *_]] = credits(moved)[-1].rows
    assert question == f"{CUT} of … (q0)"


def test_without_a_title_the_id_stands_alone() -> None:
    for title, said in (("", "q0"), ("Frost?", "Frost? (q0)")):
        [[question, *_]] = credits(on(title).groups[0])[-1].rows
        assert question == said


@pytest.mark.slow
def test_the_json_has_the_title_beside_the_id() -> None:
    data = json.loads(str(formats.rendered(on(TITLE), "json")))
    jsonschema.validate(data, schema("report"))
    [row] = data["groups"][0]["moved"]["most"]
    assert (row["question"], row["title"]) == ("q0", TITLE)


def test_expected_points_name_their_condition_and_further_updates_are_counted() -> None:
    moved = on(*[f"Event {number}?" for number in range(12)]).groups[0]
    said = credits(moved)[-1].note
    assert "was expected if each new forecast was right; the other" in said
    assert said.endswith("7 more that helped or hurt are not shown.")


@pytest.mark.slow
def test_parts_have_the_titles_too(tmp_path: Path) -> None:
    frames = updated("Frost?", "Fog?", TITLE)
    with ThreadPoolExecutor(1) as executor:
        found = report_parts(written(tmp_path / "parts", frames, 2), executor=executor, as_of=NOW)
    for one in (found, report(frames)):
        moved = one.groups[0].moved
        assert {row.question: row.title for row in moved.most} == {
            "q0": "Frost?", "q1": "Fog?", "q2": TITLE
        }  # fmt: skip
