"""Tables of cases beside the tests: tab-separated, with a header."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def each_row(test: str, name: str, *, by: str) -> pytest.MarkDecorator:
    """Run a test of the file ``test`` for each row of the table beside it, called by a column."""
    rows = table(Path(test).with_name(f"{name}.tsv"))
    return pytest.mark.parametrize("row", rows, ids=[row[by] for row in rows])
