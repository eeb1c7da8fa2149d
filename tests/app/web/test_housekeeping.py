"""Memory that a server gives back while nobody visits."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from streamlit import runtime
from streamlit.runtime.caching.ttl_cache import TTLCache

from app.web import housekeeping

pytestmark = pytest.mark.slow


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def server(tmp_path: Path) -> Iterator[runtime.Runtime]:
    from streamlit.web.server.starlette import App

    (tmp_path / "app.py").touch()
    made = App(str(tmp_path / "app.py"))._create_runtime()
    yield made
    runtime.Runtime._instance = None


def test_a_closed_session_is_dropped_once_it_can_no_longer_be_resumed(
    server: runtime.Runtime,
) -> None:
    storage = cast(Any, server)._session_mgr._session_storage
    assert isinstance(storage._cache, TTLCache)  # as Streamlit keeps them
    clock = Clock()
    storage._cache = TTLCache(maxsize=128, ttl=120, timer=clock)
    storage.save(SimpleNamespace(session=SimpleNamespace(id="closed")))
    clock.now = 119
    assert not housekeeping.drop_closed_sessions(server)
    assert storage.get("closed") is not None
    clock.now = 121
    assert housekeeping.drop_closed_sessions(server)
    assert len(storage._cache) == 0


def test_house_is_kept_while_the_server_runs_and_ends_with_it(
    server: runtime.Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "EVERY_S", 0)
    looked: list[object] = []
    released = asyncio.Event()
    monkeypatch.setattr(housekeeping, "drop_closed_sessions", lambda one: looked.append(one) or 1)
    monkeypatch.setattr(housekeeping, "release_memory", released.set)

    async def run() -> None:
        async with housekeeping.housekeeping(None):
            async with asyncio.timeout(20):
                while not released.is_set():
                    await asyncio.sleep(0)
        assert [task for task in asyncio.all_tasks() if not task.done()] == [asyncio.current_task()]

    asyncio.run(run())
    assert looked[0] is server
