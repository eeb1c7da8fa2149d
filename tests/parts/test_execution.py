"""Work on many items by any executor: lost workers, errors, and what is left undone."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from forecasts.common.errors import BadInput
from forecasts.common.extras import install_command
from forecasts.parts.execution import (
    Processes,
    cluster,
    explained,
    finished,
    is_lost,
    watch_workers,
)
from tests.parts import work


@pytest.fixture(scope="module")
def processes() -> Iterator[Processes]:
    with Processes(2, preload=["tests.parts.work"]) as executor:
        yield executor


def test_each_item_comes_with_its_result(processes: Processes) -> None:
    with ThreadPoolExecutor(2) as threads:
        for executor in (processes, threads):
            found = {
                item: done.result() for item, done in finished(work.square, range(5), executor)
            }
            assert found == {number: number * number for number in range(5)}


def test_an_error_is_the_item_s_own(processes: Processes) -> None:
    errors = {
        item: future.exception() for item, future in finished(work.fail_on_two, range(4), processes)
    }
    assert [item for item, error in sorted(errors.items()) if error] == [2]
    assert isinstance(errors[2], ValueError)


def test_the_work_of_a_process_that_was_killed_is_lost() -> None:
    with Processes(1, preload=["tests.parts.work"]) as executor:
        errors = {
            item: future.exception() for item, future in finished(work.die_on_two, [2, 3], executor)
        }
    assert is_lost(errors[2])
    assert "worker was lost" in str(explained(errors[2]))


def test_an_executor_that_is_broken_fails_each_item() -> None:
    class Broken(Executor):
        def submit(self, fn: Any, /, *args: Any, **_: Any) -> Future[Any]:
            raise BrokenExecutor

    assert all(is_lost(each.exception()) for _, each in finished(work.square, [1, 2], Broken()))


@pytest.mark.parametrize(
    "lie",
    [
        lambda call: call(work.square, 1, 1),  # another item's result
        lambda call: (0, "0"),
        lambda call: (0, None),
        lambda call: (0, 0, 0),
        lambda call: 0,
    ],
    ids=["another", "text", "none", "doubled", "bare"],
)
def test_a_result_that_is_another_s_or_of_another_kind_is_refused(lie: Any) -> None:
    class Lying(Executor):
        def submit(self, fn: Any, /, *args: Any, **_: Any) -> Future[Any]:
            future = Future[Any]()
            future.set_result(lie(fn) if args[-1] == 0 else fn(*args))
            return future

    found = dict(finished(work.square, range(3), Lying()))
    assert (found[1].result(), found[2].result()) == (1, 4)
    with pytest.raises(BadInput, match="did not return the result of item 1"):
        found[0].result()


def test_work_that_has_not_started_is_cancelled_when_the_iteration_ends() -> None:
    submitted: list[Future[Any]] = []

    class Slow(Executor):
        def submit(self, fn: Any, /, *args: Any, **_: Any) -> Future[Any]:
            submitted.append(future := Future[Any]())
            if len(submitted) == 1:
                future.set_result(fn(*args))
            return future

    every = finished(work.square, [1, 2, 3], Slow())
    next(every)
    every.close()
    assert [each.cancelled() for each in submitted] == [False, True, True]


@pytest.mark.slow
def test_processes_end_with_their_work_when_the_iteration_ends_early() -> None:
    with Processes(2, preload=["tests.parts.work"]) as executor:
        every = finished(work.wait_on_two, [1, 2, 3], executor)
        assert {next(every)[0], next(every)[0]} == {1, 3}
        every.close()
        with pytest.raises(BrokenExecutor):
            executor.submit(work.square, 3).result()


def test_processes_leave_ctrl_c_to_the_one_that_started_them() -> None:
    with Processes(1) as executor:
        os.kill(executor.submit(os.getpid).result(), signal.SIGINT)
        assert executor.submit(work.square, 3).result() == 9


def test_work_uses_one_thread(processes: Processes) -> None:
    [(_, future)] = finished(work.threads_used, [8], processes)
    assert future.result() == 1


@pytest.mark.slow
def test_processes_end_with_the_one_that_started_them_even_if_it_is_killed() -> None:
    parent = subprocess.run(
        [sys.executable, "-m", "tests.parts.work"],
        stdout=subprocess.PIPE,  # ends when all that write to it have ended
        cwd=Path(__file__).parents[2],
        timeout=60,
    )
    assert parent.returncode == -9
    assert int(parent.stdout) > 0


@pytest.mark.slow
def test_a_cluster_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forecasts.parts.execution.SECONDS_TO_CONNECT", 0.05)
    with (
        pytest.raises(BadInput, match=r"No Dask scheduler answers at 'tcp://127\.0\.0\.1:1'"),
        cluster("tcp://127.0.0.1:1"),
    ):
        pass
    with (
        pytest.raises(BadInput, match="No Dask scheduler answers at 'nowhere:'"),
        cluster("nowhere:"),
    ):
        pass
    # A client that could not connect closes itself when it is collected: in the middle of the next
    # cluster's start it would wait for that start, and that for it.
    gc.collect()


def test_a_cluster_without_workers_says_so_and_continues_when_one_joins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from distributed import LocalCluster

    monkeypatch.setattr("forecasts.parts.execution.SECONDS_ALONE", 0.01)
    with (
        LocalCluster(n_workers=0, processes=False, dashboard_address=None) as local,  # type: ignore[no-untyped-call]
        cluster(local.scheduler_address, no_workers=lambda: local.scale(1)) as executor,
    ):
        assert executor.submit(work.square, 3).result() == 9


def test_a_cluster_that_loses_its_workers_says_so_once(monkeypatch: pytest.MonkeyPatch) -> None:
    workers = [{}, {}, {"tcp://10.0.0.2:1": 1}, {}, {}]
    ended, told = Event(), []

    class Client:
        def nthreads(self) -> dict[str, int]:
            now = workers.pop(0)
            if not workers:
                ended.set()
            return now

    monkeypatch.setattr("forecasts.parts.execution.SECONDS_ALONE", 0)
    watch_workers(Client(), lambda: told.append(len(workers)), ended)
    assert told == [4, 1]


def test_without_dask_the_remedy_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(BadInput) as raised, cluster("tcp://127.0.0.1:1"):
        pass
    assert install_command("cluster") in raised.value.remedy
