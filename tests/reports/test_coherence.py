"""Coherence in a report: what contradictions cost, and nothing where there is none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from forecasts.folder.frames import LINK_COLUMNS, Frames, typed_frame
from forecasts.reports.report import Coherence
from tests.reports.small_ledgers import asked, day, joined, ledger, path, report


def bridge(name: str, place: int, resolution: str) -> dict[str, Any]:
    return asked(
        f"{name}-{place}",
        resolution,
        family=name,
        group=name,
        group_kind="nested",
        group_title=name,
        group_label=str(place),
        group_place=float(place),
    )


def frames() -> Frames:
    """Two nested groups: ana contradicts herself by 20 points in one, ben in none."""
    questions = [bridge(name, place, "no") for name in ("north", "south") for place in (1, 2)]
    said = [
        *path("north-1", "ana", (0, 0.6)),
        *path("north-2", "ana", (0, 0.4)),
        *path("south-1", "ana", (0, 0.2)),
        *path("south-2", "ana", (0, 0.2)),
        *path("north-1", "ben", (0, 0.1)),
        *path("north-2", "ben", (0, 0.4)),
    ]
    return ledger(questions, said, [joined("all", "ana"), joined("all", "ben")])


def of(made: Any, name: str) -> Coherence:
    [found] = [group.coherence for group in made.groups if group.name == name]
    assert found is not None
    return found


def test_a_contradiction_has_a_price_a_question() -> None:
    made = report(frames(), by="forecaster")
    ana, ben = of(made, "ana"), of(made, "ben")
    assert (ana.sets, ana.contradicting, ana.questions, ana.families) == (2, 1, 4, 2)
    # 0.6² − 0.5² and 0.4² − 0.5² on two of four questions.
    assert ana.cost.mean == pytest.approx((0.11 - 0.09) / 4)
    assert ana.sentence.startswith(
        "Forecasts contradicted each other in 1 of 2 sets of questions that hang together. "
        "That cost 0.0050 Brier points (0–1) a question (95% interval 0.0000 to "
    )
    assert (ben.sets, ben.contradicting, ben.cost.mean) == (1, 0, 0.0)
    assert ben.sentence == (
        "Nothing contradicts itself in the forecasts on 1 set of questions that hang together."
    )


def test_a_team_has_the_mean_over_its_members() -> None:
    found = of(report(frames(), by="team"), "all")
    assert found.questions == 4
    assert found.cost.mean == pytest.approx((0.11 - 0.09) / 2 / 4)


def test_links_count_if_they_are_certain() -> None:
    questions = [asked("meet", "yes"), asked("talk", "yes")]
    said = [*path("meet", "ana", (0, 0.8)), *path("talk", "ana", (0, 0.2))]
    for strength, there in (("certain", True), ("strong", False)):
        row = {"question_id": "meet", "other_id": "talk", "kind": "implies", "strength": strength}
        links = typed_frame({name: [value] for name, value in row.items()}, LINK_COLUMNS)
        [group] = report(replace(ledger(questions, said), links=links)).groups
        assert (group.coherence is not None) == there


def test_links_that_may_know_an_outcome_count_not() -> None:
    """Else anyone could choose, by the outcomes, the links that make forecasts look costly."""
    questions = [asked("meet", "yes"), asked("talk", "yes", known_at=day(4))]
    said = [*path("meet", "ana", (0, 0.8)), *path("talk", "ana", (0, 0.2))]
    row = {"question_id": "meet", "other_id": "talk", "kind": "implies", "strength": "certain"}
    for at, there in ((3.9, True), (4, False)):
        one = {name: [value] for name, value in (row | {"made_at": day(at)}).items()}
        frames = replace(ledger(questions, said), links=typed_frame(one, LINK_COLUMNS))
        [group] = report(frames).groups
        assert (group.coherence is not None) == there


def test_without_ties_nothing_is_said() -> None:
    [group] = report(ledger([asked("q", "yes")], path("q", "ana", (0, 0.5)))).groups
    assert group.coherence is None


def test_only_forecasts_on_the_chosen_questions_count() -> None:
    """The last question that is chosen is of a set, and ana contradicts herself on others."""
    later = {"scheduled_close_time": day(20)}
    rest = [bridge("west", place, "no") | later for place in (1, 2)]
    more = [*path("west-1", "ana", (0, 0.9)), *path("west-2", "ana", (0, 0.1))]
    made = frames()
    both = ledger([*made.questions.to_dict("records"), *rest], more)
    whole = replace(both, forecasts=pd.concat([made.forecasts, both.forecasts], ignore_index=True))
    assert of(report(whole, until=day(15)), "all").sets == 2
    assert of(report(whole), "all").sets == 3
    [nobody] = report(whole, until=day(-1)).groups
    assert nobody.coherence is None
