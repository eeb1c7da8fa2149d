"""The command ``forecasts pull``: import the record of an account elsewhere, with its token."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from pydantic import SecretStr
from typer import Argument, Option

from forecasts.accounts import tokens
from forecasts.accounts.accounts import ACCOUNTS, own, settled
from forecasts.accounts.client import Client
from forecasts.accounts.kept import discard, keeping, place
from forecasts.cli.console import ask_secret, now, one_of, print_note, when
from forecasts.cli.import_output import import_or_preview
from forecasts.cli.outputs import progress_bar
from forecasts.cli.root import app
from forecasts.cli.session import acting_handle, reading_as, settings
from forecasts.common.errors import command
from forecasts.common.settings import data_folder
from forecasts.platforms.record import Choices


@app.command()
def pull(
    platform: Annotated[
        str, Argument(metavar="metaculus|fatebook|manifold", help="Where your account is.")
    ],
    dry_run: Annotated[
        bool, Option("--dry-run", help="Show the changes, and write nothing.")
    ] = False,
    fresh: Annotated[bool, Option("--fresh", help="Fetch everything again.")] = False,
    remember: Annotated[
        bool, Option("--remember", help="Ask for the token, and keep it in your keyring.")
    ] = False,
    forget: Annotated[
        bool, Option("--forget", help="Remove the token from your keyring, and stop.")
    ] = False,
    mine: Annotated[
        bool, Option("--mine", help="Leave out the forecasts of others on your questions.")
    ] = False,
    account: Annotated[
        str | None,
        Option(metavar="NAME", help="Your name on the platform, if it is not recognised."),
    ] = None,
    vouch: Annotated[
        bool, Option("--vouch", help="Vouch for the times of the forecasts, as for import.")
    ] = False,
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

    path = place(
        data_folder() / "pulls",
        platform,
        token.get_secret_value(),
        site.base,
        chosen.database_url,
        owner,
    )
    begun = now()
    with keeping(path, now=begun, fresh=fresh) as kept:
        if kept.resumed:
            print_note(
                f"Continues the pull of {when(kept.begun)}. To fetch everything again: --fresh"
            )
        try:
            with progress_bar(site.title, "") as advance_to:
                kept.shown = lambda name, count, total: advance_to(
                    description=f"{site.title}: {name}", completed=count, total=total
                )
                source.fetch(client, kept, known)
        except KeyboardInterrupt:
            print_note(
                "Stopped. Nothing is lost: run the command again to continue, or with --fresh to "
                "begin again."
            )
            raise typer.Exit(130) from None
        with progress_bar("import", "%") as advance_to:
            advance_to(description="Reading the answers")
            record = source.read(kept, Choices(owner, now=begun))
            if mine:
                record = own(record, account or owner)
            import_or_preview(
                {platform: record}, advance_to, dry_run=dry_run, vouch=vouch, account=account
            )
        if dry_run:
            again = command("pull", platform)
            print_note(f"Kept for the import, so nothing is fetched twice: {again}")
        else:
            discard(path)


def wait(seconds: float) -> None:
    """Wait, between two requests to a platform."""
    time.sleep(seconds)
