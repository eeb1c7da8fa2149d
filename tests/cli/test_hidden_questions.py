"""No command tells a hidden question from one that does not exist, by its ID or its number."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from forecasts.cli.main import app
from forecasts.cli.root import loaded
from tests.cli.conftest import Run

pytestmark = pytest.mark.slow


# Values of the other parameters, by metavar; and options that a command needs to come so far.
VALUES = {
    "ARTICLE": "1",
    "P": "30%",
    "OUTCOME": "yes",
    "KIND": "deadline",
    "POLICY": "propose",
    "DAYS|usual": "7",
    "FOLDER": "folder",
    "GROUP": "pair",
    "OTHER": "seen",
    "implies|excludes|equivalent|causes": "implies",
}
OPTIONS = {
    "revise": ["--title", "Other?"],
    "dispute": ["--because", "no"],
    "reject": ["--because", "no"],
    "withdraw": ["--because", "no"],
    "resolver evidence": ["--out", "folder"],
    "discard": ["--yes"],
}
# Who names a hidden question and one that does not exist, by ID or number: a resolver, who may do
# most, and one of the others.
RESOLVER = ("resolver", "hidden-1", "hidden-2")
OTHERS = [("viewer", *RESOLVER[1:]), ("outsider", *RESOLVER[1:]), ("outsider", "2", "9")]


def commands(found: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, command in found.items():
        if hasattr(command, "commands"):
            yield from commands(command.commands, (*path, name))
        else:
            yield " ".join((*path, name)), command


def calls() -> dict[str, list[str]]:
    """Return every command that takes a question, with QUESTION in its place."""
    made = {}
    for name, command in commands(loaded()):
        words: list[str] = []
        for one in command.params:
            if one.metavar == "QUESTION":
                words += (
                    ["QUESTION"]
                    if one.param_type_name == "argument"
                    else [*one.opts[:1], "QUESTION"]
                )
            elif one.param_type_name == "argument" and one.required:
                words.append(VALUES.get(one.metavar, f"no value for {one.metavar}"))
        if "QUESTION" in words:
            made[name] = [*name.split(), *words, *OPTIONS.get(name, [])]
    made["resolver set question"] = [
        *("resolver", "set", "seen", "question", "--with", "question=QUESTION")
    ]
    for name in ("link", "unlink"):
        made[f"{name} other"] = [name, "seen", "implies", "QUESTION"]
    return made


CALLS = calls()


@pytest.fixture
def filled(forecasts: Run) -> Run:
    ask = ("--closes", "2999-12-31", "--criteria", "As it says.")
    forecasts("ask", "Is it seen?", "--slug", "seen", *ask)
    forecasts("ask", "Is it hidden?", "40%", "--slug", "hidden-1", "--visible-to", "me", *ask)
    forecasts("group", "new", "Which is it?", "A", "B", "--slug", "pair", *ask)
    forecasts("resolver", "set", "hidden-1", "deadline")
    forecasts("team", "create", "Alder")
    for who in ("viewer", "resolver"):
        forecasts("team", "add", "Alder", who, "--role", who)
    forecasts("team", "appoint", "resolver", "resolver")
    return forecasts


def said(who: str, call: list[str], name: str) -> tuple[int, str]:
    words = [word.replace("QUESTION", name) for word in call]
    result = CliRunner().invoke(app, [*words, "--as", who])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output.replace(name, "NAME")


def test_hidden_and_unknown_questions_read_alike(
    filled: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(CALLS) > 15
    assert not [call for call in CALLS.values() if any("no value" in word for word in call)]
    for call, other in zip(CALLS.values(), cycle(OTHERS), strict=False):
        for who, hidden, unknown in (RESOLVER, other):
            there, nowhere = (said(who, call, name) for name in (hidden, unknown))
            assert there == nowhere, (who, call)
            assert there[0] != 0
