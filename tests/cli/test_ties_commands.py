"""Groups, conditionals, links and forecasts that contradict each other, from the command line."""

import pytest

from tests.cli.conftest import Clock, Fill, Run

BRIDGE = "Will Brenholt open its bridge?"


@pytest.fixture(autouse=True)
def _filled(forecasts: Run, clock: Clock, filled_once: Fill) -> None:
    def fill() -> None:
        months = ("March 2027=30%", "June 2027=20%", "December 2027")
        forecasts("group", "new", BRIDGE, *months, "--kind", "nested", "--slug", "bridge")
        forecasts("ask", "Will they meet?", "40%", "--closes", "2027-03-01", "--slug", "meet")
        given = ("Will tariffs fall by June 2027?", "yes=60%", "no")
        forecasts("condition", "meet", *given)

    filled_once(fill)


MARCH, JUNE = (f"will-brenholt-open-its-bridge-{month}-2027" for month in ("march", "june"))


def test_a_group_is_asked_forecast_and_shown(forecasts: Run) -> None:
    found = forecasts.printed("group", "show", "bridge")
    assert (found["title"], found["kind"]) == (BRIDGE, "nested")
    said = [one["forecast"] and one["forecast"]["probability"] for one in found["members"]]
    assert said == [0.3, 0.2, None]
    assert [one["question"] for one in found["members"]][:2] == [MARCH, JUNE]
    closes = [one["close_time"][:10] for one in found["members"]]
    assert closes == ["2027-03-31", "2027-06-30", "2027-12-31"]
    assert "June 2027" in forecasts("group", "show", "bridge").stdout
    assert "bridge" in forecasts("group", "list").stdout
    assert f"Group bridge (nested): {BRIDGE} As: June 2027" in forecasts("show", JUNE).stdout
    refused = forecasts.refused("group", "new", "Who?", "Rye", "Ulm")
    assert "names no last day of forecasting" in refused
    bare = forecasts.refused("group", "new", "Who?", "May 2027=30", "June 2027")
    assert "forecasts group new 'Who?' 'May 2027=30%'" in bare


def test_a_group_changes_and_its_members_come_and_go(forecasts: Run) -> None:
    assert forecasts("group", "change", "bridge", "--title", "The bridge").stdout.startswith(
        "bridge: nested, The bridge"
    )
    given = ("meet", "--label", "Meeting", "--before", MARCH)
    assert "bridge: Meeting, March 2027" in forecasts("group", "add", "bridge", *given).stdout
    assert "no longer in the group bridge" in forecasts("group", "take-out", "meet").stdout
    assert len(forecasts.printed("group", "show", "bridge")["members"]) == 3


def test_a_kind_that_comes_too_late_is_said_not_to_count(forecasts: Run, clock: Clock) -> None:
    assert forecasts("group", "change", "bridge", "--kind", "independent").stderr == ""
    clock("2027-04-02T12:00:00Z")
    late = forecasts("group", "change", "bridge", "--kind", "nested")
    assert late.stdout.startswith("bridge: nested, ")
    assert late.stderr == (
        "Reports still count it as independent, because an outcome may already be known.\n"
    )
    assert "can no longer leave the group 'bridge'" in forecasts.refused("group", "take-out", MARCH)
    assert forecasts("group", "change", "bridge", "--kind", "independent").stderr == ""


def test_both_branches_are_asked_in_one_act_and_shown(forecasts: Run) -> None:
    found = forecasts.printed("condition", "meet")
    assert found["parent"]["forecast"]["probability"] == 0.4
    yes, no = found["branches"]
    assert (yes["condition"], yes["forecast"]["probability"]) == ("yes", 0.6)
    assert (no["condition"], no["forecast"]) == ("no", None)
    assert "60%" in forecasts("condition", "meet").stdout
    shown = forecasts.printed("show", yes["question"])
    assert shown["condition"] == {"question": "meet", "title": "Will they meet?", "outcome": "yes"}
    assert forecasts.printed("show", "meet")["branches"] == [yes["question"], no["question"]]
    assert "Possible: yes or no" in forecasts.refused(
        "condition", "meet", "Will it hail?", "perhaps", "--closes", "2027-02-01"
    )


def test_a_certain_link_contradicts_until_it_is_removed(forecasts: Run) -> None:
    assert "meet" not in str(forecasts.printed("coherence"))
    sure = ("--strength", "certain", "--because", "The bridge is the agenda.")
    assert forecasts("link", MARCH, "implies", JUNE).stdout.endswith("(strong)\n")
    forecasts("link", "meet", "implies", JUNE, *sure)
    [made, _] = forecasts.printed("show", JUNE)["links"]
    assert (made["question"], made["kind"], made["other"]) == (MARCH, "implies", JUNE)
    said = f"Link: meet implies {JUNE} (certain, alice): The bridge is the agenda."
    assert said in forecasts("show", "meet", "--all").stdout
    [found] = forecasts.printed("coherence", "meet")["contradictions"]
    moves = {one["question"]: (one["said"], one["coherent"]) for one in found["moves"]}
    assert moves["meet"] == (0.4, pytest.approx(0.3))
    assert "30%" in forecasts("coherence", "meet").stdout
    said = forecasts("update", JUNE, "21%").stderr
    assert "It contradicts your other forecasts: forecasts coherence" in said
    assert "removed" in forecasts("unlink", "meet", "implies", JUNE).stdout
    assert not forecasts.printed("coherence", "meet")["contradictions"]
    [still] = forecasts.printed("coherence")["contradictions"]
    assert [one["question"] for one in still["moves"]] == [MARCH, JUNE]
