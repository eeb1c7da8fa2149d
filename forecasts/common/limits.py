"""How much is read of what comes from outside, in one place; and that it is a file at all.

Each limit is far above what people have and far below what would bring a machine down. Whoever
reads something asks here, and so it is refused everywhere in the same words: the place, how much
there is, how much is read, and what to do.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from forecasts.common.errors import BadInput

# Of one file of a ledger folder. The reader of CSV takes a file in one block of 2 GiB at most, and
# needs several times its size in memory. Half a million updates with a paragraph each are 250 MB.
FILE_BYTES = 1 << 30
# Of a page, a pasted text, or an article's cell: a long novel has a tenth of it.
TEXT_BYTES = 5_000_000
# Of what a resolver reads anew in every run, a file or a page: some hundred thousand rows.
SOURCE_BYTES = 50_000_000
# Of what a resolver was shown, so much is kept with what it found: of more than that, its hash.
EXHIBIT_BYTES = 1_000_000
ROWS = 5_000_000  # of one table
COLUMNS = 200  # of one table; the widest of the format has 25
# Of a handle, a team's name, an id, an address: they are indexed, and an entry of PostgreSQL's
# index has 2,704 bytes.
NAME_BYTES = 2_000
ENTRIES = 1_000  # options, quantiles, tags or citations of one cell
# Lists and objects within each other, in a cell; the format has two.
DEPTH = 4
# Of an archive: its entries, and how many times its own size it may unpack to, once that is more
# than SMALL_BYTES. CSV shrinks to a tenth or, where rows are much alike, to a fiftieth.
ENTRIES_OF_ARCHIVE = 1_000
TIMES_ITS_SIZE = 200
SMALL_BYTES = 10_000_000


def said(size: int) -> str:
    """Return a number of bytes for a person.

    >>> said(5_000_000), said(1 << 30), said(2000)
    ('5 MB', '1,073.7 MB', '2,000 bytes')
    """
    if size < 100_000:
        return f"{size:,} bytes"
    return f"{size / 1e6:,.1f}".removesuffix(".0") + " MB"


def too_much(place: str, has: str, most: str, remedy: str) -> BadInput:
    """Return the error for a place that holds more than is read."""
    return BadInput(f"{place} has {has}; at most {most} are read.", remedy=remedy)


def require_file(path: Path, most: int, remedy: str = "Divide it.") -> None:
    """Refuse, with BadInput, what is no plain file, and one of more than ``most`` bytes.

    A pipe or a device would be waited for, or read, without an end. OSError where it is not there.
    """
    try:
        found = os.stat(path)
    except ValueError as error:
        raise BadInput(f"{str(path)!r} is no name of a file: {error}.") from None
    if not stat.S_ISREG(found.st_mode):
        what = "a folder" if stat.S_ISDIR(found.st_mode) else "a pipe, a socket or a device"
        raise BadInput(f"{path.name} is {what}, and no file.", remedy="Put the file there.")
    if found.st_size > most:
        raise too_much(path.name, said(found.st_size), said(most), remedy)


def require_name(words: str, what: str) -> None:
    """Refuse, with BadInput, a name or an address that is too long to be found again."""
    size = len(words.encode("utf-8", "replace"))
    if size > NAME_BYTES:
        raise too_much(
            f"{what} {words[:40] + '…'!r}", said(size), said(NAME_BYTES), "Give a shorter one."
        )
