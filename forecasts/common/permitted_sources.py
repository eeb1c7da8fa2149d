"""The files and addresses that resolvers and feeds may read.

A member names a file, but the run reads it with its own rights and shows its content to others.
In a private ledger that is the same person. In a shared ledger, a run may read only files in the
folder FORECASTS_FILES_FOLDER, and none without that setting.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from forecasts.common.errors import BadInput
from forecasts.common.ip_addresses import is_private_host
from forecasts.common.settings import Settings

# The media type of a file by its suffix; a server names that of a page.
SUFFIXES = {
    ".csv": "text/csv",
    ".json": "application/json",
    ".xml": "application/xml",
    ".rss": "application/rss+xml",
    ".atom": "application/atom+xml",
}


def is_page(address: str) -> bool:
    """Return whether the address is a web page; otherwise it is a file path."""
    return address.lower().startswith(("http://", "https://"))


def require_public(address: str) -> None:
    """Refuse an address that is plainly in a private network, unless those are allowed."""
    host = urlsplit(address).hostname if is_page(address) else None
    if host and is_private_host(host) and not Settings().allow_private_addresses:
        raise BadInput(
            f"{host} is a private address, which resolvers may not read.",
            remedy="To allow your own network, the operator sets "
            "FORECASTS_ALLOW_PRIVATE_ADDRESSES=true, for the run too.",
        )


def allowed(path: Path, *, shared: bool) -> Path:
    """Return the path, with links resolved in a shared ledger; BadInput if it may not be read."""
    if not shared:
        return path
    folder = Settings().files_folder
    if folder is None:
        raise BadInput(
            f"The file {str(path)!r} may not be read: this ledger is shared, and no folder of "
            "files is set.",
            remedy="The operator sets FORECASTS_FILES_FOLDER to the folder with the files; or use "
            "an https address.",
        )
    try:
        found = path.resolve()
        if found.is_relative_to(folder.resolve()):
            return found
    except (OSError, RuntimeError, ValueError) as error:  # a loop of links, or an invalid name
        raise BadInput(f"The file {str(path)!r} cannot be found: {error}.") from None
    raise BadInput(
        f"The file {str(path)!r} is not in the folder of files, so it may not be read.",
        remedy=f"Put it into {folder} (FORECASTS_FILES_FOLDER); links must stay within it.",
    )
