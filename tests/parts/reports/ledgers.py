"""A small ledger that has everything, as a folder of parts; and documents compared by number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from forecasts.folder.frames import LINK_COLUMNS, Frames, typed_frame
from forecasts.parts import tables
from forecasts.parts.folder import Parts
from forecasts.parts.reports import plan, rows
from tests.parts import work
from tests.reports.small_ledgers import asked, cited, day, ledger, made, random_ledger, with_numbers


def everything(questions: int = 64, numeric: int = 32) -> Frames:
    """Return a ledger of two teams with all types, families, tags, withdrawals and evidence.

    Ana has two accounts. Some questions are open, ambiguous, annulled, or without a forecast, some
    are linked, and two are a group.
    """
    frames = with_numbers(random_ledger(7, questions=questions), questions=numeric)
    more = ledger(
        [
            asked("open", closes=400, tags=["t0"]),
            asked("unclear", "ambiguous", tags=["t0", "t1"]),
            asked("void", "annulled", tags=["t1"]),
            asked("unasked", "yes", tags=["t2"], family="f1"),
            asked("elsewhere", "no"),
            *(
                asked(f"by {place}", "no", group="by", group_kind="nested", group_place=place)
                for place in (1.0, 2.0)
            ),
        ],
        [
            made(id_, who, at, p)
            for id_ in ("open", "unclear", "void")
            for who, at, p in (("ana", 1, 0.4), ("bo", 2, 0.7), ("ana", 5, 0.6))
        ]
        + [made("elsewhere", "zoe", 1, 0.2)]
        + [
            made(f"by {place}", who, 1, p)
            for who, ps in (("ana", (0.5, 0.3)), ("cy", (0.2, 0.1)))
            for place, p in zip((1.0, 2.0), ps, strict=True)
        ],
    )
    linked = [
        *(("unasked", "elsewhere", None), ("by 1.0", "by 2.0", None)),
        *(("elsewhere", "q004", day(0)), ("q005", "q006", day(399))),  # the last one is late
    ]
    links = [(*pair, "implies", "certain", "", at) for *pair, at in linked]
    forecasts = pd.concat([frames.forecasts, more.forecasts], ignore_index=True)
    second = (forecasts["forecaster"] == "ana") & (forecasts["probability"] > 0.5)
    forecasts = forecasts.assign(account=second.map({True: "ana 2", False: ""}))
    everyone = replace(
        frames,
        questions=pd.concat([frames.questions, more.questions], ignore_index=True),
        forecasts=forecasts,
        links=typed_frame(pd.DataFrame(links, columns=[*LINK_COLUMNS]), LINK_COLUMNS),
    )
    return cited(everyone)


@contextmanager
def read_piecemeal(folder: Path, frames: Frames, batch_rows: int) -> Iterator[dict[int, Parts]]:
    """Yield the same ledger in 1, 2 and 4 parts, which are read in several chunks and batches."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "ROW_GROUP", 100)
        patch.setattr(rows, "CHUNK_ROWS", 100)
        patch.setattr(plan, "BATCH_ROWS", batch_rows)
        yield {count: written(folder / str(count), frames, count) for count in (1, 2, 4)}


def written(folder: Path, frames: Frames, count: int) -> Parts:
    """Return the folder of so many parts of a ledger, which is written."""
    divided, whole = (frames.questions, frames.forecasts), ("teams", "evidence", "links")
    return work.written(folder, divided, count, **{name: getattr(frames, name) for name in whole})


def assert_equal(found: Any, expected: Any) -> None:
    """Fail where two documents differ: in a number by more than 1e-9, in anything else at all."""
    _same(asdict(found), asdict(expected), [])


def _same(found: Any, expected: Any, path: Sequence[Any]) -> None:
    assert type(found) is type(expected), path
    if isinstance(expected, dict):
        assert list(found) == list(expected), path
        for key in expected:
            _same(found[key], expected[key], [*path, key])
    elif isinstance(expected, (list, tuple)):
        assert len(found) == len(expected), path
        for number, (one, other) in enumerate(zip(found, expected, strict=True)):
            _same(one, other, [*path, number])
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-9, nan_ok=True), path
    else:
        assert found == expected, path
