"""A digest is stamped by a server of time stamps, kept, and compared with the chain."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from forecasts.common.errors import BadInput, CaptureError
from forecasts.common.settings import data_folder
from forecasts.ledger import database
from forecasts.operations import stamps as stamping
from forecasts.operations.stamps import Stamp, folder_of_proofs, is_due, stamp, stamps
from tests.conftest import day, on_both
from tests.operations.timestamping import Authority, served

Stamped = Callable[[str, Path], Stamp]
DIGEST, NEXT = f"5-{'a' * 64}", f"12-{'b' * 64}"


@pytest.fixture(scope="module")
def key() -> Authority:
    return Authority()


@pytest.fixture
def authority(key: Authority) -> Authority:
    key.at, key.status, key.http_status = day(3), 0, 200
    key.stamps_as, key.padding, key.asked = None, b"", 0
    return key


@pytest.fixture
def roots(authority: Authority, tmp_path: Path) -> Path:
    return authority.pem(tmp_path / "root.pem")


@pytest.fixture
def server(authority: Authority) -> Iterator[str]:
    with served(authority) as address:
        yield address


@pytest.fixture
def stamped(server: str, roots: Path) -> Stamped:
    """Stamp a digest into a folder."""
    return lambda digest, folder: stamp(digest, server, folder, roots=roots, allow_private=True)


def test_a_digest_is_stamped_once_and_its_stamp_read_back(
    authority: Authority, stamped: Stamped, roots: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "proofs"
    assert stamps(folder, roots=roots) == []
    made = stamped(DIGEST, folder)
    assert made == Stamp(DIGEST, folder / f"{DIGEST}.tsr", day(3), "Harbour Time")
    assert stamped(DIGEST, folder) == made
    assert os.name != "posix" or folder.stat().st_mode & 0o777 == 0o700
    assert authority.asked == 1
    later = stamped(NEXT, folder)
    assert stamps(folder, roots=roots) == [made, later]


def test_a_stamp_that_cannot_be_written_leaves_nothing_behind(
    stamped: Stamped, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(stamping.os, "fsync", full)
    with pytest.raises(BadInput, match="No space left"):
        stamped(DIGEST, tmp_path / "proofs")
    assert not list((tmp_path / "proofs").iterdir())


def test_a_stamp_of_another_root_is_void(stamped: Stamped, roots: Path, tmp_path: Path) -> None:
    made = stamped(DIGEST, tmp_path)
    shutil.copy(made.file, tmp_path / f"{NEXT}.tsr")
    shutil.copy(made.file, tmp_path / "x.tsr")
    (tmp_path / f"7-{'c' * 64}.tsr").write_bytes(made.file.read_bytes()[:200])
    faults = {one.digest: one.fault for one in stamps(tmp_path, roots=roots)}
    assert faults[DIGEST] == ""
    assert faults[NEXT] == "Mismatch between messages"
    assert faults[""] == "its name is not a digest"
    assert faults[f"7-{'c' * 64}"]
    assert Authority().pem(roots)
    [other] = [one for one in stamps(tmp_path, roots=roots) if one.digest == DIGEST]
    assert "not by an authority that a trusted root certifies" in other.fault
    [of_the_web] = [one for one in stamps(tmp_path) if one.digest == DIGEST]
    assert of_the_web.fault == other.fault
    assert of_the_web.at is None


def test_an_invalid_stamp_is_refused_and_not_kept(
    authority: Authority, server: str, stamped: Stamped, tmp_path: Path
) -> None:
    folder = tmp_path / "proofs"

    def refused() -> str:
        with pytest.raises(CaptureError) as error:
            stamped(DIGEST, folder)
        return str(error.value)

    authority.status = 2
    assert "the server refused it" in refused()
    authority.status, authority.stamps_as = 0, b"x" * 32
    assert "Mismatch between messages" in refused()
    authority.stamps_as, authority.http_status = None, 500
    assert "did not accept it (HTTP status 500)" in refused()
    authority.http_status, authority.padding = 200, b"x" * 100_000
    assert "sent more than 0.1 MB" in refused()
    authority.padding = b""
    with pytest.raises(CaptureError, match="FORECASTS_ALLOW_PRIVATE"):
        stamp(DIGEST, server, folder)
    assert not folder.exists()


def test_an_answer_to_an_earlier_request_is_refused(
    stamped: Stamped, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = stamped(DIGEST, tmp_path).file
    answer = old.read_bytes()
    old.unlink()
    monkeypatch.setattr("forecasts.operations.stamps.post", lambda *_, **__: answer)
    with pytest.raises(CaptureError, match="Nonce mismatch"):
        stamped(DIGEST, tmp_path)


def test_roots_that_cannot_be_read_are_named(tmp_path: Path, server: str) -> None:
    (tmp_path / "roots.pem").write_text("nothing")
    for file, said in (("none.pem", "No such file"), ("roots.pem", "no certificate in PEM")):
        with pytest.raises(BadInput, match=said):
            stamp(DIGEST, server, tmp_path, roots=tmp_path / file, allow_private=True)


def test_a_run_stamps_a_new_digest_daily(stamped: Stamped, roots: Path, tmp_path: Path) -> None:
    folder = tmp_path / "proofs"
    assert is_due(folder, DIGEST, now=day(3), roots=roots)
    stamped(DIGEST, folder)
    assert not is_due(folder, DIGEST, now=day(9), roots=roots)
    assert not is_due(folder, NEXT, now=day(4) - timedelta(seconds=1), roots=roots)
    assert is_due(folder, NEXT, now=day(4), roots=roots)
    (folder / f"{DIGEST}.tsr").write_bytes(b"damaged")
    assert is_due(folder, DIGEST, now=day(3), roots=roots)
    stamped(DIGEST, folder)
    assert not is_due(folder, DIGEST, now=day(9), roots=roots)


@on_both
def test_a_file_has_its_proofs_beside_it_and_a_server_in_the_data_folder(engine: Engine) -> None:
    with database.reading(engine) as session:
        found = folder_of_proofs(session)
        assert folder_of_proofs(session, Path("/srv/proofs")) == Path("/srv/proofs")
    if engine.dialect.name == "sqlite":
        assert found == Path(f"{engine.url.database}.proofs")
    else:
        assert found == data_folder() / "proofs" / ("0" * 12)
