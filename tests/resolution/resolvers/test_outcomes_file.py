"""The kind ``outcomes_file``: rows of many questions, of which a bad one stops no other."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from forecasts.common.errors import BadInput, CannotTell, LedgerError
from tests.resolution.resolvers.looking import at, look, outcome, question

ROW = "rain,2026-01-03,yes"
HEADER = "question,known_at,outcome\n"


def found(text: str | bytes, slug: str = "rain", now: datetime | None = None) -> object:
    asked = question(slug=slug)
    return outcome(look("outcomes_file", {"path": "file"}, now or at(9), asked, file=text))


def test_an_outcome_counts_from_when_it_is_known() -> None:
    assert found(f"{HEADER}{ROW}\n", now=at(2)) is None
    assert found(f"{HEADER}{ROW}\n", now=at(3)) == ("yes", at(3))
    row = {"question": "rain", "outcome": "no", "known_at": "2026-01-03", "note": None}
    assert found(json.dumps([row])) == ("no", at(3))
    for without in (f"{HEADER}{ROW}\n", HEADER, HEADER.rstrip()):
        assert found(without, "snow") is None


def test_an_outcome_in_a_last_line_without_an_end_waits_until_it_has_one() -> None:
    quoted = (f'{ROW[:-3]}"ye\ns"', f'{ROW[:-3]}"ye\ns')
    for cut in (ROW, ROW[:-1], ROW[:14], ROW[:4], *quoted):
        with pytest.raises(CannotTell, match="has no line end: it may go on") as caught:
            found(f"{HEADER}{cut}")
        assert caught.value.temporary
        assert found(f"{HEADER}{cut}", "snow") is None
    for rest in ("snow,2026-01-03,ye", "rain,,"):
        assert found(f"{HEADER}{ROW}\n{rest}") == ("yes", at(3))


def test_a_row_with_other_cells_than_the_header_fails_its_question_and_no_other() -> None:
    for row in (
        "n,2026-01-03,1,500",  # a decimal comma, or a thousands comma
        "n,2026-01-03",
        'n,2026-01-03,"1"000',
        'n,2026-01-03,"1',
        '2026-01-03,"n",1,500',
    ):
        text = f"{HEADER}\n{ROW}\n{row}\n"
        assert found(text) == ("yes", at(3))
        with pytest.raises(BadInput, match="file, line 4: "):
            found(text, "n")


def test_rows_swallowed_by_an_open_quote_fail_their_questions() -> None:
    text = f'{HEADER}{ROW}\nsnow,"2026-01-03,yes\nwind,2026-01-03,no\n'
    assert found(text) == ("yes", at(3))
    for slug in ("snow", "wind"):
        with pytest.raises(BadInput):
            found(text, slug)


def test_a_file_that_cannot_be_used_fails_with_the_reason() -> None:
    for text, words in (
        (f"{HEADER}{ROW}\nrain,2026-01-03,no\n", "has two outcomes"),
        (f"{HEADER}rain,,yes\n", "has no known_at"),
        ("question,outcome,outcome,known_at\nrain,yes,no,2026-01-03\n", "more than one column"),
        ("question,outcome\n", "no column 'known_at'"),
        ("", "is empty"),
        (b"\xff\xfe\x00", "is not (JSON|UTF-8)"),
        ("[" * 100_000, "is not (JSON|UTF-8)"),
        ("[{", "is not (JSON|UTF-8)"),
        ('{"question": 1}', "no list of objects"),
        ("[1, 2]", "no list of objects"),
    ):
        with pytest.raises(LedgerError, match=words):
            found(text)
