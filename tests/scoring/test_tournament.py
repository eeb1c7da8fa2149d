"""Settings of a simulated tournament."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from scoring.errors import InputError
from scoring.simulation import Team, Tournament, simulate
from tests.scoring.test_simulation import LARGE, check_frames


def test_settings_can_be_read_from_a_parsed_file() -> None:
    mapping = {"seed": 3, "questions": 12, "families": 12, "teams": [{"name": "Wren", "skill": 1}]}
    expected = Tournament(teams=(Team("Wren", skill=1),), seed=3, questions=12, families=12)
    assert Tournament.from_mapping(mapping) == expected


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"families": 0}, "families"),
        ({"families": 301}, "families"),
        ({"early_share": 1.5}, "early_share"),
        ({"early_share": 0.6, "event_share": 0.6}, "event_share"),
        ({"updates": 0.5}, "updates"),
        ({"choice_share": 1.1}, "choice_share"),
        ({"options": 1}, "options"),
        ({"sizes": [2, 3]}, "sizes"),
        ({"prior_means": []}, "prior_means"),
        ({"unknown": -0.1}, "unknown"),
        ({"unknown": 0.5, "event_share": 0.1}, "unknown"),
        ({"late": -0.1}, "late"),
        ({"least": 0.5}, "least"),
        ({"longest_days": 3}, "longest_days"),
        ({"last_close": datetime(2025, 7, 2, tzinfo=UTC)}, "last_close"),
        ({"first_open": datetime(2025, 7, 1)}, "first_open"),  # noqa: DTZ001
        ({"teams": []}, "teams"),
        ({"teams": [{"name": "Wren"}, {"name": "Wren (simulated)"}]}, "teams"),
        ({"teams": [{"name": "Wren", "skill": 0}]}, "skill"),
        ({"teams": [{"name": "Wren", "extremity": math.inf}]}, "extremity"),
        ({"teams": [{"name": "Wren", "shift": math.nan}]}, "shift"),
        ({"teams": [{"name": "Wren", "responsiveness": 1.1}]}, "responsiveness"),
        ({"teams": [{"name": "Wren", "members": 0}]}, "members"),
        ({"teams": [{"name": "Wren", "withdrawal": -0.1}]}, "withdrawal"),
    ],
)
def test_a_setting_that_breaks_a_rule_is_refused_by_name(
    change: dict[str, object], names: str
) -> None:
    with pytest.raises(InputError) as refused:
        Tournament.from_mapping({"teams": [{"name": "Wren"}], **change})
    assert refused.value.problems[0].column == names


def test_a_tournament_in_which_nobody_takes_part_has_questions_and_no_forecasts() -> None:
    settings = replace(LARGE, questions=5, families=5, participation=0.0)
    simulated = simulate(settings)
    check_frames(simulated, settings)
    assert len(simulated.forecasts) == 0


def test_a_tournament_ends_in_time_even_when_its_questions_fill_it() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    settings = replace(
        LARGE,
        questions=20,
        families=20,
        first_open=start,
        last_close=start + timedelta(days=30),
        shortest_days=30,
        longest_days=30,
    )
    assert (simulate(settings).questions["open_time"] == start).all()
