"""The type of question that a title asks."""

from __future__ import annotations

import pytest

from forecasts.common.errors import BadInput
from forecasts.ledger.models import QuestionType
from forecasts.values.asked_type import asked_type, require_asked_type
from tests.tables import each_row


@each_row(__file__, "titles", by="title")
def test_the_type_follows_the_title(row: dict[str, str]) -> None:
    assert asked_type(row["title"]) == row["type"]


def test_a_title_of_another_type_is_refused_until_its_type_is_given() -> None:
    for title, words, fields in (
        ("How many ships?", "asks for a number, not", '--type numeric --lower "…" --upper "…"'),
        ("When will it open?", "asks for a day, not", '--type date --lower "…" --upper "…"'),
        ("Who wins?", "asks for one of several options", '--type multiple_choice --option "…"'),
    ):
        with pytest.raises(BadInput, match=words) as caught:
            require_asked_type(title)
        assert fields in caught.value.remedy
        assert "--type binary" in caught.value.remedy
        assert require_asked_type(title, QuestionType.binary) == QuestionType.binary
    assert require_asked_type("Will it rain?") == QuestionType.binary
