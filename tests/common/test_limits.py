"""The memory of this machine, or of its container."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from forecasts.common.limits import machine_memory

WHOLE = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@pytest.mark.parametrize("name", ["memory.max", "memory/memory.limit_in_bytes"])
@pytest.mark.parametrize(
    ("limit", "memory"), [("1000000\n", 10**6), ("max\n", WHOLE), (f"{WHOLE * 2}\n", WHOLE)]
)
def test_memory_is_the_limit_of_the_container_if_the_machine_has_more(
    name: str, limit: str, memory: int, tmp_path: Path
) -> None:
    (tmp_path / "memory").mkdir()
    (tmp_path / name).write_text(limit)
    assert machine_memory(tmp_path) == memory


def test_without_a_limit_memory_is_that_of_the_machine(tmp_path: Path) -> None:
    assert machine_memory(tmp_path) == WHOLE
