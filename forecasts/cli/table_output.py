"""Tables from a ledger folder or the ledger: input, format and text."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import pandas as pd

from forecasts.cli.console import one_of
from forecasts.cli.options import argument, option
from forecasts.cli.outputs import require_file
from forecasts.cli.printing import print_note
from forecasts.cli.session import reading_as
from forecasts.common.errors import BadInput
from forecasts.common.json_text import json_text
from forecasts.common.text import without_formulas
from forecasts.folder.folder import read_folder
from forecasts.folder.frames import Frames
from forecasts.folder.tables import time_texts
from forecasts.parts.manifest import is_parts
from forecasts.questions.same_questions import likely_same_in
from forecasts.scores.ledger_frames import ledger_frames

Folder = Annotated[Path | None, argument("FOLDER", "A ledger folder. [default: the database]")]
FolderOrParts = Annotated[
    Path | None, argument("FOLDER", "A ledger folder or a folder of parts. [default: the database]")
]
Format = Annotated[
    str | None,
    option(
        "csv|json|parquet",
        "Output format. [default: by the extension of --output, else csv]",
        "--format",
    ),
]
Output = Annotated[
    Path | None, option("PATH", "File to write. [default: standard output]", "--output", "-o")
]

_TABLE_FORMATS = ("csv", "json", "parquet")


def frames_of(folder: Path | None, *, rationales: bool = True) -> Frames:
    """Return the frames of the folder, or else of the configured database.

    Without ``rationales``, as reports need them: see ``ledger_frames``.
    """
    if folder is not None:
        if is_parts(folder):
            raise BadInput(
                f"{str(folder)!r} is a folder of parts; only report, compare and score read those.",
                remedy="Use a ledger folder, or leave out FOLDER to read the database.",
            )
        frames = read_folder(folder, warn=lambda text: print_note(f"Warning: {text}"))
        same = frozenset() if rationales else likely_same_in(frames.questions)
        return replace(frames, likely_same=same)

    with reading_as() as (session, _, _):
        return ledger_frames(session, rationales=rationales)


def format_of(
    given: str | None, output: Path | None, formats: Sequence[str] = _TABLE_FORMATS
) -> str:
    """Return the given format, or that of the extension of ``output``, else the first.

    BadInput for an unknown one, and if the output cannot be written.
    """
    require_file(output)
    if given is not None:
        return str(one_of("--format", given, formats))
    extension = "" if output is None else output.suffix.lower()
    by_extension = {".txt" if name == "text" else f".{name}": name for name in formats}
    if extension and extension not in by_extension:
        raise BadInput(
            f"No format has the file extension {extension!r}.",
            remedy=f"Name a format with --format: {', '.join(formats)}.",
        )
    return by_extension.get(extension, formats[0])


def table_text(table: pd.DataFrame, format_: str) -> str | bytes:
    """Return the table in that format, with numbers in full precision and times in ISO 8601.

    In CSV, an apostrophe is put before texts that a spreadsheet would take for formulas; JSON and
    Parquet are exact.
    """
    if format_ == "parquet":
        buffer = io.BytesIO()
        table.to_parquet(buffer, index=False)
        return buffer.getvalue()

    for name in table.select_dtypes("datetimetz"):
        table[name] = time_texts(table[name])
    if format_ == "json":
        return json_text(table.to_dict("records"))
    for name in table.select_dtypes(["str", "object"]):
        texts = table[name].fillna("")
        table[name] = [without_formulas(v) if isinstance(v, str) else v for v in texts]
    for name in table.select_dtypes("float"):
        table[name] = ["" if value != value else repr(float(value)) for value in table[name]]
    return str(table.to_csv(index=False, lineterminator="\n"))
