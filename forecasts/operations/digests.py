"""Send the ledger's digest to where its database's owner cannot change it, and read it back.

A target is a file, which gets a line; an https address, to which the line is posted; or an address
of a service that notifications use, such as mailto://, which gets it as a message. The newest
sending to each target is recorded (``upkeep``): a run sends a digest once a day, if there are new
entries, and tries a failed one again.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import Engine
from sqlmodel import Session

from forecasts.common.errors import BadInput, DatabaseError, LedgerError, Remedy
from forecasts.common.private_files import create_private_folder
from forecasts.common.settings import data_folder
from forecasts.common.times import iso
from forecasts.common.web import post
from forecasts.ledger.chain import read_digest
from forecasts.ledger.database import reading, writing
from forecasts.ledger.models import Upkeep, UpkeepAct
from forecasts.ledger.urls import read_url
from forecasts.ledger.verification import newest
from forecasts.operations import upkeep

EVERY = timedelta(days=1)  # between two digests of scheduled runs
_LEASE = timedelta(minutes=1)  # longer than any target may take
_BEING_SENT = "A run began to send it, and did not record the result."
Message = Callable[[str, str, str], str]  # address, title, text -> reason of a failure, or ""
_EMAIL = re.compile(r"mailto:(?!//).*|[^/\s]+@[^/\s]+", re.IGNORECASE)


@dataclass(frozen=True)
class Sent:
    """A digest, and the target that it went to as it may be shown. ``reason``: why it did not."""

    digest: str
    place: str
    reason: str = ""


def default_file(url: str, folder: Path | None = None) -> Path:
    """Return the file for the digests of the ledger at ``url`` unless another target is set.

    ``folder``: the data folder, if it is not this user's.
    """
    parsed = read_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        return Path(f"{Path(parsed.database).absolute()}.digests")
    return (folder or data_folder()) / "digests"


def shown(target: str) -> str:
    """Return the part of a target that may be shown: a file's path, or scheme and host."""
    if "://" not in target:
        return str(Path(target).absolute())
    scheme = target.partition("://")[0].lower()
    with suppress(ValueError):
        if is_web(target):
            return f"{scheme}://{urlsplit(target).hostname or ''}"
    return f"{scheme}://…"


def is_web(target: str) -> bool:
    """Return whether the target is a web address."""
    return target.lower().startswith(("https://", "http://"))


def require_server(target: str) -> None:
    """Refuse, with BadInput, an e-mail address without the server to send mail with."""
    if _EMAIL.fullmatch(target):
        raise BadInput(
            f"{target!r} names no server to send mail with.",
            remedy="Name yours: mailto://USER:PASSWORD@HOST?to=YOU@EXAMPLE.ORG.",
        )


def send(
    engine: Engine, target: str, *, now: datetime, message: Message, allow_private: bool = False
) -> Sent:
    """Return the ledger's newest digest, sent to the target; the result is recorded.

    ``message`` sends it to a service. BadInput for a web address without encryption, and for an
    e-mail address without its server. A ledger that can only be read does not remember the result.
    """
    require_server(target)
    if is_web(target) and not target.lower().startswith("https://") and not allow_private:
        raise BadInput(
            f"{shown(target)} is not encrypted, so anyone on the way could change the digest.",
            remedy="Use an https address.",
        )
    with reading(engine) as session:
        digest = newest(session)
    reason = _sent(target, f"{iso(now)} {digest}", message, allow_private)
    place = shown(target)
    with suppress(DatabaseError), writing(engine) as session:
        upkeep.record(
            session, UpkeepAct.digest, place, now=now, target=target, digest=digest, reason=reason
        )
    return Sent(digest, place, reason)


def claim(engine: Engine, target: str, *, now: datetime) -> bool:
    """Return whether a run sends a digest: the last failed, or is a day old and out of date.

    Another run leaves it to this one, for a minute.
    """
    with reading(engine) as session:
        if not _is_due(session, target, now):
            return False
    with writing(engine) as session:
        if not _is_due(session, target, now):
            return False
        place = shown(target)
        upkeep.record(session, UpkeepAct.digest, place, now=now, target=target, reason=_BEING_SENT)
    return True


def _is_due(session: Session, target: str, now: datetime) -> bool:
    row = upkeep.find(session, UpkeepAct.digest, target)
    if row is not None and row.reason == _BEING_SENT and now - row.tried_at < _LEASE:
        return False
    return row is None or bool(row.reason) or is_old(row, newest(session), now=now)


def is_old(row: Upkeep, digest: str, *, now: datetime, age: timedelta = EVERY) -> bool:
    """Return whether the last success is as old as that, and history has gone on since."""
    return row.done_at is None or (row.digest != digest and now - row.done_at >= age)


def _sent(target: str, line: str, message: Message, allow_private: bool) -> str:
    """Return why the line was not sent; blank if it was."""
    try:
        if is_web(target):
            post(target, f"{line}\n".encode(), allow_private=allow_private)
        elif "://" in target:
            return message(target, "Digest of the forecast ledger", line)
        else:
            _add(Path(target), line)
    except LedgerError as error:
        return str(error)
    except OSError as error:
        return f"The file cannot be written: {error.strerror or error}."
    return ""


def _add(file: Path, line: str) -> None:
    """Add a line to a file, and wait until it is on disk."""
    create_private_folder(file.parent)
    with file.open("a", encoding="utf-8") as opened:
        opened.write(f"{line}\n")
        opened.flush()
        os.fsync(opened.fileno())


def read_digests(given: str) -> list[str]:
    """Return the digests of a file that ``send`` has written, or else the given one alone.

    A file may also be a saved answer of the API, ``{"digest": …}``. BadInput if it is neither, for
    a file that cannot be read, and for a line without a digest.
    """
    file = Path(given)
    try:
        text = file.read_text("utf-8", "replace") if file.is_file() else None
    except OSError as error:
        raise BadInput(
            f"{given[:80]!r} cannot be read: {error.strerror or error}.",
            remedy=Remedy("Give a digest, or the file of {}.", "digest", to="FILE"),
        ) from None
    if text is None:
        try:
            read_digest(given)
        except BadInput as error:
            raise BadInput(
                f"There is no file or folder {given[:80]!r}, and it is not a digest.",
                remedy=error.advice,
            ) from None
        return [given]
    with suppress(ValueError, TypeError, KeyError):
        text = str(json.loads(text)["digest"])
    digests = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words:
            continue
        try:
            read_digest(words[-1])
        except BadInput as error:
            raise BadInput(
                f"Line {number} of {given!r} has no digest: {line[:80]!r}.",
                remedy=Remedy(
                    "A line is a time and a digest, as written by {}", "digest", to="FILE"
                ),
            ) from error
        digests.append(words[-1])
    if not digests:
        raise BadInput(
            f"{given!r} has no digests.", remedy=Remedy("Name the file of {}.", "digest", to="FILE")
        )
    return digests
