"""Ledgers that an operator has open, several at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from forecasts.common.settings import sqlite_url
from forecasts.ledger import database
from tests.conftest import KINDS

Opened = Callable[..., Engine]


@pytest.fixture
def kind() -> str:
    """One database, but where the two differ (``on_both``)."""
    return KINDS[0]


@pytest.fixture
def opened() -> Iterator[Opened]:
    """Open a ledger by its file or its URL; it is closed in the end."""
    engines: list[Engine] = []

    def open_(place: Path | str, **how: bool) -> Engine:
        url = sqlite_url(place) if isinstance(place, Path) else place
        engines.append(database.open_engine(url, **how))
        return engines[-1]

    yield open_
    for engine in engines:
        engine.dispose()
