"""Reports on parts: each number is that of the report in one process."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from forecasts.parts import folder, plan, steps
from forecasts.parts.folder import Parts
from forecasts.parts.reports import report_parts
from forecasts.reports import Report
from forecasts.scores.frames import Frames
from tests.parts.ledgers import assert_equal, everything, written
from tests.reports.small_ledgers import NOW, day, picked, report


@pytest.fixture(scope="module")
def ledger() -> Frames:
    return everything()


@pytest.fixture(scope="module")
def parts(ledger: Frames, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, Parts]]:
    """The same ledger in 1, 3 and 7 parts, which are read in several chunks and batches."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folder, "ROW_GROUP", 200)
        patch.setattr(steps, "CHUNK_ROWS", 200)
        patch.setattr(plan, "BATCH_ROWS", 600)
        beside = tmp_path_factory.mktemp("parts")
        yield {count: written(beside / str(count), ledger, count) for count in (1, 3, 7)}


def report_on(parts: Parts, **wanted: Any) -> Report:
    with ThreadPoolExecutor(2) as executor:
        return report_parts(parts, executor=executor, **({"as_of": NOW} | picked(wanted)))


@pytest.mark.parametrize(
    ("count", "wanted"),
    [
        (3, {"by": "all"}),
        (1, {"by": "forecaster"}),
        (7, {"by": "forecaster"}),
        (3, {"by": "team"}),
        (7, {"by": "tag"}),
        (3, {"by": "lead"}),
        (3, {"by": "forecaster", "names": ["cy", "ana"], "lead": 2}),
        (7, {"by": "team", "tags": ("t1",), "cohort": "resolved"}),
        (3, {"by": "forecaster", "made_before": day(4), "until": day(10)}),
        (7, {"by": "tag", "names": ["t2"], "made_before": day(3)}),
    ],
)
def test_every_number_is_that_of_one_process(
    ledger: Frames, parts: dict[int, Parts], count: int, wanted: dict[str, Any]
) -> None:
    found = report_on(parts[count], **wanted)
    assert len(found.groups) > 0
    assert_equal(found, report(ledger, **wanted))
