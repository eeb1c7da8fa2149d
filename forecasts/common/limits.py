"""Limits on the size of external input, in one place.

Each limit is far above real use and far below the size that would exhaust a machine. Every
reader takes its limit from here, so that all refusals read alike: the place, its size, the limit
and the remedy.
"""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from pathlib import Path

from forecasts.common.errors import BadInput

try:
    import resource
except ImportError:  # not on every system
    resource = None  # type: ignore[assignment]

# One file of a ledger folder. The CSV reader takes a file in one block of at most 2 GiB and needs
# several times its size in memory. Half a million updates with a paragraph each are 250 MB.
FILE_BYTES = 1 << 30
# A page, a pasted text, or an article's cell. A long novel has a tenth of it.
TEXT_BYTES = 5_000_000
# A question's background, criteria or fine print, which its page shows whole: a hundred pages.
PROSE_BYTES = 300_000
# A source that a resolver reads in every run, a file or a page: some hundred thousand rows.
SOURCE_BYTES = 50_000_000
# The part of a resolver's source that is kept with its finding. A longer source is kept as a hash.
EXHIBIT_BYTES = 1_000_000
# The settings of a resolver. They are kept for good, and read at every look.
SETTINGS_BYTES = 100_000
ROWS = 5_000_000  # of a table
# A row group of a Parquet file, whose texts Arrow unpacks at once: so much, and so much for each of
# its rows, so that few rows with a huge text are not unpacked to be refused.
GROUP_BYTES, GROUP_ROW_BYTES = 100_000_000, 10_000
# Of an import into a shared ledger by someone who is not its admin: its rows, some seconds in which
# nobody else can write, and the unpacked bytes of an uploaded ZIP.
MEMBER_ROWS = 100_000
MEMBER_BYTES = 100_000_000
COLUMNS = 200  # of a table; the widest of the format has 25
# A handle, a team's name, an ID, an address. They are indexed, and PostgreSQL limits an index
# entry to 2,704 bytes.
NAME_BYTES = 2_000
ENTRIES = 1_000  # options, quantiles, tags or citations in one cell
DEPTH = 4  # nested lists and objects in one cell; the format needs two
# An archive: its entries, and how many times its own size it may unpack to once that exceeds
# UNCHECKED_BYTES. CSV shrinks to a tenth or, when rows are much alike, to a fiftieth.
ARCHIVE_ENTRIES = 1_000
MAX_EXPANSION = 200
UNCHECKED_BYTES = 10_000_000


def limit_memory(gigabytes: float) -> None:
    """Let this process and its children take at most so much memory; more is a MemoryError.

    Without effect where the system has no such limit.
    """
    if resource is not None:
        allowed = resource.getrlimit(resource.RLIMIT_DATA)[1]
        most = int(gigabytes * 1e9)
        if allowed != resource.RLIM_INFINITY:
            most = min(most, allowed)
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def descriptors(wanted: int) -> int:
    """Return how many files and connections this process may open: ``wanted``, if it is allowed."""
    if resource is not None:
        allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)  # below 0: without a limit
        if 0 <= allowed < wanted:
            allowed = wanted if most < 0 else min(wanted, most)
            resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))
        wanted = allowed if allowed >= 0 else wanted
    return wanted


def spare_memory() -> int:
    """Return half the bytes of memory that are free, at most 1 GB, for bulk work."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            free = next(int(line.split()[1]) << 10 for line in file if "MemAvailable" in line)
    except (OSError, StopIteration):  # not on every system
        free = 2 * 10**9
    return min(free // 2, 10**9)


def machine_memory(groups: Path = Path("/sys/fs/cgroup")) -> int:
    """Return the bytes of memory that this machine has, or that its container may use."""
    allowed = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for name in ("memory.max", "memory/memory.limit_in_bytes"):  # version 2 of cgroups, version 1
        with suppress(OSError, ValueError):  # no such file, or "max"
            allowed.append(int((groups / name).read_text(encoding="ascii")))
    return min(allowed)


_SIZE = re.compile(r"(\d+(?:\.\d+)?) *([kmgt]?)(i?)b?", re.IGNORECASE)


def read_bytes(text: str, option: str) -> int:
    """Return the number of bytes that a text such as 500MB names. BadInput for anything else.

    >>> read_bytes("1.5 GB", "--memory"), read_bytes("64MiB", "--memory")
    (1500000000, 67108864)
    """
    if (found := _SIZE.fullmatch(text.strip())) is None or not float(found[1]):
        raise BadInput(f"{option} {text!r} is not a size.", remedy="Write it like 500MB or 2GB.")
    return int(
        float(found[1]) * (1024 if found[3] else 1000) ** " kmgt".index(found[2].lower() or " ")
    )


def format_bytes(size: int) -> str:
    """Return a number of bytes as text.

    >>> format_bytes(5_000_000), format_bytes(1 << 30), format_bytes(2000), format_bytes(76 * 10**9)
    ('5 MB', '1,073.7 MB', '2,000 bytes', '76 GB')
    """
    if size < 100_000:
        return f"{size:,} bytes"
    number, unit = (size / 1e6, "MB") if size < 10**10 else (size / 1e9, "GB")
    return f"{number:,.1f}".removesuffix(".0") + f" {unit}"


def too_much(place: str, actual: str, limit: str, remedy: str) -> BadInput:
    """Return the error for a place that exceeds its limit."""
    return BadInput(f"{place} has {actual}; at most {limit} are read.", remedy=remedy)


def require_file(path: Path, limit: int, remedy: str = "Divide it.") -> None:
    """Raise BadInput unless ``path`` is a regular file of at most ``limit`` bytes.

    Reading a pipe or a device might not end. Raises OSError if the path does not exist.
    """
    try:
        found = os.stat(path)
    except ValueError as error:
        raise BadInput(f"{str(path)!r} is not a valid file name: {error}.") from None
    if not stat.S_ISREG(found.st_mode):
        kind = "a folder" if stat.S_ISDIR(found.st_mode) else "a pipe, a socket or a device"
        raise BadInput(f"{path.name} is {kind}, not a file.", remedy="Give the path of a file.")
    if found.st_size > limit:
        raise too_much(path.name, format_bytes(found.st_size), format_bytes(limit), remedy)


def require_name(name: str, label: str) -> None:
    """Raise BadInput if a name or an address is too long to be indexed."""
    _require_size(name, f"{label} {name[:40] + '…'!r}", NAME_BYTES, "Give a shorter one.")


def require_address(text: str, name: str) -> None:
    """Refuse, with BadInput, text that is not a web address; ``name`` begins the error."""
    if not re.fullmatch(r"https?://\S+", text, re.IGNORECASE):
        match = re.fullmatch(r"([a-z][a-z0-9+.-]*)://\S*", text, re.IGNORECASE)
        raise BadInput(
            f"{name} {text!r} is not a web address"
            + (f": it cannot begin with {match[1]}://." if match else "."),
            remedy="Give one that begins with https:// or http://; for your own words, use a note.",
        )
    require_name(text, name)


def require_prose(text: str, label: str) -> None:
    """Raise BadInput if a text is too long for the page that shows it."""
    _require_size(text, label, PROSE_BYTES, "Keep the rules that decide, and link to the rest.")


def _require_size(text: str, place: str, limit: int, remedy: str) -> None:
    size = len(text.encode("utf-8", "replace"))
    if size > limit:
        raise too_much(place, format_bytes(size), format_bytes(limit), remedy)
