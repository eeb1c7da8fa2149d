"""The command ``forecasts pull``: import the record of an account elsewhere, with its token."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from pydantic import SecretStr

from forecasts.accounts import tokens
from forecasts.accounts.accounts import ACCOUNTS, own, settled
from forecasts.accounts.client import Client
from forecasts.accounts.kept import discard, keeping, place
from forecasts.cli.console import ask_secret, now, one_of, when
from forecasts.cli.import_output import import_or_preview
from forecasts.cli.options import Account, DryRun, ImportedVisibleTo, Vouch, argument, flag
from forecasts.cli.outputs import progress_bar
from forecasts.cli.printing import print_note
from forecasts.cli.root import app
from forecasts.cli.session import acting_handle, reading_as, settings
from forecasts.common.errors import command
from forecasts.common.settings import data_folder
from forecasts.platforms.record import Choices


@app.command()
def pull(
    platform: Annotated[str, argument("metaculus|fatebook|manifold", "Where your account is.")],
    dry_run: DryRun = False,
    fresh: Annotated[bool, flag("--fresh", "Fetch everything again.")] = False,
    remember: Annotated[
        bool, flag("--remember", "Ask for the token, and keep it in your keyring.")
    ] = False,
    forget: Annotated[
        bool, flag("--forget", "Remove the token from your keyring, and stop.")
    ] = False,
    mine: Annotated[
        bool, flag("--mine", "Leave out the forecasts of others on your questions.")
    ] = False,
    account: Account = None,
    vouch: Vouch = False,
    visible_to: ImportedVisibleTo = None,
) -> None:
    """Import your record from your account on another platform.

    The token comes from FORECASTS_METACULUS_TOKEN (or FATEBOOK, MANIFOLD), or from your keyring.
    Interrupted, it continues when you run it again. Later runs add new questions,
    forecasts and outcomes.
    """
    source = ACCOUNTS[one_of("The platform", platform, list(ACCOUNTS))]
    site = source.SITE
    if forget:
        tokens.forget(site)
        print_note(f"The token for {site.title} is not in your keyring.")
        return
    if remember:
        tokens.remember(site, SecretStr(ask_secret(f"Token for {site.title}")))
    chosen = settings()
    owner = acting_handle()
    token = tokens.kept(site) if remember else tokens.find(site, chosen)
    client = Client(site, token, print_note, wait, now, chosen.allow_private_addresses)

    def known() -> set[str]:
        if fresh:
            return set()
        with reading_as(begin=True) as (session, who, _):
            return set() if who is None else settled(session, platform, who)

    secret, folder = token.get_secret_value(), data_folder() / "pulls"
    path = place(folder, platform, secret, site.base, chosen.database_url, owner)
    begun = now()
    with keeping(path, now=begun, fresh=fresh) as kept:
        if kept.resumed:
            print_note(f"Continues the pull of {when(kept.begun)}. To begin again: --fresh")
        try:
            with progress_bar(site.title, "") as show:
                kept.shown = lambda name, done, of: show(done, of, f"{site.title}: {name}")
                source.fetch(client, kept, known)
        except KeyboardInterrupt:
            print_note(
                "Stopped. Nothing is lost: run the command again to continue, or with --fresh to "
                "begin again."
            )
            raise typer.Exit(130) from None
        with progress_bar("import", "%") as show:
            show(step="Reading the answers")
            record = source.read(kept, Choices(owner, now=begun))
            if mine:
                record = own(record, account or owner)
            import_or_preview(
                {platform: record},
                show,
                dry_run=dry_run,
                vouch=vouch,
                visible_to=visible_to,
                account=account,
            )
        if dry_run:
            again = command("pull", platform)
            print_note(f"Kept for the import, so nothing is fetched twice: {again}")
        else:
            discard(path)


def wait(seconds: float) -> None:
    """Wait, between two requests to a platform."""
    time.sleep(seconds)
