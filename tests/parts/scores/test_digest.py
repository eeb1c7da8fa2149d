"""The digest of scores depends on every bit of their content, and on nothing else."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from forecasts.parts.scores.digest import Digest

SCORES = {
    "question_id": ["rain", "rain", "snow", "rain", "snow", "snow"],
    "forecaster": ["ana", "Żoë", "ana", "ana", "ana", "bo"],
    "protocol": ["brier", "brier", "brier", "log", "log", "log"],
    "score": [0.1, 0.2, 0.3, -0.4, -0.5, float("nan")],
    "coverage": [1.0, 0.5, 1.0, 1.0, 0.25, 1.0],
    "updates": [1, 2, 3, 4, 5, 6],
}


def table() -> pa.Table:
    content = pa.table(SCORES)
    for place, name in enumerate(("question_id", "forecaster", "protocol")):
        content = content.set_column(place, name, content[name].dictionary_encode())
    return content


def digest(*tables: pa.Table) -> str:
    found = Digest()
    for each in tables:
        found.add(each)
    return found.hexdigest()


def test_the_encoding_of_a_file_does_not_change_the_digest(tmp_path: Path) -> None:
    plain: dict[str, Any] = {"compression": "gzip", "use_dictionary": False, "row_group_size": 2}
    pq.write_table(table(), tmp_path / "scores.parquet", **plain)
    assert digest(pq.read_table(tmp_path / "scores.parquet")) == digest(table())


def test_the_size_of_the_chunks_does_not_change_the_digest() -> None:
    for rows in (1, 2, 5):
        pieces = [table().slice(start, rows) for start in range(0, 6, rows)]
        assert digest(*pieces) == digest(table())


def test_the_digest_is_the_documented_one() -> None:
    def streams(*content: bytes) -> bytes:
        return b"".join(sha256(each).digest() for each in content)

    def whole(kind: str, *numbers: float) -> bytes:
        return np.array(numbers, dtype=kind).tobytes()

    brier = streams(
        whole("<i4", 4, 4), b"rainsnow", whole("<i8", 0, 2),
        whole("<i4", 3, 5), "anaŻoë".encode(), whole("<i4", 0, 1, 0),
        whole("<f8", 0.1, 0.2, 0.3), whole("<f8", 1, 0.5, 1), whole("<i8", 1, 2, 3),
    )  # fmt: skip
    log = streams(
        whole("<i4", 4, 4), b"rainsnow", whole("<i8", 0, 1),
        whole("<i4", 3, 2), b"anabo", whole("<i4", 0, 0, 1),
        whole("<f8", -0.4, -0.5, float("nan")), whole("<f8", 1, 0.25, 1), whole("<i8", 4, 5, 6),
    )  # fmt: skip
    assert digest(table()) == sha256(b"brier\n" + brier + b"log\n" + log).hexdigest()
