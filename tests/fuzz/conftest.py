"""The kind of database that damaged files and odd words are read into."""

import pytest


@pytest.fixture
def kind() -> str:
    """SQLite alone: imports, resolvers and commands are tested on both elsewhere."""
    return "sqlite"
