"""Values as people type them."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasts.common.errors import BadInput, LedgerError, Refused
from forecasts.ledger.models import QuestionText
from forecasts.values.value import Value
from forecasts.values.value_parsing import read_percent_field, read_probability, read_value
from tests.conftest import day
from tests.tables import each_row
from tests.values.questions import CITIES, PRICE, RAIN, WHEN, text


@pytest.mark.parametrize(
    ("typed", "p"),
    [
        ("71%", 0.71), (" 71 % ", 0.71), ("0.71", 0.71), (".5", 0.5), ("5:2", 5 / 7),
        ("5 : 2", 5 / 7), ("1:1", 0.5), ("0", 0.0), ("1.0", 1.0), ("100%", 1.0), ("57%", 0.57),
        ("0.5%", 0.005), ("1e-3", 0.001), ("1e-3%", 0.00001), ("-0%", 0.0),
    ],
)  # fmt: skip
def test_a_probability_is_read_as_percentage_fraction_or_odds(typed: str, p: float) -> None:
    assert read_probability(typed) == p


@each_row(__file__, "probabilities", by="typed")
@pytest.mark.parametrize("where", ["field", "command"])
def test_each_way_to_write_a_probability_is_read_or_refused_as_typed(
    row: dict[str, str], where: str
) -> None:
    """``field``: with a % sign beside it; ``command``: without."""
    read = read_percent_field if where == "field" else read_probability
    expected = row[where]
    if expected.replace(".", "").isdigit():
        assert read(row["typed"]) == pytest.approx(float(expected), abs=5e-5)
        return
    with pytest.raises(LedgerError) as caught:
        read(row["typed"])
    assert caught.value.message.endswith(expected)


@pytest.mark.parametrize("typed", ["71", "1", "100", "5", "1.", "1e0", "0_5"])
def test_a_bare_whole_number_is_ambiguous_and_both_readings_are_offered(typed: str) -> None:
    with pytest.raises(BadInput, match="ambiguous") as caught:
        read_probability(typed)
    assert f"{typed}%" in caught.value.remedy


PERCENT, FRACTION = "must be from 0% to 100%; '{}' is not.", "must be from 0 to 1; '{}' is not."
OTHER = "'{}' is not a probability."


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("-5%", PERCENT), ("150%", PERCENT), ("1e99999999%", PERCENT), ("1.2", FRACTION),
        ("-0.1", FRACTION), ("nan", FRACTION), ("inf", FRACTION), ("101", FRACTION),
        ("often", OTHER), ("5:2:1", OTHER), (" ", "The probability is blank."),
        ("", "The probability is blank."), ("0:0", "Odds of 0:0 say nothing."),
    ],
)  # fmt: skip
def test_a_refused_probability_is_named_with_the_rule(typed: str, sentence: str) -> None:
    with pytest.raises(LedgerError) as caught:
        read_probability(typed)
    assert caught.value.message.endswith(sentence.format(typed))
    assert isinstance(caught.value, Refused) == (sentence in (PERCENT, FRACTION))


@given(st.text())
def test_any_text_gives_a_probability_or_is_refused(typed: str) -> None:
    with contextlib.suppress(LedgerError):
        assert 0 <= read_probability(typed) <= 1


def test_options_left_out_share_the_rest() -> None:
    assert read_value("busan=60%", CITIES).probabilities == (0.6, 0.2, 0.2)
    value = read_value("Busan=60%, Beijing, China=30%", CITIES)
    assert value.probabilities == pytest.approx((0.6, 0.3, 0.1))
    assert read_value("[0.5, 0.25, 0.25]", CITIES).probabilities == (0.5, 0.25, 0.25)
    cases = text(type="multiple_choice", options=["us", "US", "Other"])
    assert read_value("us=60%, US=30%", cases).probabilities == pytest.approx((0.6, 0.3, 0.1))


def test_the_last_colon_of_an_option_separates() -> None:
    plans = text(type="multiple_choice", options=["Plan: A", "Plan: B, C", "Other"])
    read = read_value("Plan: A: 60%, Other: 10%", plans).probabilities
    assert read == pytest.approx((0.6, 0.3, 0.1))
    with pytest.raises(BadInput, match="Write option=probability, separated by commas: Plan: A="):
        read_value("Plan: B, C: 60%, Other: 10%", plans)
    equal = read_value("Plan: A=60%, Plan: B, C=30%", plans).probabilities
    assert equal == pytest.approx((0.6, 0.3, 0.1))


def test_options_left_out_keep_the_proportions_of_the_current_forecast() -> None:
    letters = text(type="multiple_choice", options=["a", "b", "c", "d"])

    def read(typed: str, *current: float | None) -> object:
        value = Value(probabilities=current) if current else None
        return pytest.approx(read_value(typed, letters, value).probabilities)

    assert read("c=20%", 0.5, 0.3, 0.08, 0.12) == (0.4 / 0.92, 0.24 / 0.92, 0.2, 0.096 / 0.92)
    assert read("c=20%") == (0.8 / 3, 0.8 / 3, 0.2, 0.8 / 3)
    assert read("c=40%", 0.0, 0.0, 1.0, 0.0) == (0.2, 0.2, 0.4, 0.2)
    assert read("c=40%", 0.5, None, 0.3, 0.2) == (0.2, 0.2, 0.4, 0.2)  # before b was an option


@each_row(__file__, "refused", by="typed")
def test_a_refused_value_is_named_with_the_rule(row: dict[str, str]) -> None:
    question = {"CITIES": CITIES, "PRICE": PRICE, "WHEN": WHEN}[row["question"]]
    with pytest.raises(LedgerError) as caught:
        read_value(row["typed"], question)
    assert row["sentence"] in str(caught.value)


def test_a_list_that_is_too_long_or_deep_is_refused() -> None:
    for typed, sentence in (
        (f"[{'9' * 400}, 0, 0]", "that of 'Busan', 999"), ("[" * 100_000, "is not JSON"),
        (f"[{'9' * 5000}, 0, 0]", "is not JSON"),
    ):  # fmt: skip
        with pytest.raises(LedgerError, match=sentence):
            read_value(typed, CITIES)


def test_quantiles_are_read_for_numbers_and_dates() -> None:
    value = read_value("10%=120, 50%=140, above=10%", PRICE)
    assert value.quantiles == {"0.1": 120.0, "0.5": 140.0, "above": 0.1}
    value = read_value("50%=2026-03-01, 90%=2026-10-01", WHEN)
    assert value.quantiles == {"0.5": "2026-03-01", "0.9": "2026-10-01"}


@pytest.mark.parametrize(
    ("given", "columns"),
    [
        (0.45, 0.45), ({"yes": 0.45}, 0.45), ({"Yes": 45, "No": 55}, 0.45), ({"no": "55%"}, 0.45),
        ({"probability": 0.45}, 0.45), ({"forecast": {"probability": "0.45"}}, 0.45),
        ('{"yes": 1, "no": 0}', 1.0), (1e-7, 1e-7),
    ],
)  # fmt: skip
def test_a_probability_is_read_from_json(given: object, columns: float) -> None:
    assert read_value(given, RAIN).probability == pytest.approx(columns, abs=1e-15)


@pytest.mark.parametrize(
    "given",
    [
        {"Busan": 0.5, "beijing, china": 0.3, "Other": 0.2}, {"Busan": "50%", "Other": 0.2},
        {"Busan": 50, "Beijing, China": 30, "Other": 20}, [50, 30, 20],
        {"probabilities": [0.5, 0.3, 0.2]}, "Busan: 50%, Other: 20%",
        '[{"option": "Busan", "probability": 0.5}, {"probability": 0.2, "option": "Other"}]',
    ],
)  # fmt: skip
def test_options_are_read_from_json_and_a_colon(given: object) -> None:
    assert read_value(given, CITIES).probabilities == pytest.approx((0.5, 0.3, 0.2))


@pytest.mark.parametrize(
    "given",
    [
        {"0.1": 120, "0.5": 140.0, "above": 0.1}, {"10": 120, "50": "140", "above": "10%"},
        {"10%": 120, "0.5": 140, "above": 0.1}, {"p10": 120, "median": 140, "above": 0.1},
        {"percentile_10": 120, "50th percentile": 140, "above": 0.1},
        {"percentiles": [{"percentile": 10, "value": 120}, {"percentile": 50, "value": 140},
                         {"percentile": "above", "value": 0.1}]},
        "10%: 120, 50%: 140, above: 10%",
    ],
)  # fmt: skip
def test_quantiles_are_read_from_json_with_each_name_of_a_level(given: object) -> None:
    assert read_value(given, PRICE).quantiles == {"0.1": 120, "0.5": 140, "above": 0.1}
    assert read_value({"p1": 120}, PRICE).quantiles == {"0.01": 120}


@pytest.mark.parametrize(
    ("given", "question", "said"),
    [
        ({"yes": 0.6, "no": 0.6}, RAIN, "sum to 120%"), ([0.5, 0.5], RAIN, "not a probability"),
        (None, RAIN, "'None' is not a probability"), ({"Busan": 60}, CITIES, "'60' is ambiguous"),
        ({"Busan": None}, CITIES, "null is only"), ([True, 0, 0], CITIES, "not a number"),
        ({"0.5": {"x": 1}}, PRICE, "not a number"), ([1, 2], PRICE, "has no level"),
        ({"probability_no": 0.3}, RAIN, "'probability_no' is not an option"),
        ({"yes": 1}, RAIN, "could be 1%"), ({"Busan": 1}, CITIES, "could be 1%"),
        ({"0.5": 120, "1": 140}, PRICE, "could be 1%"),
        ([{"value": 20, "probability": 0.1}, {"value": 40, "probability": 0.5}], PRICE,
         "not of the form"),
        ([{"level": 0.5, "value": 1}, {"level": 0.5, "value": 2}], PRICE, "not of the form"),
    ],
)  # fmt: skip
def test_json_of_another_form_is_refused(given: object, question: QuestionText, said: str) -> None:
    with pytest.raises(LedgerError, match=said):
        read_value(given, question)


def test_decimal_commas_are_read_in_lists_too() -> None:
    assert read_value("Busan=0,5, Beijing, China=12,5%", CITIES).probabilities == (
        0.5,
        0.125,
        0.375,
    )
    assert read_value("10%=1,5; 50%=2,25, 90%=30", PRICE).quantiles == {
        "0.1": 1.5, "0.5": 2.25, "0.9": 30.0,
    }  # fmt: skip
    with pytest.raises(BadInput, match=r"For 50%: The comma of '1,500' could be") as caught:
        read_value("50%=1,500", PRICE)
    assert caught.value.remedy == "Write 1.500 or 1500."


def test_quantiles_of_dates_are_read_as_people_type_them() -> None:
    now = datetime(2026, 11, 27, 11, 10, tzinfo=UTC)
    value = read_value("10%=next friday, 50%=in 3 weeks, 90%=2026-12-31", WHEN, now=now)
    assert value.quantiles == {"0.1": "2026-12-04", "0.5": "2026-12-18", "0.9": "2026-12-31"}
    late = datetime(2026, 11, 28, 2, tzinfo=UTC)  # still Friday in New York
    value = read_value("50%=tomorrow", WHEN, now=late, zone=ZoneInfo("America/New_York"))
    assert value.quantiles == {"0.5": "2026-11-28"}
    with pytest.raises(BadInput, match=r"For 50%: 'soon' is not a date\."):
        read_value("50%=soon", WHEN, now=now)
    with pytest.raises(BadInput, match="For 50%: 'next friday' is not a time"):
        read_value("50%=next friday", WHEN)


@pytest.mark.parametrize(
    ("typed", "p"),
    [
        ("30", 0.3), ("30%", 0.3), ("30 percent", 0.3), (".3", 0.3), ("0.5", 0.5), ("3:7", 0.3),
        ("1/3", 1 / 3), ("1 in 4", 0.25), ("1", 0.01), ("1.5", 0.015), ("0.5%", 0.005), ("0", 0.0),
        ("100", 1.0), (" 99.97 ", 0.9997),
    ],
)  # fmt: skip
def test_beside_a_percent_sign_a_number_is_a_percentage(typed: str, p: float) -> None:
    assert read_percent_field(typed) == pytest.approx(p)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "is blank"), ("1.0", "could be 1% or 100%"), ("1.", "could be 1% or 100%"),
        ("101", "'101' is not"), ("-3", "'-3' is not"), ("4/3", "'4/3' is not"),
        ("1/0", "'1/0' is not"), (f"{'9' * 400}/{'9' * 400}", "must be a finite number"),
        ("likely", "'likely' is not a probability"),
        ("1e-3", "'1e-3' is not a probability"),
    ],
)  # fmt: skip
def test_an_ambiguous_or_impossible_percentage_is_refused(typed: str, words: str) -> None:
    with pytest.raises(LedgerError, match=words):
        read_percent_field(typed)


@given(st.text(max_size=12))
def test_any_text_beside_a_percent_sign_is_a_probability_or_refused(typed: str) -> None:
    with contextlib.suppress(LedgerError):
        assert 0 <= read_percent_field(typed) <= 1


@pytest.mark.parametrize("typed", ["https://a.b/", "1:", "A=1%,", '"a" ', "[", " "])
def test_a_very_long_text_is_refused(typed: str) -> None:
    """Anyone may type one: reading time must not grow with the square of its length."""
    for question in (RAIN, CITIES, PRICE, WHEN):
        with pytest.raises(LedgerError):
            read_value(typed * (100_000 // len(typed)), question, now=day(0))
