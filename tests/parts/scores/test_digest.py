"""The digest of scores depends on every bit of their content, and on nothing else."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from forecasts.parts.scores.digest import Digest

SCORES = {
    "question_id": ["rain", "rain", "snow", "rain", "snow", "snow"],
    "forecaster": ["ana", "Żoë", "ana", "ana", "ana", "bo"],
    "protocol": ["brier", "brier", "brier", "log", "log", "log"],
    "score": [0.1, 0.2, 0.3, -0.4, -0.5, float("nan")],
    "coverage": [1.0, 0.5, 1.0, 1.0, 0.25, 1.0],
    "updates": [1, 2, 3, 4, 5, 6],
}


def table(**changes: Any) -> pa.Table:
    content = pa.table(SCORES | changes)
    for place, name in enumerate(("question_id", "forecaster", "protocol")):
        content = content.set_column(place, name, content[name].dictionary_encode())
    return content


def digest(*tables: pa.Table) -> str:
    found = Digest()
    for each in tables:
        found.add(each)
    return found.hexdigest()


@pytest.mark.parametrize(
    "options",
    [
        {"compression": "none"},
        {"compression": "gzip", "use_dictionary": False},
        {"compression": "zstd", "row_group_size": 2},
    ],
)
def test_the_encoding_of_a_file_does_not_change_the_digest(
    options: dict[str, Any], tmp_path: Path
) -> None:
    pq.write_table(table(), tmp_path / "scores.parquet", **options)
    assert digest(pq.read_table(tmp_path / "scores.parquet")) == digest(table())


def test_the_size_of_the_chunks_does_not_change_the_digest() -> None:
    for rows in (1, 2, 5):
        pieces = [table().slice(start, rows) for start in range(0, 6, rows)]
        assert digest(*pieces) == digest(table())


@pytest.mark.parametrize(
    "changes",
    [
        {"question_id": ["rain", "rain", "snow", "rain", "snow", "sleet"]},
        {"question_id": ["rain", "snow", "snow", "rain", "snow", "snow"]},
        {"forecaster": ["an", "aŻoë", "ana", "ana", "ana", "bo"]},
        {"forecaster": ["ana", "Żoë", "Żoë", "ana", "ana", "bo"]},
        {"protocol": ["brier", "brier", "brier", "log", "log", "log "]},
        {"score": [np.nextafter(0.1, 1), 0.2, 0.3, -0.4, -0.5, float("nan")]},
        {"coverage": [1.0, 0.5, 1.0, 1.0, 0.25, np.nextafter(1.0, 0)]},
        {"updates": [1, 2, 3, 4, 5, 7]},
    ],
)
def test_a_different_name_number_or_bit_changes_the_digest(changes: dict[str, Any]) -> None:
    assert digest(table(**changes)) != digest(table())


def test_the_digest_is_the_documented_one() -> None:
    def streams(*content: bytes) -> bytes:
        return b"".join(sha256(each).digest() for each in content)

    def whole(kind: str, *numbers: float) -> bytes:
        return np.array(numbers, dtype=kind).tobytes()

    one = table().slice(0, 3)
    expected = streams(
        whole("<i4", 4, 4), b"rainsnow", whole("<i8", 0, 2),
        whole("<i4", 3, 5), "anaŻoë".encode(), whole("<i4", 0, 1, 0),
        whole("<f8", 0.1, 0.2, 0.3), whole("<f8", 1, 0.5, 1), whole("<i8", 1, 2, 3),
    )  # fmt: skip
    assert digest(one) == sha256(b"brier\n" + expected).hexdigest()
