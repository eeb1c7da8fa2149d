"""Several deadlines in one line: which lines are a group, and how their days are read."""

from __future__ import annotations

from datetime import datetime

import pytest

from forecasts.common.errors import BadInput
from forecasts.updates.ask_group import read_group, read_probabilities

NOON = datetime.fromisoformat("2026-12-02T12:00Z")


@pytest.mark.parametrize(
    ("days", "labels"),
    [
        ("by March, June, December 2027", "March 2027|June 2027|December 2027"),
        ("by March 1, 2027, June 1, 2027 and June 1, 2028",
         "March 1, 2027|June 1, 2027|June 1, 2028"),
        ("by March 2028, June, February", "March 2028|June 2028|February 2029"),
        ("before Christmas, 31 March, end of June", "Christmas|31 March|end of June"),
        ("by october and november 2028", "october 2028|november 2028"),
        ("by 2027-03-31, 2027-06-30", "2027-03-31|2027-06-30"),
    ],
)  # fmt: skip
def test_days_of_a_list_take_the_year_beside_them(days: str, labels: str) -> None:
    typed = ", ".join(str(10 * place) for place in range(1, 2 + labels.count("|")))
    line = read_group(f"Will the bridge open {days}? {typed}", now=NOON)
    assert line is not None
    assert [one.label for one in line.members] == labels.split("|")
    assert all(one.label in one.title for one in line.members)
    line.require_whole()


@pytest.mark.parametrize(
    "typed",
    [
        "Will the bridge open by March 2027? 10, 30",
        "Will the bridge open by March 1, 2027? 30",
        "Will the bridge open by March or June 2027? 30",
        "Will the bridge open by March, or in June? 30",
        "Will Ada, Bo and Cy meet by March 2027? 30",
        "Will it be built by Ada, Bo or Cy? 10, 20, 30",
        "Who wins by March, June 2027",
    ],
)
def test_any_other_line_is_no_group(typed: str) -> None:
    assert read_group(typed, now=NOON) is None


def test_probabilities_are_separated_in_any_usual_way() -> None:
    for typed in (
        "10, 30, 60",
        "10% 30 % 60%",
        "10/30/60",
        "(10%; 30%; 60%)",
        ".1 .3 .6",
        "10 30 60.",
    ):
        assert read_probabilities(typed) == (0.1, 0.3, 0.6), typed


def test_days_out_of_order_are_refused() -> None:
    line = read_group("Will it open by June 2028, March 2028? 10, 30", now=NOON)
    assert line is not None
    with pytest.raises(BadInput, match="March 2028 does not come after June 2028"):
        line.require_whole()
