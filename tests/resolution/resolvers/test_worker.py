"""Looks in a child process: the same answers, within limits of time and memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from forecasts.common.errors import BadInput, CannotTell, DatabaseError, LedgerError
from forecasts.resolution.resolvers import worker
from forecasts.resolution.resolvers.protocol import Finding, Seen
from forecasts.resolution.resolvers.worker import WAITS, Stopped, Worker
from tests.resolution.resolvers.looking import (
    World,
    at,
    is_gone,
    look,
    outcome,
    question,
    wait_until,
)

pytestmark = pytest.mark.slow

_LOOK = Worker.look
STATUS = {"url": "page", "outcome": "status", "outcomes": {"done": "yes"}, "not_yet": ["open"]}
DOUBLING = "[@, @]" + " | [@, @]" * 60
EVIL = {"url": "page", "outcome": DOUBLING, "outcomes": {"done": "yes"}}


@pytest.fixture(autouse=True)
def _in_a_child(monkeypatch: pytest.MonkeyPatch, no_child: None) -> None:
    monkeypatch.setattr(Worker, "look", _LOOK)


@pytest.fixture(scope="module")
def shared() -> Iterator[Worker]:
    """One child for the tests that do not stop it; it has ten seconds for a look."""
    with closing(Worker(10)) as made:
        yield made


def asks(
    one: Worker, settings: dict[str, Any], name: str = "http_json", **contents: str | bytes
) -> Finding | None:
    finding, _ = one.look(name, settings, question(), at(9), World(at(9), **contents))
    return finding


def test_a_child_answers_as_this_process_would(shared: Worker) -> None:
    for name, settings, content in (
        ("http_json", STATUS, json.dumps({"status": "done"})),
        ("http_json", STATUS, json.dumps({"status": "open"})),
        ("outcomes_file", {"path": "page"}, "question,outcome,known_at\nrain,no,2026-01-04\n"),
        (
            "series",
            {"source": "page", "expression": "max(value) > 1"},
            "date,value\n2026-01-05,2\n",
        ),
    ):
        here = look(name, settings, at(9), page=content)
        there = asks(shared, settings, name, page=content)
        assert there == here
        if there is not None:
            assert [seen.content for seen in there.seen] == [content.encode()]


def test_its_errors_are_those_of_this_process(shared: Worker) -> None:
    for settings, content, why in (
        (STATUS, "{", "not JSON"),
        (STATUS, json.dumps({"status": "lost"}), "which has no meaning"),
        (STATUS | {"outcomes": 3}, "{}", "do not fit the resolver kind"),
        (STATUS | {"url": "elsewhere"}, "{}", "'elsewhere' cannot be read"),
    ):
        with pytest.raises(LedgerError, match=why) as there:
            asks(shared, settings, page=content)
        with pytest.raises(LedgerError) as here:
            worker.look("http_json", settings, question(), at(9), World(at(9), page=content))
        assert type(there.value) is type(here.value)
        assert vars(there.value) == vars(here.value)


def test_a_document_is_sent_and_parsed_once_for_many_questions(shared: Worker) -> None:
    sent: list[str] = []

    class Sent(Seen):
        def __reduce__(self) -> Any:
            sent.append(self.address)
            return Seen, (self.address, self.content, self.at)

    class Counting(World):
        def __call__(self, address: str) -> Seen:
            found = super().__call__(address)
            return Sent(found.address, found.content, found.at)

    world = Counting(at(9), page=json.dumps({"status": "open", "of": "these questions"}))
    for _ in range(5):
        assert shared.look("http_json", STATUS, question(), at(9), world) == (None, None)
    assert sent == ["page"]


class Slow(World):
    def __call__(self, address: str) -> Seen:
        Event().wait(WAITS * 0.1 + 0.1)  # longer than the child has for the look
        return super().__call__(address)


def test_a_slow_look_is_stopped_but_not_for_slow_fetching_and_the_next_gets_a_new_child() -> None:
    with closing(Worker(0.1)) as one:
        assert asks(one, STATUS, page='{"status": "open"}') is None
        slow = Slow(at(9), page='{"status": "done"}')
        finding, _ = one.look("http_json", STATUS, question(), at(9), slow)
        assert outcome(finding) == ("yes", at(9))
        with pytest.raises(Stopped, match="took more than") as stopped:
            asks(one, EVIL, page=b"1")
        assert stopped.value.temporary
        assert stopped.value.remedy
        assert asks(one, STATUS, page='{"status": "done"}') is not None
        assert one.close() != 0  # it was killed
        assert one.close() == 0


def test_a_look_that_takes_too_much_memory_is_stopped() -> None:
    with closing(Worker(30, 120_000_000)) as one:
        assert asks(one, STATUS, page='{"status": "done"}') is not None
        with pytest.raises(Stopped, match="more than 120 MB of memory"):
            asks(one, STATUS, page=b"[" + b",".join([b"[]"] * 1_500_000) + b"]")
        assert asks(one, STATUS, page='{"status": "done"}') is not None


def test_expressions_and_documents_that_are_nested_too_deeply_are_refused(shared: Worker) -> None:
    for path in ("(" * 400, "a" + "[" * 2_000, "!" * 3_000 + "a"):
        with pytest.raises(BadInput, match="do not fit") as refused:
            look("http_json", STATUS | {"outcome": path}, at(9), page="{}")
        assert "JMESPath" in refused.value.problems[0].rule
    with pytest.raises(CannotTell, match="not JSON"):
        asks(shared, STATUS, page="[" * 100_000)


@pytest.fixture
def ending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The kind of another package that runs the code in its setting ``how``."""
    package = tmp_path / "forecasts_ending"
    package.mkdir()
    (package / "__init__.py").write_text(
        "import os\n"
        "from forecasts.resolution.resolvers.protocol import Kind, Settings\n"
        "class Ends(Settings):\n    how: str\n"
        "def look(asked, settings, now, fetch):\n    exec(settings.how)\n"
        "kind = Kind(Ends, look)\n"
    )
    about = tmp_path / "forecasts_ending-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: forecasts-ending\nVersion: 1\n")
    (about / "entry_points.txt").write_text(
        "[forecasts.resolvers]\nending = forecasts_ending:kind\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    return "ending"


def test_a_kind_that_ends_its_process_fails_its_own_question(ending: str) -> None:
    with closing(Worker(10)) as one:
        for how, why in (
            ("os._exit(3)", "ended its process, with code 3"),
            ("raise SystemExit(0)", r"ended the program, by exit\(0\)"),
            ("1 / 0", "ZeroDivisionError: division by zero"),
            ("asked.options.x.y", "AttributeError"),
        ):
            with pytest.raises(LedgerError, match=why):
                asks(one, {"how": how}, ending)
            assert asks(one, STATUS, page='{"status": "done"}') is not None


def test_processes_that_a_kind_started_end_with_its_child(
    ending: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    note = tmp_path / "pid"
    starts = (
        "import subprocess\n"
        f"open({str(note)!r}, 'w').write(str(subprocess.Popen(['sleep', '60']).pid))\n"
        "print('started')\n"
    )
    for seconds, how in ((10, starts), (0.1, f"{starts}while True: pass")):
        with closing(Worker(seconds)) as one, suppress(Stopped):
            asks(one, {"how": how}, ending)
        wait_until(lambda: is_gone(int(note.read_text())))
    # A run's standard output is its results.
    assert capfd.readouterr().out == ""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_a_look_ends_with_a_run_that_is_killed(ending: str, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    sleeps = f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    looks = (
        "from forecasts.resolution.resolvers.worker import Worker\n"
        "from tests.resolution.resolvers.looking import World, at, question\n"
        f"Worker(60).look({ending!r}, {{'how': {sleeps!r}}}, question(), at(9), World(at(9)))"
    )
    path = os.pathsep.join(path or os.getcwd() for path in sys.path)
    with subprocess.Popen(
        [sys.executable, "-c", looks], env=os.environ | {"PYTHONPATH": path}
    ) as run:
        wait_until(lambda: note.exists() and bool(note.read_text()))
        run.kill()
    wait_until(lambda: is_gone(int(note.read_text())))


def test_an_error_of_the_database_is_raised_here(shared: Worker) -> None:
    def full(_: str) -> Seen:
        raise DatabaseError("The disk is full.")

    with pytest.raises(DatabaseError):
        shared.look("http_json", STATUS, question(), at(9), full)
    assert asks(shared, STATUS, page='{"status": "done"}') is not None
