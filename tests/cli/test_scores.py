"""One's own scores: the list, one question with its updates, orders and search."""

import pytest
from click.testing import Result

from tests.cli.conftest import Clock, Fill, Run

pytestmark = pytest.mark.slow


@pytest.fixture
def resolved(forecasts: Run, clock: Clock, filled_once: Fill) -> None:
    """Three questions that alice and bob forecast, and one that only bob did."""
    filled_once(lambda: fill(forecasts, clock))
    clock("2026-01-19T12:00:00Z")


def fill(forecasts: Run, clock: Clock) -> None:
    for slug, title in (("rain", "Will it rain?"), ("snow", "Will it snow?"), ("hail", "Hail?")):
        forecasts("ask", title, "--closes", "2026-01-15T12:00:00Z", "--slug", slug)
        forecasts("update", slug, "50%", "--as", "bob")
    forecasts("ask", "Will there be fog?", "--closes", "2026-01-15", "--slug", "fog")
    forecasts("update", "fog", "50%", "--as", "bob")
    for slug, value in (("rain", "40%"), ("snow", "80%"), ("hail", "10%")):
        forecasts("update", slug, value)
    clock("2026-01-10T12:00:00Z")
    forecasts("update", "rain", "90%")
    for day, slug in enumerate(("rain", "snow", "hail", "fog"), 16):
        clock(f"2026-01-{day}T12:00:00Z")
        outcome = "yes" if slug == "rain" else "no"
        forecasts("resolve", slug, outcome, "--known-at", "2026-01-15T12:00:00Z")


def titles(result: Result) -> list[str]:
    """Return the last words of the table's lines."""
    _, table = result.stdout.split("title", 1)
    return [line.split()[-1] for line in table.splitlines()[1:]]


def test_the_list_has_every_question_with_ones_own_score_the_latest_first(
    forecasts: Run, resolved: None
) -> None:
    listed = forecasts("scores")
    assert titles(listed) == ["Hail?", "snow?", "rain?"]
    mean = (0.1**2 + 0.8**2 + (0.6**2 + 0.1**2) / 2) / 3
    assert f"Brier {mean:.3f}" in listed.stdout
    assert "over 3 resolved questions" in " ".join(listed.stdout.split())
    [rain] = [line for line in listed.stdout.splitlines() if "rain?" in line]
    # 40%, then 90% for the second half: 0.185, 0.065 better than bob's 0.25.
    assert rain.split()[:6] == ["2026-01-15", "0.185", "+0.065", "+0.175", "90%", "yes"]
    assert all(len(line) <= 80 for line in listed.stdout.splitlines())


def test_the_list_can_be_sorted(forecasts: Run, resolved: None) -> None:
    for order, slugs in (
        ("best", ["hail", "rain", "snow"]),
        ("worst", ["snow", "rain", "hail"]),
        ("earned", ["rain", "hail", "snow"]),  # the others have no update that replaced one
        ("crowd", ["hail", "rain", "snow"]),
    ):
        found = forecasts.printed("scores", "--sort", order)
        assert [one["id"] for one in found] == slugs, order
    refused = forecasts.refused("scores", "--sort", "luck")
    assert "--sort 'luck' is not known." in refused


def test_one_question_shows_the_points_of_each_update(forecasts: Run, resolved: None) -> None:
    shown = forecasts("scores", "rain").stdout
    assert shown.splitlines()[0] == "Will it rain?"
    assert "Brier 0.185 · outcome yes · coverage 100% · against the crowd +0.0650" in shown
    first, second = (line.split() for line in shown.splitlines()[-2:])
    assert first == ["2026-01-05", "5.0", "0.360", "–", "40%"]
    assert second == ["2026-01-10", "5.0", "0.010", "+0.175", "90%"]


def test_words_limit_the_list_and_the_means(forecasts: Run, resolved: None) -> None:
    assert titles(forecasts("scores", "--search", "rain")) == ["rain?"]
    assert "You have no score there." in forecasts("scores", "--search", "wind").stdout
    assert "You have no score there." in forecasts("scores", "fog").stdout


def test_without_results_it_says_when_there_will_be_some(forecasts: Run) -> None:
    assert "No results yet." in forecasts("scores").stdout
    assert forecasts.printed("scores") == []
