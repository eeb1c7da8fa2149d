"""Resolvers look in this process, since a child takes time to start (see ``test_worker.py``)."""

from __future__ import annotations

from typing import Any

import pytest

from forecasts.resolution.resolvers import worker


@pytest.fixture(autouse=True)
def _no_child(monkeypatch: pytest.MonkeyPatch) -> None:
    def look(_: worker.Worker, *given: Any) -> worker.Looked:
        return worker.look(*given)

    monkeypatch.setattr(worker.Worker, "look", look)
