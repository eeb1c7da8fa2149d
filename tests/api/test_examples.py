"""The examples of docs/api.md, run as they are against a served ledger."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine

from forecasts.access.members import member_or_new
from forecasts.api.paging import PAGE_SIZE
from forecasts.ledger import database
from forecasts.questions import registry
from forecasts.questions.standing import listing
from forecasts.updates.updates import history
from tests.api.conftest import Bot, asked, served
from tests.conftest import ask, day

pytestmark = pytest.mark.slow

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
PYTHON, SHELL, ASKING = re.findall(
    r"run by tests/api/test_examples.py -->\n```\w+\n(.*?)```", PAGE, re.S
)


@pytest.fixture
def address(engine: Engine, app: FastAPI) -> Iterator[str]:
    """The address of a served ledger."""
    asked(engine, slug="rain")
    with served(app) as address:
        yield address


def run(example: str, address: str, make_bot: Bot, *command: str) -> str:
    """Return the output of an example with a bot's token."""
    assert len(example.strip().splitlines()) <= 10
    secret = make_bot()["Authorization"].split()[1]
    here = os.environ | {"LEDGER": address, "TOKEN": secret, "NO_PROXY": "127.0.0.1"}
    done = subprocess.run([*command, example], env=here, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_shell_example_forecasts(engine: Engine, address: str, make_bot: Bot) -> None:
    assert '"receipt":{' in run(SHELL, address, make_bot, "sh", "-ec")
    with database.reading(engine) as session:
        [(made, handle)] = history(session, registry.find(session, "rain"))
    assert (handle, made.probability) == ("bot", 0.4)


def test_the_example_asks_questions(engine: Engine, address: str, make_bot: Bot) -> None:
    said = run(ASKING, address, make_bot, "sh", "-ec")
    assert '"problem' not in said
    with database.reading(engine) as session:
        asked = {one.slug: one.text for one in listing(session, now=day(1))}
    rainfall = asked.pop("rainfall")
    assert (rainfall.type, rainfall.upper_bound, rainfall.unit) == ("numeric", "300", "mm")
    [rain] = [text for slug, text in asked.items() if slug != "rain"]
    assert rain.scheduled_close_time.isoformat() == "2026-01-23T23:59:59+00:00"
    assert rain.has_criteria


def test_python_example_forecasts_every_page(engine: Engine, address: str, make_bot: Bot) -> None:
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        for number in range(PAGE_SIZE):  # besides the first one
            ask(session, alice, slug=f"q{number}")
    said = run(PYTHON, address, make_bot, sys.executable, "-c")
    assert "Will it rain? " in said
    assert "problem" not in said
    assert len(said.splitlines()) == PAGE_SIZE + 1
    with database.reading(engine) as session:
        [(_, handle)] = history(session, registry.find(session, "rain"))
    assert handle == "bot"
