"""The kind of database that ledger folders are imported into."""

import pytest

from tests.conftest import KINDS


@pytest.fixture
def kind() -> str:
    """One database is enough: a folder knows none, and tests/importing runs on both."""
    return KINDS[0]
