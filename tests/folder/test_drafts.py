"""Two commands with the same output, and what a killed one left."""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

import pytest

from forecasts.cli import outputs
from forecasts.common.errors import BadInput, Refused
from forecasts.folder.drafts import drafted, drafted_file


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


@dataclass(frozen=True)
class Second:
    """A second command that writes the same output.

    ``begin`` returns when it has to wait. ``waits``: whether it had to, for each lock.
    """

    thread: threading.Thread
    waits: Queue[bool]

    def begin(self) -> None:
        self.thread.start()
        assert self.waits.get(timeout=30)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "report.csv"


@pytest.fixture
def second(output: Path, monkeypatch: pytest.MonkeyPatch) -> Second:
    made = Second(threading.Thread(target=outputs.emit, args=("second\n", output)), Queue())
    lock = fcntl.flock

    def locked(opened: int, how: int) -> None:
        try:
            lock(opened, how | fcntl.LOCK_NB)
        except BlockingIOError:
            made.waits.put(True)
            lock(opened, how)
        else:
            if threading.current_thread() is made.thread:
                made.waits.put(False)

    monkeypatch.setattr("fcntl.flock", locked)
    return made


def test_a_second_command_with_the_same_output_waits_for_the_first(
    output: Path, second: Second
) -> None:
    with drafted_file(output) as file:
        file.write(b"first, ")
        second.begin()
        file.write(b"whole\n")
        file.flush()
        assert output.with_name(".report.csv.part").read_text("utf-8") == "first, whole\n"
        assert not output.exists()
    second.thread.join(30)
    assert output.read_text("utf-8") == "second\n"
    assert names(output.parent) == ["report.csv"]


def test_the_output_of_a_waiting_command_survives_the_failure_of_the_first(
    output: Path, second: Second
) -> None:
    def first() -> Iterator[str]:
        second.begin()
        raise KeyboardInterrupt
        yield

    with pytest.raises(KeyboardInterrupt):
        outputs.emit(first(), output)
    second.thread.join(30)
    assert output.read_text("utf-8") == "second\n"
    assert names(output.parent) == ["report.csv"]


def test_leftovers_of_a_killed_command_are_replaced(tmp_path: Path) -> None:
    (tmp_path / ".report.csv.part").write_text("half of a much longer report", "utf-8")
    outputs.emit("whole\n", tmp_path / "report.csv")
    assert (tmp_path / "report.csv").read_text("utf-8") == "whole\n"
    assert names(tmp_path) == ["report.csv"]


def test_an_output_is_written_without_file_locks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", no_locks)
    outputs.emit("whole\n", tmp_path / "report.csv")
    with drafted(tmp_path / "ledger") as draft:
        (draft / "questions.csv").write_text("", "utf-8")
    assert names(tmp_path) == ["ledger", "report.csv"]


def test_a_folder_that_another_command_has_filled_meanwhile_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "ledger"

    def export() -> None:
        with drafted(folder) as draft:
            (draft / "questions.csv").write_text("mine", "utf-8")
            with drafted(folder) as other:
                (other / "forecasts.csv").write_text("theirs", "utf-8")

    with pytest.raises(Refused, match="is not empty"):
        export()
    assert names(folder) == ["forecasts.csv"]
    assert names(tmp_path) == ["ledger"]


def test_a_file_in_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be written"):
        outputs.emit("whole\n", tmp_path / "missing" / "report.csv")
