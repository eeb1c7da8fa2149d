"""Kinds that other packages bring by the entry-point group ``forecasts.resolvers``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from forecasts.common.errors import BadInput
from forecasts.resolution.resolvers.kinds import kind, names
from forecasts.resolution.resolvers.series import look as our_look
from tests.resolution.resolvers.looking import CLOSE, at, look, outcome

SAMPLE = Path(__file__).with_name("sample_package")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample package, built and installed into a folder by pip, as a user would."""
    folder = tmp_path_factory.mktemp("site")
    source = tmp_path_factory.mktemp("source")
    for part in SAMPLE.iterdir():
        if part.is_file():
            (source / part.name).write_bytes(part.read_bytes())
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    offline = ["--no-index", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, *offline, "--target", str(folder), str(source)], check=True)
    return folder


@pytest.fixture
def theirs(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(installed))
    monkeypatch.delitem(sys.modules, "forecasts_coin", raising=False)


@pytest.mark.slow
@pytest.mark.usefixtures("theirs")
def test_a_kind_of_another_package_is_there_once_it_is_installed() -> None:
    assert "coin" in names()
    assert look("coin", {"side": "yes"}, at(9)) is None
    assert outcome(look("coin", {"side": "yes"}, CLOSE)) == ("yes", CLOSE)
    with pytest.raises(BadInput, match="do not fit the resolver kind coin"):
        look("coin", {"colour": "red"}, at(9))


@pytest.mark.usefixtures("theirs")
def test_it_does_not_take_the_place_of_one_of_ours() -> None:
    assert kind("series").look is our_look
    assert names().count("series") == 1


@pytest.mark.usefixtures("theirs")
def test_one_that_cannot_be_loaded_is_named_with_the_reason() -> None:
    with pytest.raises(BadInput, match="'broken' cannot be used: AttributeError"):
        kind("broken")


def test_without_the_package_the_kind_is_unknown() -> None:
    with pytest.raises(BadInput, match="There is no resolver kind 'coin'"):
        kind("coin")
