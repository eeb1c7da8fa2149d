"""Outputs that the system refuses, such as a name that is too long."""

from __future__ import annotations

from pathlib import Path

import pytest

from forecasts.cli.outputs import require_file, require_folder
from forecasts.common.errors import BadInput
from forecasts.folder.drafts import require_empty
from forecasts.parts.folder import new_folder
from tests.cli.conftest import Clock, Run

pytestmark = pytest.mark.slow


@pytest.fixture
def too_long(tmp_path: Path) -> Path:
    return tmp_path / ("a" * 300)


def test_a_name_that_is_too_long_is_refused_with_a_remedy(
    forecasts: Run, clock: Clock, too_long: Path
) -> None:
    forecasts("ask", "Will it rain?", "60%", "--closes", "2026-02-15")
    for arguments in (("score", "--format", "csv", "--output"), ("publish",)):
        said = forecasts(*arguments, str(too_long), exit_code=2).stderr
        assert "cannot be written" in said
        assert "Name a f" in said
    with pytest.raises(BadInput, match="cannot be written"), new_folder(too_long):
        pass


def test_a_place_that_cannot_be_looked_at_is_not_an_unexpected_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shut(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    shut_folder = tmp_path / "shut"
    monkeypatch.setattr("os.stat", shut)
    monkeypatch.setattr(Path, "stat", shut)
    with pytest.raises(BadInput):
        require_file(shut_folder / "out.csv")
    with pytest.raises(BadInput):
        require_folder(shut_folder)
    with pytest.raises(BadInput):
        require_empty(shut_folder)
