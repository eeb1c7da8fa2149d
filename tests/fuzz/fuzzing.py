"""Shared by the fuzz tests: numbers of examples, permitted outcomes, and ways to damage a file.

``make test`` runs each test with a few fixed examples and ``make test-long`` with more of them;
``pytest -m nightly tests/fuzz`` uses many new ones.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from forecasts.common.errors import LedgerError
from scoring.errors import InputError
from tests import nasty
from tests.examples import examples

MANY = 4_000
PATIENCE = 20.0  # seconds for one example; all are small, but the machine may be busy


def few_or(few: int, many: int = MANY) -> Any:
    """Return the parametrization of a fuzz test: few examples, or many with ``nightly``."""
    fewer = pytest.param(few, marks=pytest.mark.hypothesis)
    return pytest.mark.parametrize(
        "examples", [fewer, pytest.param(many, marks=pytest.mark.nightly)]
    )


def fuzz(number: int) -> settings:
    """Return the settings for this many examples."""
    return settings(
        max_examples=number if number >= 1_000 else examples(number),
        derandomize=number < 1_000,
        deadline=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )


@contextmanager
def our_own_or_nothing() -> Iterator[None]:
    """Catch LedgerErrors, which must have a message; others propagate. Limits the time."""
    begun = time.perf_counter()
    try:
        yield
    except LedgerError as error:
        said = str(error)
        assert said
        assert len(said) < 20_000, said[:500]
        said.encode("utf-8", "backslashreplace")
        for problem in getattr(error, "problems", ()):
            assert problem.place
            assert len(str(problem)) < 5_000
    except InputError:
        pass
    assert time.perf_counter() - begun < PATIENCE


# Numbers as people and files write them, and malformed ones.
NUMBERS = st.sampled_from([
    "0", "1", "0.5", "-0", "-0.0", "1e400", "-1e400", "1e-400", "nan", "NaN", "inf", "-inf",
    "Infinity", "0x1p-3", "1_000", "1,5", "٠.٥", "½", "0.1e", ".", "1e", "9" * 400,
    "0." + "3" * 400, "1e309", "5e-324", "true", "null", "71", "71%", "100%", "1e999999999%",
    "5:2", "0:0", "9e9:1", "9" * 400 + ":1", "%", ":", "−1", "+1", " 0.5 ", "0.5\n",
])  # fmt: skip
TIMES = st.sampled_from([
    "2026-01-02T00:00:00Z", "2026-01-02", "0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59.999999Z", "1600-01-01T00:00:00Z",
    "2026-02-30", "2026-02-30T00:00:00Z", "2026-01-02T24:00:00Z", "2026-01-02T00:00:60Z",
    "2026-01-02T00:00", "2026-W01-1", "20260102T000000Z", "2026-01-02T00:00:00+99:99",
    "2026-01-02T00:00:00+23:59", "2026-01-02 00:00:00.123456789Z", "2026-01-02T00:00:00,5Z",
    "0000-00-00", "now", "today", "٢٠٢٦-٠١-٠٢", "2026-01-02T00:00:00z", "1e9",
    "2263-01-01T00:00Z",
])  # fmt: skip
JSONS = st.sampled_from([
    "[]", "{}", "null", "true", "0", '""', '"x"', "[null]", "[[]]", "[{}]", "{", "[1,", "NaN",
    "[NaN, 1]", "[Infinity]", "[1e999]", "[0.5, 0.5]", "[0.5, null]", '["a", "b"]',
    "[true, false]", '["yes", "no"]', '{"0.5": 1}', '{"0.5": "2026-01-02"}', '{"0.5": 1e999}',
    '{"nan": 1}', '{"0.5": [1]}', '{"0.5": null}', '{"0.5": true}', '{"below": 0.1}',
    '{"above": 2}', '{"": 1}', '{"0.5": ' + "9" * 400 + "}", "[" + "9" * 400 + "]",
    '{"1e400": 1}', '{"0.1": 1, "0.10": 2}', '["\\ud800", "b"]', '["\\u0000"]',
    "[" * 200 + "]" * 200, '[{"evidence_id": "e"}]', '[{"evidence_id": "e", "share": 1e999}]',
    '[{"evidence_id": 1}]', '[{"evidence_id": null}]', '[{"evidence_id": "e", "stance": []}]',
    '[{"evidence_id": "e", "stance": "x", "share": "1"}]',
    '[{"evidence_id": "e", "share": -1}]', '[{"evidence_id": "e"}, {"evidence_id": "e"}]',
    '[{"evidence_id": ["e"]}]', '{"a": 1, "a": 2}', "[" + "9" * 5_000 + "]", "-", "[-0.0, 1]",
    '["a", "A"]', '["", " "]', '["annulled", "x"]', '[{"evidence_id": "e", "share": true}]',
])  # fmt: skip
WORDS = st.sampled_from(nasty.WORDS) | st.text(max_size=12)
CELLS = NUMBERS | TIMES | JSONS | WORDS | st.just("")


def damaged(data: st.DataObject, whole: bytes) -> bytes:
    """Return the bytes with a few of them flipped, removed, doubled or inserted."""
    found = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4), label="blows")):
        at = data.draw(st.integers(0, max(len(found) - 1, 0)), label="at")
        length = data.draw(st.integers(0, 9), label="length")
        blow = data.draw(st.sampled_from(_BLOWS), label="blow")
        found = bytearray(blow(bytes(found), at, length, data))
    return bytes(found)


def _put_in(found: bytes, at: int, length: int, data: st.DataObject) -> bytes:
    return found[:at] + data.draw(_SIGNS, label="signs") + found[at + length % 2 :]


_SIGNS = st.sampled_from([
    b"\0", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\r", b"\n", b"\r\n", b'"',
    b'""', b",", b";", b"\t", b"\x85", b"\xe2\x80\xa8", b"\x1a", b"\\", b"'",
    "ö".encode("latin-1"), "a,b\n".encode("utf-16"), b"=", b"-", b"1e999", b"nan", b"[", b"{",
    b"}", b"]",
]) | st.binary(min_size=1, max_size=4)  # fmt: skip
_BLOWS: list[Callable[[bytes, int, int, st.DataObject], bytes]] = [
    _put_in,
    _put_in,
    lambda found, at, length, _: found[:at] + found[at + length :],
    lambda found, at, _length, _data: found[:at],
    lambda found, at, length, _: found[: at + length] + found[at:],
    lambda found, at, length, _: (
        found[:at] + bytes(b ^ 1 << length % 8 for b in found[at : at + 1]) + found[at + 1 :]
    ),
]
