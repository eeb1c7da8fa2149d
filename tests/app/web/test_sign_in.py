"""Sign-in: nothing is shown before it, and each act is the signed-in member's."""

from __future__ import annotations

from typing import Any

import pytest
import streamlit as st
from sqlalchemy import Engine
from sqlmodel import select
from streamlit.testing.v1 import AppTest

from app import session
from app.web.middleware import FAILED
from forecasts.ledger import database
from forecasts.ledger.models import Member
from tests.access.test_identities import ISSUER, claims
from tests.access.test_oidc_settings import set_to
from tests.app.conftest import Clock, forecasts, submit, visit, words
from tests.conftest import day

pytestmark = pytest.mark.slow


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The provider's claims about the visitor; empty: not signed in."""
    said: dict[str, Any] = {}
    set_to(monkeypatch, ISSUER=ISSUER, ALLOWED_DOMAINS="example.org")
    monkeypatch.setattr(session, "claims", lambda: said)
    return said


def handles(engine: Engine) -> list[str]:
    with database.reading(engine) as ledger:
        return list(ledger.exec(select(Member.handle).order_by(Member.handle)))


def test_without_sign_in_only_the_way_in_is_shown(furnished: AppTest, said: dict[str, Any]) -> None:
    for page in ("today", "questions", "articles", "track_record", "resolve"):
        visit(furnished, page, slug="rain")
        assert words(furnished).splitlines() == ["Forecast Ledger", "You have not signed in."]
        assert [button.label for button in furnished.button] == ["Sign in"]
    visit(furnished, "today", **{FAILED: ""})
    assert "Sign-in failed" in words(furnished)
    assert [button.label for button in furnished.button] == ["Sign in"]
    assert "You have not signed in." in words(furnished.run())  # a failure is said once


def test_signing_in_makes_a_member(
    furnished: AppTest, engine: Engine, said: dict[str, Any]
) -> None:
    said.update(claims())
    visit(furnished, "today")
    assert "You forecast as alice.b. Times: " in words(furnished)
    assert handles(engine) == ["alice", "alice.b", "bob (simulated)"]
    submit(furnished, "quick-rain#0", "save", value="30%")
    assert len(forecasts(engine, "rain", "alice.b")) == 1
    assert handles(engine) == ["alice", "alice.b", "bob (simulated)"]


def test_a_refused_person_is_told_so_and_not_stored(
    furnished: AppTest, engine: Engine, said: dict[str, Any]
) -> None:
    before = handles(engine)
    said.update(claims(email="mallory@evil.example"))
    visit(furnished, "questions")
    assert "is not in a domain that this ledger admits" in words(furnished)
    assert "quay" not in words(furnished)
    assert handles(engine) == before


def test_an_expired_sign_in_stores_nothing_and_asks_again(
    furnished: AppTest, engine: Engine, said: dict[str, Any], clock: Clock
) -> None:
    said.update(claims(exp=int(day(5.5).timestamp())))
    visit(furnished, "today")
    furnished.text_input(key="quick-rain#0-value").input("30%")
    clock.moment = day(5.5)
    furnished.button(key="quick-rain#0-save").click().run()
    assert "Your sign-in has expired" in words(furnished)
    assert len(forecasts(engine, "rain")) == 2
    said.update(claims(exp=int(day(6).timestamp())))
    assert "You forecast as alice.b." in words(furnished.run())


def test_signing_out_ends_a_sign_in_wherever_it_is_shown(
    furnished: AppTest, said: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[bool] = []
    monkeypatch.setattr("streamlit.logout", lambda: ended.append(True))
    said.update(claims(nonce="first"))
    visit(furnished, "today")
    [out] = [button for button in furnished.button if button.label == "Sign out"]
    out.click().run()
    assert ended == [True]
    assert "You have signed out." in words(furnished)
    st.cache_resource.clear()  # as in a server that was started again, or another one
    assert "You have signed out." in words(furnished.run())
    said["nonce"] = "second"
    assert "You forecast as alice.b." in words(furnished.run())
