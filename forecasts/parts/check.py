"""A check that the files of a folder of parts still match its manifest."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial

from forecasts.parts.execution import cores, explained, finished
from forecasts.parts.files import file_sha256, part_file
from forecasts.parts.folder import Parts


def files_that_differ(
    parts: Parts, *, progress: Callable[[int, int], None] = lambda done, of: None
) -> list[str]:
    """Return the paths of the files that are missing or differ from the manifest in any byte.

    Every byte is read, with one thread per core. ``progress`` is called with the number of
    forecasts whose files are read, and of all. BadInput for a file that cannot be read.
    """
    divided = {part_file("forecasts", part) for part in range(parts.count)}
    done, total = 0, parts.rows("forecasts")
    differ: list[str] = []
    with (
        ThreadPoolExecutor(cores()) as pool,
        closing(finished(partial(_matches, parts), sorted(parts.files), pool)) as ended,
    ):
        for name, same in ended:
            try:
                differ += [] if same.result() else [name]
            except OSError as error:
                raise explained(error) from error
            done += parts.files[name].rows if name in divided else 0
            progress(done, total)
    return sorted(differ)


def _matches(parts: Parts, name: str) -> bool:
    try:
        return file_sha256(parts.folder / name) == parts.files[name].sha256
    except FileNotFoundError:
        return False
