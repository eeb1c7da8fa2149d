"""The import from an account on another platform, with its token.

Requests go only to the platform's own address. The token is sent there and is not stored; its field
is blank after the fetch. The answers stay in the memory of the browser session until they are
imported, so that an interrupted fetch continues.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlsplit

import streamlit as st
from pydantic import SecretStr

from app import session
from app.forms import import_upload
from app.views.widgets import progress
from forecasts.access.oidc_settings import configured_sign_in
from forecasts.access.roles import Rights
from forecasts.accounts import tokens
from forecasts.accounts.accounts import ACCOUNTS, Account, own, settled
from forecasts.accounts.client import Client, Site
from forecasts.accounts.kept import Kept
from forecasts.common.errors import BadInput
from forecasts.platforms.record import Choices

_MOST_WAITING = 60.0  # seconds that a page waits for a busy platform


@dataclass
class Answers:
    """The answers fetched for a form.

    ``of``: the form and the platform. ``account``: a digest of the token that fetched them.
    ``fetches``: how many ended; each gives the field for a token a new key, so that it is blank.
    """

    of: tuple[str, str] = ("", "")
    account: str = ""
    kept: Kept | None = None
    whole: bool = False
    fetches: int = 0


def account_form(state: import_upload.ImportState, rights: Rights) -> None:
    """Show the platforms and the token; fetch the account and compare it on a click."""
    key = session.form_key("import")
    answers = session.page_state(Answers)
    with st.container(horizontal=True, vertical_alignment="bottom", key="import-account"):
        platform = st.selectbox(
            "Platform",
            list(ACCOUNTS),
            format_func=lambda name: ACCOUNTS[name].SITE.title,
            key="import-platform",
            width=220,
        )
        if answers.of != (key, platform):
            answers.of, answers.kept, answers.whole = (key, platform), None, False
        source = ACCOUNTS[platform]
        site = source.SITE
        given = st.text_input(
            "Token",
            type="password",
            autocomplete="new-password",  # which browsers do not offer to save
            key=f"{key}-token-{platform}-{answers.fetches}",
            placeholder=_placeholder(site, answers, rights),
            width=320,
        )
        name = ""
        if site.lists_others:
            label, blank = f"Your name on {site.title}", "recognised if blank"
            name = st.text_input(label, key=f"{key}-name", placeholder=blank, width=220).strip()
    address, _, where = site.token_page.partition(" ")
    host = urlsplit(site.base).hostname
    st.caption(f"[Get a token]({address}) {where}  \nIt is sent only to {host} and is not stored.")
    others = f"{site.title} also sends others’ forecasts on your questions."
    mine = site.lists_others and st.checkbox("Only my forecasts", key=f"{key}-mine", help=others)
    asked = import_upload.Asked(
        (), platform, account=name, mine=mine, vouch=import_upload.vouch(key, rights)
    )
    if not import_upload.preview_button(state, asked, key):
        return
    state.ready = state.done = None
    with session.shown_errors():
        with progress(site.title) as tell:
            if given or not answers.whole:
                _fetch(source, answers, _token(site, given, rights), tell)
            state.ready = _ready(source, answers, asked, tell)
        st.rerun()  # with a blank field for the token


def _placeholder(site: Site, answers: Answers, rights: Rights) -> str:
    if answers.whole:
        return "only to fetch again"
    if _is_own(rights) and getattr(session.settings(), f"{site.name}_token") is not None:
        return f"from {site.setting}"
    return ""


def _is_own(rights: Rights) -> bool:
    """Return whether the settings and the keyring belong to the person at the page.

    On a server they belong to its operator.
    """
    return rights.unshared and not session.memory().sample and configured_sign_in() is None


def _token(site: Site, given: str, rights: Rights) -> SecretStr:
    if given:
        return SecretStr(given.strip())
    if _is_own(rights):
        with suppress(BadInput):  # its remedy is for the command line
            return tokens.find(site, session.settings())
    raise BadInput(f"There is no token for {site.title}.", remedy=_remedy(site))


def _remedy(site: Site) -> str:
    return f"Get one at {site.token_page} and paste it into the Token field."


def _fetch(source: Account, answers: Answers, token: SecretStr, tell: import_upload.Tell) -> None:
    """Fetch the account, or the rest of it after an interruption."""
    site, platform = source.SITE, source.SITE.name
    account = sha256(token.get_secret_value().encode()).hexdigest()
    if answers.kept is None or answers.whole or answers.account != account:
        answers.kept, answers.whole, answers.account = Kept(None, session.now()), False, account
    reached = ("", 0.0)

    def show(name: str, count: int, total: int | None) -> None:
        nonlocal reached
        of, share = (f" of {total:,}", count / total) if total else ("", 0.0)
        reached = f"{name}, {count:,}{of}", share
        tell(*reached)

    def wait(seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            tell(f"{reached[0]} · waiting {left:.0f} s", reached[1])  # where Stop takes effect
            time.sleep(min(left, 1.0))

    def known() -> set[str]:
        with session.reading() as ledger:
            who = session.current_member(ledger)
            return set() if who is None else settled(ledger, platform, who)

    answers.kept.shown = show
    client = Client(
        site,
        token,
        tell=lambda fault: tell(fault, reached[1]),
        wait=wait,
        clock=session.now,
        allow_private=session.settings().allow_private_addresses,
        remedy=_remedy(site),
        most_waiting=_MOST_WAITING,
    )
    source.fetch(client, answers.kept, known)
    answers.whole = True
    answers.fetches += 1


def _ready(
    source: Account, answers: Answers, asked: import_upload.Asked, tell: import_upload.Tell
) -> import_upload.Ready:
    assert answers.kept is not None
    who = import_upload.importer(answers.kept.begun)
    record = source.read(answers.kept, Choices(who.handle, now=answers.kept.begun))
    if asked.mine:
        record = own(record, asked.account or who.handle)
    return import_upload.compared(record, asked, who, session.now(), tell)
