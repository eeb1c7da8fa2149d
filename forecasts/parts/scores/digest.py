"""The digest of scores. How their files are encoded or divided into chunks does not change it.

Each protocol of a part has streams of bytes, from all rows in order:

- questions: the length of each id's UTF-8 (int32), its bytes, and the row it begins at (int64);
- forecasters: the length of each name and its bytes, in order of first appearance, and each row's
  number among them (int32), from 0: hashing each row's name would take longer than the rest;
- scores and coverage (float64), and updates (int64).

Numbers are little-endian. The digest of a part is the SHA-256 of the protocols by name: each name,
a line break, and the SHA-256 of each stream, in this order.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

_ROWS = 1 << 20  # the texts of more rows might not fit into one Arrow array
_NUMBERS = {"score": "<f8", "coverage": "<f8", "updates": "<i8"}


class Digest:
    """The digest of one part, from tables of scores that follow each other."""

    def __init__(self) -> None:
        self._protocols: dict[str, _Streams] = {}

    def add(self, scores: Any) -> None:
        """Add an Arrow table of scores, whose ids are dictionaries."""
        names = pc.unique(scores["protocol"]).to_pylist()
        for name in names:
            own = scores
            if len(names) > 1:
                own = scores.filter(pc.equal(scores["protocol"].cast(pa.string()), name))
            streams = self._protocols.setdefault(name, _Streams())
            for batch in own.to_batches(max_chunksize=_ROWS):
                streams.add(batch)

    def hexdigest(self) -> str:
        """Return the digest of all that was added, in hexadecimal."""
        whole = hashlib.sha256()
        for name in sorted(self._protocols):
            whole.update(f"{name}\n".encode() + self._protocols[name].digests())
        return whole.hexdigest()


class _Streams:
    """The streams of one protocol."""

    def __init__(self) -> None:
        self._hashes: list[Any] = [hashlib.sha256() for _ in range(6 + len(_NUMBERS))]
        self._rows = 0
        self._people: dict[str, int] = {}
        self._question: str | None = None

    def add(self, batch: Any) -> None:
        lengths, ids, first_rows, name_lengths, names, people, *numbers = self._hashes
        question = batch.column("question_id")
        codes = question.indices.to_numpy()
        begins = np.ones(len(codes), dtype=np.bool_)
        begins[1:] = codes[1:] != codes[:-1]
        begins[0] = question[0].as_py() != self._question
        first = np.flatnonzero(begins)
        _add_texts(question.dictionary.take(question.indices.take(pa.array(first))), lengths, ids)
        first_rows.update((first + self._rows).astype("<i8"))
        people.update(self._numbered(batch.column("forecaster"), name_lengths, names))
        for stream, (column, layout) in zip(numbers, _NUMBERS.items(), strict=True):
            stream.update(batch.column(column).to_numpy().astype(layout, copy=False))
        self._rows += len(codes)
        self._question = question[-1].as_py()

    def _numbered(self, forecaster: Any, lengths: Any, characters: Any) -> npt.NDArray[np.int32]:
        """Return the number of each row's forecaster, and hash the new names."""
        code, distinct = pd.factorize(forecaster.indices.to_numpy())
        texts, known = forecaster.dictionary.take(pa.array(distinct)), len(self._people)
        each = [self._people.setdefault(name, len(self._people)) for name in texts.to_pylist()]
        number = np.array(each, dtype="<i4")
        _add_texts(texts.filter(pa.array(number >= known)), lengths, characters)
        numbers: npt.NDArray[np.int32] = number.take(code)
        return numbers

    def digests(self) -> bytes:
        return b"".join(stream.digest() for stream in self._hashes)


def _add_texts(texts: Any, lengths: Any, characters: Any) -> None:
    _, offsets, data = texts.buffers()
    ends = np.frombuffer(offsets, dtype=np.int32)[: len(texts) + 1]
    lengths.update(np.diff(ends).astype("<i4", copy=False))
    if data is not None:
        characters.update(data[: int(ends[-1])])
