"""The answers that a pull has fetched, in a file of the data folder until they are imported.

One line a page: its list ("posts"), its items, and where the list goes on. A line is written
whole before the next page is asked for, so a pull that was stopped, or killed, goes on after its
last whole line. The file holds no token, only a digest of 32 bits in its name: another token,
ledger or platform has another file.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from forecasts.common.errors import BadInput, Refused
from forecasts.common.private_files import create_private_folder
from forecasts.common.times import read_time
from forecasts.platforms.formats import Read
from forecasts.platforms.record import Choices, PlatformRecord
from forecasts.platforms.source import Source

try:
    import fcntl
except ImportError:  # not on every system
    fcntl = None  # type: ignore[assignment]


# Of what the platforms' modules keep; a file in another form is begun again.
_FORM = 2


@dataclass
class Kept:
    """The lists that were fetched. ``begun``: when; ``resumed``: by an earlier command.

    Without a ``file`` they are in memory alone.

    ``lists``: each list's items by id, the newest version of each. ``nexts``: where each goes on,
    None for one that is complete.
    """

    file: IO[bytes] | None
    begun: datetime
    resumed: bool = False
    shown: Callable[[str, int, int | None], None] = lambda _list, _count, _total: None
    lists: dict[str, dict[str, Any]] = field(default_factory=dict)
    nexts: dict[str, Any] = field(default_factory=dict)

    def items(self, name: str) -> Mapping[str, Any]:
        """Return a list's items by id, in the order in which they came first."""
        return self.lists.get(name, {})

    def is_complete(self, name: str) -> bool:
        """Return whether the whole list was fetched."""
        return name in self.nexts and self.nexts[name] is None

    def add(
        self, name: str, items: Mapping[str, Any], goes_on: Any, *, total: int | None = None
    ) -> None:
        """Keep a page's items, and where its list goes on (None: it was the last)."""
        if self.file is not None:
            _write(self.file, {"list": name, "items": items, "next": goes_on})
        self._take(name, items, goes_on)
        self.shown(name, len(self.lists[name]), total)

    def _take(self, name: str, items: Mapping[str, Any], goes_on: Any) -> None:
        self.lists.setdefault(name, {}).update(items)
        self.nexts[name] = goes_on


def place(folder: Path, *names: str) -> Path:
    """Return the file of a pull: one for each combination of names, the platform's first."""
    digest = hashlib.sha256("\x1f".join(names).encode()).hexdigest()
    return folder / f"{names[0]}-{digest[:8]}.jsonl"


@contextlib.contextmanager
def keeping(path: Path, *, now: datetime, fresh: bool = False) -> Iterator[Kept]:
    """Yield the file's lists, or none; the file stays until ``discard``.

    Refused while another command uses it. ``fresh``: without the lists of an earlier command.
    """
    try:
        create_private_folder(path.parent)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise BadInput(f"{str(path)!r} cannot be written: {error.strerror or error}.") from None
    with os.fdopen(descriptor, "r+b") as file:
        _lock(file)
        kept = None if fresh else _read(file)
        if kept is None:
            file.seek(0)
            file.truncate()
            _write(file, {"form": _FORM, "begun": now.isoformat()})
            kept = Kept(file, now)
        yield kept


def discard(path: Path) -> None:
    """Remove the file, once its content is in the ledger."""
    path.unlink(missing_ok=True)


def _lock(file: IO[bytes]) -> None:
    if fcntl is not None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Refused(
                "Another command is fetching this account now.", remedy="Wait until it has ended."
            ) from None


def _read(file: IO[bytes]) -> Kept | None:
    """Return the content; a line that was not written whole is cut off. None if there is none."""
    kept = None
    whole = 0
    for line in file:
        if not line.endswith(b"\n"):
            break
        try:
            document = json.loads(line)
            if kept is None:
                if document["form"] != _FORM:
                    break
                kept = Kept(file, read_time(document["begun"]), resumed=True)
            else:
                kept._take(document["list"], document["items"], document["next"])
        except (ValueError, KeyError, TypeError, BadInput):
            break
        whole += len(line)
    file.seek(whole)
    file.truncate()
    return kept


def _write(file: IO[bytes], document: Mapping[str, Any]) -> None:
    file.write(json.dumps(document, separators=(",", ":")).encode() + b"\n")
    file.flush()


def read_rows(
    read: Read, rows: Mapping[str, Collection[Mapping[str, Any]]], choices: Choices
) -> PlatformRecord:
    """Return the record of files with these rows, by their names; a file without rows is left out.

    The files are gone by then, so a place in a CSV is a question instead of a line.
    """
    with tempfile.TemporaryDirectory(prefix="pull-") as folder:
        files = {name: Path(folder, name) for name, some in rows.items() if some}
        for name, path in files.items():
            with path.open("w", encoding="utf-8", errors="replace", newline="") as file:
                if path.suffix == ".csv":
                    columns = dict.fromkeys(column for row in rows[name] for column in row)
                    writer = csv.DictWriter(file, columns)
                    writer.writeheader()
                    writer.writerows(rows[name])
                else:
                    file.writelines(json.dumps(one) + "\n" for one in rows[name])
        record = read(Source("the account", files), choices)
    if not any(path.suffix == ".csv" for path in files.values()):
        return record
    frames = record.frames

    def place(table: str, row: int) -> str:
        return f"{table}, {getattr(frames, table).iloc[row].iloc[0]}"

    return replace(record, frames=replace(frames, place=place))
