"""Memory given back to the system."""

from __future__ import annotations

from forecasts.common.memory import release_memory


def test_releasing_memory_works_here() -> None:
    release_memory()
