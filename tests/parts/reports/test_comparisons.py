"""Comparisons on parts: each number is that of the comparison in one process."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from forecasts.common.errors import BadInput
from forecasts.folder.frames import Frames
from forecasts.parts.folder import Parts
from forecasts.parts.reports.comparisons import compare_parts
from forecasts.reports.comparison import Comparison, build
from tests.parts.reports.ledgers import assert_equal, everything, read_piecemeal
from tests.reports.small_ledgers import NOW, day, picked

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def ledger() -> Frames:
    return everything(questions=40, numeric=2)


@pytest.fixture(scope="module")
def parts(ledger: Frames, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, Parts]]:
    with read_piecemeal(tmp_path_factory.mktemp("parts"), ledger, 200) as every:
        yield every


def compared(parts: Parts, between: list[str], **wanted: Any) -> Comparison:
    arguments: dict[str, Any] = {"as_of": NOW} | picked(wanted)
    with ThreadPoolExecutor(2) as executor:
        return compare_parts(parts, executor=executor, sides=between, **arguments)


@pytest.mark.parametrize(
    ("count", "between", "wanted"),
    [
        (1, ["north", "south"], {"cohort": "resolved"}),
        (2, ["south", "north"], {"alike": True}),
        (2, ["dee", "zoe", "bo"], {"of": "forecasters", "tags": ("t1", "t2")}),
        (2, ["ana", "dee"], {"of": "forecasters", "made_before": day(5), "lead": 3}),
        (4, ["ana", "bo", "zoe"], {"of": "forecasters", "as_of": day(8)}),  # all are still open
    ],
)
def test_every_number_is_that_of_one_process(
    ledger: Frames,
    parts: dict[int, Parts],
    count: int,
    between: list[str],
    wanted: dict[str, Any],
) -> None:
    arguments: dict[str, Any] = {"as_of": NOW} | picked(wanted)
    assert_equal(
        compared(parts[count], between, **wanted), build(ledger, between=between, **arguments)
    )


def test_a_comparison_takes_two_sides(parts: dict[int, Parts]) -> None:
    with pytest.raises(BadInput, match="two or more teams"):
        compared(parts[1], ["north"])
    with pytest.raises(BadInput, match="no team 'east'"):
        compared(parts[1], ["north", "east"])
