"""Files that resolvers read: where each lies, and which of them may be read.

Whoever sets a resolver names the file, and the run, which may be allowed more than they are, reads
it and hands out what it was shown. In a ledger of one's own that is the same person. Where others
use the ledger too, only files in the folder that the operator names (FORECASTS_FILES_FOLDER) are
read, and without that setting none.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from forecasts.common.errors import BadInput
from forecasts.common.settings import Settings

_SECRET = re.compile(r"key$|token|secret|passw", re.IGNORECASE)
# What a file is by its name; of a page its server says so.
SUFFIXES = {
    ".csv": "text/csv",
    ".json": "application/json",
    ".xml": "application/xml",
    ".rss": "application/rss+xml",
    ".atom": "application/atom+xml",
}


def is_page(address: str) -> bool:
    """Return whether it is on the web; else it is the path of a file."""
    return address.lower().startswith(("http://", "https://"))


def keys_in(address: str) -> list[str]:
    """Return the parameters of a page's address that are called as what is secret.

    >>> keys_in("https://example.org/rain?keyword=storm&api_key=x")
    ['api_key']
    """
    query = urlsplit(address).query if is_page(address) else ""
    return [name for name, _ in parse_qsl(query, keep_blank_values=True) if _SECRET.search(name)]


def require_public(address: str) -> None:
    """Refuse a page that is inside the network by its name alone, unless such are allowed."""
    # Imported here: what fetches takes long to import, and not every command that starts needs it.
    from forecasts.common.web import is_plainly_private

    host = urlsplit(address).hostname if is_page(address) else None
    if host and is_plainly_private(host) and not Settings().allow_private_addresses:
        raise BadInput(
            f"{host} is a private address, and no resolver looks there.",
            remedy="If it is your own network's, the operator sets "
            "FORECASTS_ALLOW_PRIVATE_ADDRESSES=true, for the run too.",
        )


def located(address: str) -> str:
    """Return the address of a page as it is, and of a file so that it is found from anywhere."""
    if is_page(address):
        return address
    return str(Path(os.path.expanduser(address)).absolute())


def allowed(path: Path, *, shared: bool) -> Path:
    """Return the file that stands there in the end; BadInput where it may not be read.

    ``shared``: others than the ledger's owner use it.
    """
    if not shared:
        return path
    folder = Settings().files_folder
    if folder is None:
        raise BadInput(
            f"The file {str(path)!r} is not read: this ledger is shared, and no folder of files is "
            "set.",
            remedy="The operator sets FORECASTS_FILES_FOLDER to the folder that holds them; or "
            "name an https address.",
        )
    try:
        found = path.resolve()
        if found.is_relative_to(folder.resolve()):
            return found
    except (OSError, RuntimeError, ValueError) as error:  # a circle of links, or no name at all
        raise BadInput(f"The file {str(path)!r} cannot be found: {error}.") from None
    raise BadInput(
        f"The file {str(path)!r} is not in the folder of files, so it is not read.",
        remedy=f"Put it into {folder}, which FORECASTS_FILES_FOLDER names; links may not lead out "
        "of it.",
    )
