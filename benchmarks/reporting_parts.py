"""The works of ``benchmarks.scale`` that report on parts, and on the same in one process."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from forecasts.documents.as_json import json_pieces
from forecasts.folder.frames import FORECAST_COLUMNS, Frames, complete, typed_frame
from forecasts.parts.execution import Processes
from forecasts.parts.folder import open_parts
from forecasts.parts.reports.reports import report_parts
from forecasts.reports import Report, build

# After every question has closed.
AS_OF = datetime(2100, 1, 1, tzinfo=UTC)
TOLERANCE = 1e-9


def report_on_parts(folder: str, by: str, output: str) -> str:
    """Return the digest of a report on parts, whose JSON is written."""
    with Processes(preload=["forecasts.parts.reports.reports"]) as executor:
        parts = open_parts(Path(folder))
        made = report_parts(parts, executor=executor, by=by, as_of=AS_OF)  # type: ignore[arg-type]
    return _written(made, output)


def report_in_memory(folder: str, by: str, output: str) -> str:
    """Return the digest of the report on the same ledger in one process."""
    parts = open_parts(Path(folder))
    every = [parts.forecasts(part) for part in range(parts.count)]
    texts = {"question_id": "str", "forecaster": "str"}
    made = pd.concat([each.astype(texts) for each in every], ignore_index=True)
    made = made.reindex(columns=list(FORECAST_COLUMNS)).assign(rationale="")
    for name in ("probabilities", "quantiles", "evidence"):
        cells = made[name].to_list()
        made[name] = [json.loads(cell) if isinstance(cell, str) else None for cell in cells]
    asked = [parts.questions(part) for part in range(parts.count)]
    frames = Frames(
        questions=pd.concat(asked, ignore_index=True),
        forecasts=typed_frame({name: made[name] for name in FORECAST_COLUMNS}, FORECAST_COLUMNS),
        teams=parts.whole("teams"),
        evidence=parts.whole("evidence"),
        articles=complete(pd.DataFrame(), pd.DataFrame()).articles,
    )
    return _written(build(frames, by=by, as_of=AS_OF), output)  # type: ignore[arg-type]


def _written(report: Report, output: str) -> str:
    with Path(output).open("w") as file:
        file.writelines(json_pieces(report))
    return report.metadata.input_sha256


def assert_equal_numbers(found: Path, expected: Path) -> None:
    """Fail where two documents differ, in a number by more than a billionth."""
    _same(json.loads(found.read_text()), json.loads(expected.read_text()), "")


def _same(found: Any, expected: Any, path: str) -> None:
    if isinstance(expected, dict):
        assert list(found) == list(expected), path
        for key in expected:
            _same(found[key], expected[key], f"{path}.{key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), path
        for number, (one, other) in enumerate(zip(found, expected, strict=True)):
            _same(one, other, f"{path}[{number}]")
    elif isinstance(expected, float) and isinstance(found, (int, float)):
        close = math.isclose(found, expected, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
        assert close, f"{path}: {found} against {expected}"
    else:
        assert found == expected, f"{path}: {found!r} against {expected!r}"
