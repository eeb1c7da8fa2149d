"""Suggested commands can be pasted into a shell, whatever names they hold."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from typer.main import get_command

from forecasts.cli.main import app
from forecasts.common.commands import command

ROOT = Path(__file__).parents[2]


@given(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=3))
def test_a_shell_reads_the_words_that_were_given(words: list[str]) -> None:
    read = shlex.split(command("show", *words, options=["--as", "bob"]))
    arguments = [word for word in read[2:] if word not in ("--as", "bob", "--")]
    assert arguments == [word for word in words if word not in ("--as", "bob", "--")]


def test_a_name_like_an_option_comes_after_the_options() -> None:
    said = command("update", "--help", "30%", options=["--as", "bob"])
    assert said == "forecasts update --as bob -- --help 30%"


CODE = [*ROOT.glob("forecasts/**/*.py"), *ROOT.glob("app/**/*.py")]
NAMES = "|".join(get_command(app).commands)
# A command in an f-string with a part in braces that is not a number.
PASTED = re.compile(
    rf"""f["'].*forecasts (?:{NAMES})\b[^"'.]*\{{(?!article\.id|number\}}|key\}})"""
)
# Quoted where they are made, or names of ours.
QUOTED = ("installation.given", "invoked_subcommand", "_named()", "_comment(")


def test_commands_are_built_by_one_function() -> None:
    found = {
        str(path.relative_to(ROOT)): line
        for path in CODE
        for line in path.read_text(encoding="utf-8").splitlines()
        if PASTED.search(line) and not any(q in line for q in QUOTED)
    }
    assert found == {}
