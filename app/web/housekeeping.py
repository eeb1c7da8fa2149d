"""Memory given back while nobody visits.

Streamlit keeps a closed session for two minutes, in case the browser comes back, and drops it when
another session closes after that. So without visits, the uploads and previews of the last
visitors stay in memory, and the C library does not return freed memory by itself.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, cast

from streamlit import runtime

from forecasts.common.memory import release_memory

EVERY_S = 30


@asynccontextmanager
async def housekeeping(_: object) -> AsyncIterator[None]:
    """Keep house as long as the server runs."""
    task = asyncio.create_task(_keep_house())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def _keep_house() -> None:
    while True:
        await asyncio.sleep(EVERY_S)
        if runtime.exists() and drop_closed_sessions(runtime.get_instance()):
            gc.collect()
            release_memory()


def drop_closed_sessions(server: runtime.Runtime) -> bool:
    """Drop the closed sessions that can no longer be resumed.

    Returns whether that, or a session still open, may have left memory to give back.
    """
    # Streamlit has no public way. A test fails if these names change.
    sessions = cast(Any, server)._session_mgr
    dropped = sessions._session_storage._cache.expire()
    return bool(dropped) or sessions.num_active_sessions() > 0
