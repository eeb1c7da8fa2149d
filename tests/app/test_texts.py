"""The words of fields and notes: those that pages ask for are there, and no others."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import app
from app.texts import look, note

FOLDER = Path(app.__file__).parent
TEXTS = tomllib.loads((FOLDER / "texts.toml").read_text(encoding="utf-8"))
CODE = "\n".join(path.read_text(encoding="utf-8") for path in FOLDER.rglob("*.py"))


def test_every_text_is_asked_for_by_a_page() -> None:
    # A name may be made of a part that is known and one that is chosen, as ``note(f"value.{…}")``.
    parts = set(re.findall(r"""f["'](\w+)\.\{""", CODE))
    names = {f"{part}.{own}" for part, entries in TEXTS.items() for own in entries}
    unused = {name for name in names if f'"{name}"' not in CODE and f"'{name}'" not in CODE}
    assert {name for name in unused if name.partition(".")[0] not in parts} == set()


def test_every_text_that_a_page_asks_for_is_there() -> None:
    asked = set(re.findall(r"""\b(?:look|note)\(["']([\w.-]+)["']""", CODE))
    assert len(asked) > 100
    missing = [
        name for name in asked if name.partition(".")[2] not in TEXTS[name.partition(".")[0]]
    ]
    assert missing == []


def test_the_key_of_a_field_is_made_of_its_forms_and_its_own_name() -> None:
    assert look("reject.reason", "proposal-1#0") == {
        "label": "Reason to reject",
        "help": "Accepting needs no reason.",
        "key": "proposal-1#0-reason",
    }
    assert "key" not in look("reject.reason")
    assert note("dispute.done").startswith("Disputed.")
    with pytest.raises(KeyError):
        note("dispute.nothing")
