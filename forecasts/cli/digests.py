"""The command digest, and the digests that runs send and have stamped."""

from __future__ import annotations

from typing import Annotated

import typer
from sqlalchemy import Engine

from forecasts.agenda.notifications import apprise_adapter
from forecasts.cli.console import now, when
from forecasts.cli.options import OnLedger, flag, option
from forecasts.cli.printing import print_line, print_note
from forecasts.cli.root import app
from forecasts.cli.session import ledger, ledger_to_read, settings
from forecasts.common.errors import BadInput, LedgerError
from forecasts.common.settings import Settings
from forecasts.ledger.database import reading
from forecasts.ledger.verification import newest
from forecasts.operations import digests, stamps


@app.command(cls=OnLedger)
def digest(
    to: Annotated[
        str | None,
        option(
            "FILE|URL|MAIL",
            "Send it to a file, an https URL, or an address such as "
            "mailto://USER:PASSWORD@HOST. [default: FORECASTS_DIGEST_TO]",
        ),
    ] = None,
    stamp: Annotated[
        bool,
        flag(
            "--stamp",
            "Have it stamped with the time by the RFC 3161 server in FORECASTS_STAMP_URL.",
        ),
    ] = False,
) -> None:
    """Print the ledger's digest, and send it somewhere safe.

    Kept where nobody can change it, it later proves that history is unchanged. A forecasts run
    does so once a day if FORECASTS_DIGEST_TO is set. Exit code 1 if it was not sent.

    A stamp proves the time too; a run has one made each day if FORECASTS_STAMP_URL is set.
    """
    chosen = settings()
    if stamp:
        made = _stamp_digest(ledger_to_read(chosen), chosen)
        assert made is not None
        print_note(_of_stamp(made))
        if to is None:
            print_line(made.digest)
            return
    target = to or (None if chosen.digest_to is None else chosen.digest_to.get_secret_value())
    if target is None:
        with reading(ledger_to_read(chosen)) as session:
            print_line(newest(session))
        return
    sent = _send_digest(ledger(chosen), chosen, target)
    print_line(sent.digest)
    if sent.reason:
        print_note(f"Not sent to {sent.place}: {sent.reason}")
        raise typer.Exit(1)
    print_note(f"Sent to {sent.place}.")


def _send_digest(engine: Engine, chosen: Settings, target: str) -> digests.Sent:

    private = chosen.allow_private_addresses

    def message(address: str, title: str, text: str) -> str:
        apprise_adapter.check(address, allow_private=private, shared=False)
        delivery, reason = apprise_adapter.deliver(address, title, text, allow_private=private)
        return "" if delivery == apprise_adapter.Delivery.sent else f"{reason}."

    return digests.send(engine, target, now=now(), message=message, allow_private=private)


def _stamp_digest(engine: Engine, chosen: Settings, *, if_due: bool = False) -> stamps.Stamp | None:
    """Return the stamp of the newest digest, which is kept; None if it is not due."""
    if chosen.stamp_url is None:
        raise BadInput(
            "No server for stamps is set.",
            remedy="Set FORECASTS_STAMP_URL to an RFC 3161 server, and FORECASTS_STAMP_ROOTS to a "
            "PEM file with its root certificate unless web browsers trust that.",
        )
    with reading(engine) as session:
        digest = newest(session)
        folder = stamps.folder_of_proofs(session, chosen.proofs_folder)
    roots = chosen.stamp_roots
    if if_due and not stamps.is_due(folder, digest, now=now(), roots=roots):
        return None
    private = chosen.allow_private_addresses
    return stamps.stamp(digest, chosen.stamp_url, folder, roots=roots, allow_private=private)


def _of_stamp(made: stamps.Stamp) -> str:
    assert made.at is not None
    return f"Stamped by {made.authority} at {when(made.at)}: {made.file}"


def send_due_digest(engine: Engine, chosen: Settings) -> None:
    """Send the digest, and have it stamped, at the end of a run if they are due.

    The results are printed to standard error.
    """
    try:
        if chosen.stamp_url is not None and (made := _stamp_digest(engine, chosen, if_due=True)):
            print_note(_of_stamp(made))
    except LedgerError as error:
        print_note(f"The digest was not stamped: {error}")
    target = "" if chosen.digest_to is None else chosen.digest_to.get_secret_value()
    if not target or not digests.claim(engine, target, now=now()):
        return
    try:
        sent = _send_digest(engine, chosen, target)
    except LedgerError as error:
        print_note(f"The digest was not sent: {error}")
        return
    if sent.reason:
        print_note(f"The digest was not sent to {sent.place}: {sent.reason}")
    else:
        print_note(f"Digest {sent.digest} sent to {sent.place}.")
