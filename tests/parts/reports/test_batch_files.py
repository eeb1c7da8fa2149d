"""Rows sorted into batches are read back whole, and in their order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from forecasts.parts.reports import batch_files
from forecasts.parts.reports.rows import concatenated


def test_a_batch_is_read_across_files_even_if_one_has_too_much_text_for_a_chunk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [f"text {row}" for row in range(6)]
    small = pa.table({"text": texts[:3], "number": [0, 1, 2]})
    large = pa.concat_tables(
        [pa.table({"text": [texts[row]], "number": [row]}) for row in (3, 4, 5)]
    )
    batch_files.write(tmp_path / "part-00000.arrow", small, np.array([7, 2, 7]))
    monkeypatch.setattr(batch_files, "MOST_BYTES", 0)
    batch_files.write(tmp_path / "part-00001.arrow", large, np.array([2, 7, 2]))
    assert concatenated(tmp_path, 2).to_pydict() == {
        "text": ["text 1", "text 3", "text 5"],
        "number": [1, 3, 5],
    }
    assert concatenated(tmp_path, 7)["number"].to_pylist() == [0, 2, 4]
    assert concatenated(tmp_path, 3).num_rows == 0
    assert pa.types.is_large_string(concatenated(tmp_path, 2)["text"].type)


def test_a_file_without_rows_has_no_batches(tmp_path: Path) -> None:
    blank = pa.table({"number": pa.array([], pa.int32())})
    batch_files.write(tmp_path / "part-00000.arrow", blank, np.zeros(0, np.intp))
    assert list(batch_files.read(tmp_path, 0)) == []
