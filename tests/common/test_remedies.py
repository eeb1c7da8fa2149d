"""Remedies are acts, which each interface says in its own words."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import get_args

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import create_engine

from app.remedies import FIELDS, ITS_PAGE, PAGES, said
from forecasts.api import problems
from forecasts.api.mcp import server
from forecasts.api.server import build
from forecasts.cli.root import loaded
from forecasts.common.errors import Act, Remedy, as_command, command, in_words
from tests.api.conftest import Clock

ROOT = Path(__file__).parents[2]
ACTS = [act for act in get_args(Act) if act]
WORDS = {
    "command": as_command,
    "request": problems.request,
    "tool": server.tool,
    "app": lambda remedy: said(remedy).removeprefix("Do it: "),
}


@given(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=3))
def test_a_shell_reads_the_words_that_were_given(words: list[str]) -> None:
    read = shlex.split(command("show", *words, as_="bob"))
    arguments = [word for word in read[2:] if word not in ("--as", "bob", "--")]
    assert arguments == [word for word in words if word not in ("--as", "bob", "--")]


def test_a_name_like_an_option_comes_after_the_options() -> None:
    assert command("update", "--help", "30%", as_="bob") == (
        "forecasts update --as bob -- --help 30%"
    )


def test_advice_joins_sentences_and_acts() -> None:
    advice = ("It is closed.", Remedy("To ask again: {}", "ask", "Rain?", closes="friday"), "")
    assert in_words(advice) == "It is closed. To ask again: forecasts ask 'Rain?' --closes friday"


@pytest.mark.parametrize("act", ACTS)
def test_each_act_is_a_command(act: str) -> None:
    name, *below = act.split()
    assert [*below, ""][0] in {*getattr(loaded()[name], "commands", ()), ""}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("interface", ["request", "tool", "app"])
def test_an_interface_names_its_own_way_or_says_that_it_has_none(interface: str, act: Act) -> None:
    ways = {"request": problems.REQUESTS, "tool": server.TOOLS, "app": PAGES}[interface]
    own = WORDS[interface](Remedy("Do it: {}", act, "rain"))
    assert ("forecasts " in own) == (act not in ways)
    if act not in ways:
        assert own.startswith(f"{command(act, 'rain')} (")


def test_the_requests_are_in_the_api() -> None:
    client = TestClient(build(create_engine("sqlite://"), clock=Clock(), hosts=["testserver"]))
    paths = client.get("/api/v1/openapi.json").json()["paths"]
    known = {
        f"{method.upper()} {re.sub('{.+?}', '{}', path)}"
        for path, methods in paths.items()
        for method in methods
    }
    assert set(problems.REQUESTS.values()) <= known


def test_a_request_names_the_question_and_the_fields() -> None:
    criteria = Remedy("Write them: {}", "revise", "rain/1", criteria="…")
    assert in_words(criteria, problems.request) == (
        "Write them: PATCH /api/v1/questions/rain%2F1 with criteria"
    )
    assert problems.request(Remedy("See: {}", "articles")) == "GET /api/v1/articles"


def test_the_app_names_pages_and_fields_that_it_has() -> None:
    navigation = (ROOT / "app/navigation.py").read_text(encoding="utf-8")
    titles = set(re.findall(r'title="([^"]+)"', navigation))
    assert set(PAGES.values()) - {ITS_PAGE} <= titles
    forms = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "app/forms").glob("*.py"))
    for label in FIELDS.values():
        assert f'"{label}"' in forms or f'"{label[:20]}' in forms
