"""A folder of parts: a ledger of any size in Parquet files that each hold whole questions.

    FOLDER/parts.json                    the number of parts, and each file's rows and hash
    FOLDER/questions/part-00000.parquet  the columns of questions.csv, ordered by question
    FOLDER/forecasts/part-00000.parquet  those of forecasts.csv, ordered by (question, forecaster,
                                         time); rows of the same instant in their original order
    FOLDER/teams.parquet …               the other files of a ledger folder, whole

A question's part is the first 32 bits of the MD5 of its id, modulo the number of parts, so any tool
can find it. JSON columns hold JSON as text; a blank is null.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet
from pydantic import BaseModel, Field, ValidationError

from forecasts.common.errors import BadInput, Refused, Remedy
from forecasts.folder.frames import FRAME_COLUMNS
from forecasts.parts.chunks import IDS, forecast_frame
from forecasts.parts.execution import cores, explained
from forecasts.parts.files import AGAIN, changed, file_sha256, part_file, write_json
from forecasts.parts.manifest import MANIFEST
from forecasts.parts.tables import (
    arrow_table,
    schema_of,
    typed_table,
    write_parquet,
)
from forecasts.parts.unfinished import is_unfinished, unfinished
from scoring import input_frames

FORMAT, VERSION = "forecast-ledger-parts", 1
MOST_PARTS = 100_000
# The files that are not divided.
WHOLE = ("teams", "evidence", "articles", "links")


@dataclass(frozen=True)
class PartFile:
    """A file of the folder: its number of rows, and the SHA-256 of its bytes in hexadecimal."""

    rows: int
    sha256: str


@dataclass(frozen=True)
class Parts:
    """A folder of parts.

    ``count``: the number of parts. ``files``: each file by its path within the folder. ``source``:
    the digest of the input that the folder was made from.
    """

    folder: Path
    count: int
    files: Mapping[str, PartFile]
    source: str = ""

    def rows(self, table: str, part: int | None = None) -> int:
        """Return the number of questions or forecasts, of one part or of all."""
        chosen = range(self.count) if part is None else (part,)
        return sum(self.files[part_file(table, each)].rows for each in chosen)

    def digest(self, part: int) -> str:
        """Return a hash of the part's questions and forecasts, as the manifest has them."""
        both = [self.files[part_file(table, part)].sha256 for table in ("questions", "forecasts")]
        return hashlib.sha256("".join(both).encode()).hexdigest()

    def questions(self, part: int, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the part's questions, with these columns or all, typed as in ``Frames``."""
        wanted = columns or list(FRAME_COLUMNS["questions"])
        return typed_table(self._table(part_file("questions", part), wanted), "questions")

    def forecasts(self, part: int, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the part's forecasts in order, with these columns or all.

        ``question_id`` and ``forecaster`` are categoricals; ``probabilities``, ``quantiles`` and
        ``evidence`` are JSON texts, None where blank. A column of which every cell is blank is left
        out, except ``probability``.
        """
        path = part_file("forecasts", part)
        return forecast_frame(self._table(path, columns or list(FRAME_COLUMNS["forecasts"])))

    def read(self, part: int) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the part's questions and forecasts with the columns that ``scoring.score`` needs.

        See ``questions`` and ``forecasts``.
        """
        return (
            self.questions(part, input_frames.QUESTION_COLUMNS),
            self.forecasts(part, input_frames.FORECAST_COLUMNS),
        )

    def whole(self, table: str) -> pd.DataFrame:
        """Return the teams, the evidence or the articles, typed as in ``Frames``."""
        name = f"{table}.parquet"
        if name not in self.files:
            return typed_table(schema_of(table).empty_table(), table)
        return typed_table(self._table(name, list(FRAME_COLUMNS[table])), table)

    def _table(self, name: str, columns: Sequence[str]) -> Any:
        """Return columns of a file as an Arrow table. BadInput if it is missing or was changed."""
        path = self.folder / name
        try:
            ids = [each for each in IDS if name.startswith("forecasts")]
            with pyarrow.parquet.ParquetFile(path, read_dictionary=ids) as file:
                if file.metadata.num_rows != self.files[name].rows:
                    raise changed(path)
                present = [each for each in columns if each in file.schema_arrow.names]
                return file.read(columns=present).unify_dictionaries()
        except FileNotFoundError:
            raise BadInput(
                f"The folder of parts {self.folder.name!r} has no file {name}.", remedy=AGAIN
            ) from None
        except pa.ArrowException as error:
            reason = " ".join(str(error).split()).rstrip(".")
            raise BadInput(
                f"{name} of {self.folder.name!r} cannot be read: {reason}.", remedy=AGAIN
            ) from None


class _Manifest(BaseModel):
    format: Literal["forecast-ledger-parts"]
    version: Any
    parts: int = Field(ge=1, le=MOST_PARTS)
    source: str = ""
    files: dict[str, PartFile]


def open_parts(folder: Path) -> Parts:
    """Return the folder of parts. BadInput if it is not one, or lacks files of its manifest."""
    try:
        found = _Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except FileNotFoundError:
        raise BadInput(
            f"{str(folder)!r} is not a folder of parts: it has no {MANIFEST}.",
            remedy=Remedy("Make one: {}", "partition", "FOLDER", into="PARTS"),
        ) from None
    except OSError as error:
        raise BadInput(f"{folder / MANIFEST} cannot be read: {error.strerror or error}.") from None
    except ValidationError as error:
        [first, *_] = error.errors()
        place = " ".join(map(str, first["loc"]))
        raise _unusable(folder, f"is not valid: {place} {first['msg']}") from None
    if found.version != VERSION:
        raise BadInput(
            f"The folder of parts {folder.name!r} has version {found.version!r} of the format; "
            f"this program reads version {VERSION}.",
            remedy=Remedy(
                "Install the newest release, or make the parts again with this one: {}",
                "partition",
                "INPUT",
                into="NEW",
            ),
        )
    divided = {part_file(t, p) for t in ("questions", "forecasts") for p in range(found.parts)}
    allowed = divided | {f"{name}.parquet" for name in WHOLE}
    if not divided <= found.files.keys() <= allowed:
        raise _unusable(folder, f"does not list the files of {found.parts:,} parts")
    return Parts(folder, found.parts, found.files, found.source)


def _unusable(folder: Path, fault: str) -> BadInput:
    return BadInput(f"The file {MANIFEST} of {folder.name!r} {fault}.", remedy=AGAIN)


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty folder, whose content is that of ``folder`` when the block ends.

    After an error nothing is left of it, and what a killed process left is removed. Refused if
    ``folder`` has content, or if another process is making it.
    """
    require_new(folder)
    # An empty folder stays: it may be a link, a disk of its own, or where the command runs.
    is_there = os.path.isdir(folder)
    beside = folder if is_there else folder.parent
    try:
        beside.mkdir(parents=True, exist_ok=True)
        with unfinished(folder.name, beside) as draft:
            yield draft
            if is_there:
                for each in sorted(draft.iterdir(), key=lambda path: path.name == MANIFEST):
                    each.rename(folder / each.name)
            else:
                draft.chmod(0o777 & ~_umask())  # a temporary folder is its owner's alone
                draft.rename(folder)
    except OSError as error:
        raise unwritable(folder, error) from error


def require_new(folder: Path) -> None:
    """Raise Refused if the folder has content, other than that of an unfinished run."""
    try:
        taken = os.path.lexists(folder) and (
            not folder.is_dir()
            or not all(is_unfinished(path, folder.name) for path in folder.iterdir())
        )
    except OSError as error:
        raise unwritable(folder, error) from None
    if taken:
        raise Refused(f"{str(folder)!r} is not an empty folder.", remedy="Name a new folder.")


def _umask() -> int:
    before = os.umask(0)
    os.umask(before)
    return before


def unwritable(folder: Path, error: OSError) -> BadInput:
    """Return the error for a folder that the system does not let us write."""
    return BadInput(
        f"The folder {str(folder)!r} cannot be written: {error.strerror or error}.",
        remedy="Name a folder that you may write to, on a disk with free space.",
    )


def write_manifest(
    folder: Path, parts: int, files: Mapping[str, PartFile], *, source: str = ""
) -> Parts:
    """Return the folder of parts; its manifest is written, as the last step of making it."""
    document = {
        "format": FORMAT,
        "version": VERSION,
        "parts": parts,
        "source": source,
        "files": {name: vars(files[name]) for name in sorted(files)},
    }
    write_json(folder / MANIFEST, document)
    return Parts(folder, parts, dict(files), source)


def write_tables(
    folder: Path, part: int, questions: pd.DataFrame, forecasts: Any
) -> dict[str, PartFile]:
    """Return the files of one part, written from questions and an Arrow table, both in order."""
    return {
        **write_table(folder, part_file("questions", part), [arrow_table(questions, "questions")]),
        **write_table(folder, part_file("forecasts", part), [forecasts]),
    }


def write_whole(folder: Path, table: str, frame: pd.DataFrame) -> dict[str, PartFile]:
    """Return the file of the teams, evidence or articles, which is written if there are any."""
    if frame.empty:
        return {}
    return write_table(folder, f"{table}.parquet", [arrow_table(frame, table)])


def write_table(folder: Path, name: str, contents: Iterable[Any]) -> dict[str, PartFile]:
    """Return a file of the folder, written from Arrow tables that follow each other.

    Columns that are left out are blank.
    """
    path = folder / name
    rows = write_parquet(path, name.partition("/")[0].removesuffix(".parquet"), contents)
    return {name: PartFile(rows, file_sha256(path))}


def files_that_differ(
    parts: Parts, *, progress: Callable[[int, int], None] = lambda done, of: None
) -> list[str]:
    """Return the paths of the files that are missing or differ from the manifest in any byte.

    Every byte is read, with one thread per core. ``progress`` is called with the number of
    forecasts whose files are read, and of all. BadInput for a file that cannot be read.
    """
    divided = {part_file("forecasts", part) for part in range(parts.count)}
    done, total, names = 0, parts.rows("forecasts"), sorted(parts.files)
    differ: list[str] = []
    with ThreadPoolExecutor(cores()) as pool:
        try:
            for name, same in zip(names, pool.map(partial(_matches, parts), names), strict=True):
                differ += [] if same else [name]
                done += parts.files[name].rows if name in divided else 0
                progress(done, total)
        except OSError as error:
            raise explained(error) from error
    return differ


def _matches(parts: Parts, name: str) -> bool:
    try:
        return file_sha256(parts.folder / name) == parts.files[name].sha256
    except FileNotFoundError:
        return False
