"""Work on many parts at once, by any ``concurrent.futures.Executor``.

    with Processes() as executor:                           # the cores of this machine
    with Client("tcp://10.0.0.1:8786").get_executor(pure=False) as executor:   # Dask
    with MPIPoolExecutor() as executor:                     # MPI: python -m mpi4py.futures job.py
        for item, done in finished(work, items, executor): ...

SLURM works through Dask: ``SLURMCluster(cores=1, memory="4GB")`` of dask-jobqueue,
``cluster.scale(64)`` and ``Client(cluster).get_executor(pure=False)``. Ray has no executor, but its
references have a future, so three lines make one:

    class Ray(Executor):
        def submit(self, work, /, *args, **options):
            return ray.remote(work).remote(*args, **options).future()

The executor decides if lost work is tried again; Dask tries three times. Finished scores stay, so
the same command continues.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import (
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    as_completed,
)
from contextlib import closing, contextmanager, suppress
from multiprocessing.connection import Connection
from typing import Any, TypeVar, get_origin, get_type_hints

from forecasts.common.errors import BadInput, LedgerError, Remedy
from forecasts.common.extras import missing
from forecasts.parts.files import AGAIN
from scoring import parallel

Item = TypeVar("Item")
Context = TypeVar("Context")
Result = TypeVar("Result")

# Errors of clusters for a lost worker: Dask's, and Ray's.
_LOST = ("KilledWorker", "WorkerCrashedError", "NodeDiedError", "OutOfMemoryError")
SECONDS_TO_CONNECT = 10
SECONDS_ALONE = 3
_ENVIRONMENT = {
    # Libraries of linear algebra start one thread per core, in every process.
    **dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    # Memory of one part is kept for the next: allocating it again takes a fifth of the time.
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(512 << 20),
}


def finished(
    work: Callable[[Item], Result], items: Sequence[Item], executor: Executor
) -> Generator[tuple[Item, Future[Result]]]:
    """Yield each item with the future of its work, in the order in which they finish.

    ``work`` must be a function of a module, and it and the items must pickle. It runs in one
    thread. A result that is another item's, or not of the type that ``work`` returns, is a
    BadInput. When the iteration ends early, the rest is cancelled, and ``Processes`` are ended, so
    that nothing writes to a folder that is about to be removed.
    """
    waiting = {_submitted(executor, work, *one): one for one in enumerate(items)}
    try:
        for future in as_completed(list(waiting)):
            number, item = waiting.pop(future)
            yield item, _own(future, work, number)
    finally:
        for future in waiting:
            future.cancel()
        if waiting and isinstance(executor, Processes):
            executor.end()


def _submitted(
    executor: Executor, work: Callable[[Item], Result], number: int, item: Item
) -> Future[tuple[int, Result]]:
    try:
        return executor.submit(_in_one_thread, work, number, item)
    except BrokenExecutor as error:
        future: Future[tuple[int, Result]] = Future()
        future.set_exception(error)
        return future


def _own(
    future: Future[tuple[int, Result]], work: Callable[[Item], Result], number: int
) -> Future[Result]:
    """Return the future of a result without its number, which must be this."""
    own: Future[Result] = Future()
    try:
        said = future.result()
        kind = get_type_hints(getattr(work, "func", work)).get("return", object)
        kind = get_origin(kind) or kind
        match said:
            case (int(given), result) if given == number and isinstance(result, kind):
                own.set_result(result)
            case _:
                raise BadInput(
                    f"A worker did not return the result of item {number + 1}.",
                    remedy="Check the scheduler and its workers, and the versions installed there.",
                )
    except Exception as error:
        own.set_exception(error)
    return own


def results(
    work: Callable[[tuple[Context, int]], Result],
    context: Context,
    numbers: Sequence[int],
    executor: Executor,
    progress: Callable[[int], None] = lambda done: None,
) -> list[Result]:
    """Return the results of work on these parts or batches. BadInput if one of them failed."""
    found: dict[int, Result] = {}
    items = [(context, number) for number in numbers]
    with closing(finished(work, items, executor)) as ended:
        for (_, number), future in ended:
            try:
                found[number] = future.result()
            except Exception as error:
                raise explained(error) from error
            progress(len(found))
    return [found[number] for number in numbers]


@contextmanager
def cluster(address: str, *, no_workers: Callable[[], None] = lambda: None) -> Iterator[Executor]:
    """Yield the executor of the Dask cluster whose scheduler has this address.

    Give each of its workers one thread (``dask worker ADDRESS --nthreads 1``). Another thread
    calls ``no_workers`` when the scheduler has had no workers for a few seconds. BadInput if no
    scheduler answers.
    """
    try:
        from distributed import Client
    except ImportError:
        raise missing("A cluster", "cluster") from None
    # Failed work is reported anyway.
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
    try:
        client: Any = Client(address, timeout=SECONDS_TO_CONNECT, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, TypeError) as error:
        raise BadInput(
            f"No Dask scheduler answers at {address!r}: {error}.",
            remedy="Start one with dask scheduler, and its workers with: "
            "dask worker ADDRESS --nthreads 1",
        ) from None
    ended = threading.Event()
    watch = threading.Thread(target=watch_workers, args=(client, no_workers, ended), daemon=True)
    # Equal calls are not the same work: the files may have changed in between.
    with client, client.get_executor(pure=False) as executor:
        watch.start()
        try:
            yield executor
        finally:
            ended.set()
            watch.join()


def watch_workers(client: Any, no_workers: Callable[[], None], ended: threading.Event) -> None:
    """Call ``no_workers`` if the scheduler has none yet, and each time it loses the last one."""
    told = False
    while not ended.wait(SECONDS_ALONE):
        with suppress(OSError):  # the work will notice that the scheduler does not answer
            none = not client.nthreads()
            if none and not told:
                no_workers()
            told = none


def is_lost(error: BaseException | None) -> bool:
    """Return whether this is the error of a worker that was killed or lost."""
    return isinstance(error, BrokenExecutor) or type(error).__name__ in _LOST


def explained(error: Exception) -> LedgerError:
    """Return the error of a part as a sentence with a remedy."""
    if isinstance(error, LedgerError):
        return error
    if is_lost(error) or isinstance(error, MemoryError):
        return BadInput(
            "Its worker was lost, perhaps because memory ran out.",
            remedy=(
                Remedy("Use fewer workers: {};", "", workers="N"),
                Remedy("or smaller parts: {}", "partition", "PARTS", into="NEW", parts="N"),
            ),
        )
    if isinstance(error, ModuleNotFoundError):
        return BadInput(
            f"A worker has no module {error.name!r}.",
            remedy="Install the same version of forecast-ledger on all workers.",
        )
    if isinstance(error, CancelledError):
        return BadInput(
            "The cluster cancelled the work, or its scheduler stopped.",
            remedy="If the scheduler stopped, start it and its workers again.",
        )
    if isinstance(error, FileNotFoundError) and error.filename is not None:
        return BadInput(
            f"{error.filename} is missing, or a worker cannot reach it.",
            remedy=("All workers must reach it by this path.", AGAIN),
        )
    if isinstance(error, OSError):
        place = "A file" if error.filename is None else error.filename
        return BadInput(
            f"{place} cannot be read or written: {error.strerror or error}.",
            remedy="Check the disk, and the permissions of its files.",
        )
    return BadInput(f"Unexpected error: {type(error).__name__}: {error}")


def _in_one_thread(work: Callable[[Item], Result], number: int, item: Item) -> tuple[int, Result]:
    with parallel.limited(1):
        return number, work(item)


def cores() -> int:
    """Return the number of processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Processes(ProcessPoolExecutor):
    """Processes on this machine: by default one per core. They end with this process.

    ``preload``: modules that are imported once, for all processes, where the system can fork them
    from a server.
    """

    def __init__(self, workers: int | None = None, *, preload: Sequence[str] = ()) -> None:
        for name, value in _ENVIRONMENT.items():
            os.environ.setdefault(name, value)
        # Forking this process would copy the locks of its threads.
        server = "forkserver" in multiprocessing.get_all_start_methods()
        context = multiprocessing.get_context("forkserver" if server else "spawn")
        if server:
            context.set_forkserver_preload([*preload])
        # Nothing is written to this pipe. The processes end when it closes.
        closes, self._open = context.Pipe(duplex=False)
        super().__init__(
            workers or cores(), mp_context=context, initializer=_end_with, initargs=(closes,)
        )

    def end(self) -> None:
        """End the processes now, and their work, and wait until they have ended."""
        self._open.close()
        self.shutdown()


def _end_with(pipe: Connection) -> None:
    """End this process when the other end of the pipe closes, or the process that has it ends.

    It ignores Ctrl-C, even if other code has started the server that it was forked from.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        with suppress(OSError):
            pipe.poll(None)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
