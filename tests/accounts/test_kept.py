"""What was fetched stays until it is imported, however the command ends."""

from __future__ import annotations

import os
import signal
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from forecasts.accounts.kept import discard, keeping, place
from forecasts.common.errors import BadInput, Refused
from tests.accounts.conftest import NOW

LATER = NOW + timedelta(hours=5)


def test_the_next_command_continues_from_files_that_only_their_owner_reads(tmp_path: Path) -> None:
    path = tmp_path / "pulls" / "kept.jsonl"
    with keeping(path, now=NOW) as kept:
        assert not kept.resumed
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        kept.add("posts", {"1": "old", "2": {"title": "Rain — “soon”?"}}, [2, 2])
        kept.add("posts", {"1": "new"}, [3, 2])
        kept.add("account", {"me": {}}, None)
    with keeping(path, now=LATER) as kept:
        assert (kept.resumed, kept.begun) == (True, NOW)
        assert kept.items("posts") == {"1": "new", "2": {"title": "Rain — “soon”?"}}
        assert (kept.nexts["posts"], kept.is_complete("posts")) == ([3, 2], False)
        assert kept.is_complete("account")
        assert not kept.is_complete("scores")
    with keeping(path, now=LATER, fresh=True) as kept:
        assert (kept.resumed, kept.begun, kept.items("posts")) == (False, LATER, {})
    discard(path)
    discard(path)
    assert not path.exists()


@pytest.mark.parametrize(
    "torn",
    [b'{"list":"posts","items":{"2"', b"\x00\x00\x00", b'{"list":"posts"}\n', b"[1]\n", b"\xff\n"],
)
def test_a_page_that_was_not_written_whole_is_fetched_again(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "kept.jsonl"
    with keeping(path, now=NOW) as kept:
        kept.add("posts", {"1": 1}, [1, 1])
    whole = path.read_bytes()
    path.write_bytes(whole + torn)
    with keeping(path, now=LATER) as kept:
        assert kept.items("posts") == {"1": 1}
        kept.add("posts", {"2": 2}, None)
    assert path.read_bytes() == whole + b'{"list":"posts","items":{"2":2},"next":null}\n'


def test_a_file_in_another_form_or_broken_begins_again(tmp_path: Path) -> None:
    path = tmp_path / "kept.jsonl"
    for content in (
        b"",
        b'{"begu',
        b'{"form":2,"begun":"yesterday"}\n',
        b"{}\n",
        b'{"begun":"2026-03-01T12:00:00+00:00"}\n{"list":"posts","items":{"1":1},"next":null}\n',
    ):
        path.write_bytes(content)
        with keeping(path, now=NOW) as kept:
            assert (kept.resumed, kept.begun, kept.items("posts")) == (False, NOW, {}), content


def test_a_killed_command_loses_no_page(tmp_path: Path) -> None:
    path = tmp_path / "kept.jsonl"
    if (command := os.fork()) == 0:
        try:
            with keeping(path, now=NOW) as kept:
                kept.add("posts", {"1": 1}, [1, 1])
                kept.add("posts", {"2": 2}, [2, 1])
                os.kill(os.getpid(), signal.SIGKILL)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(command, 0)[1]) == -signal.SIGKILL
    with keeping(path, now=LATER) as kept:
        assert (kept.items("posts"), kept.nexts["posts"]) == ({"1": 1, "2": 2}, [2, 1])


def test_two_commands_cannot_fetch_one_account_nor_one_without_a_folder(tmp_path: Path) -> None:
    path = tmp_path / "kept.jsonl"
    with (
        keeping(path, now=NOW),
        pytest.raises(Refused, match="Another command"),
        keeping(path, now=NOW),
    ):
        pass
    with keeping(path, now=NOW) as kept:
        assert kept.resumed
    within_a_file = path / "kept.jsonl"
    with pytest.raises(BadInput, match="cannot be written"), keeping(within_a_file, now=NOW):
        pass


def test_another_token_or_ledger_has_another_file(tmp_path: Path) -> None:
    own = place(tmp_path, "fatebook", "s3cret", "ledger.sqlite3")
    assert own == place(tmp_path, "fatebook", "s3cret", "ledger.sqlite3")
    assert len({own, *(place(tmp_path, "fatebook", *one) for one in ("ab", "ac", "bc"))}) == 4
    assert "s3cret" not in own.name
