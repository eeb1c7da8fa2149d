"""Memory given back to the system."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

import pyarrow as pa


def release_memory() -> None:
    """Give freed memory back where the system can take it; the C library keeps it by itself.

    Only the main thread may give back Arrow's memory of threads that have ended.
    """
    pa.default_memory_pool().release_unused()
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library than glibc
            ctypes.CDLL(None).malloc_trim(0)
