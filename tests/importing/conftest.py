"""The kind of database that is imported into."""

import pytest

from tests.conftest import KINDS


@pytest.fixture
def kind() -> str:
    """One is enough: test_databases and test_among_members run on both."""
    return KINDS[0]
