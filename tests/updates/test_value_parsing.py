"""Values as people type them."""

import contextlib
import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasts.common.errors import BadInput, LedgerError, Refused
from forecasts.ledger.models import QuestionText
from forecasts.questions.registry import question_text
from forecasts.values.value import Value
from forecasts.values.value_parsing import read_percent_field, read_probability, read_value
from tests.conftest import day


def text(**fields: object) -> QuestionText:
    return question_text(title="?", open_time=day(0), scheduled_close_time=day(1), **fields)


CITIES = text(type="multiple_choice", options=["Busan", "Beijing, China", "Other"])


PRICE = text(type="numeric", lower_bound="0", upper_bound="200")


WHEN = text(type="date", lower_bound="2026-01-01", upper_bound="2027-01-01")


@pytest.mark.parametrize(
    ("said", "p"),
    [
        ("71%", 0.71),
        (" 71 % ", 0.71),
        ("0.71", 0.71),
        (".5", 0.5),
        ("5:2", 5 / 7),
        ("1:1", 0.5),
        ("0", 0.0),
        ("1.0", 1.0),
        ("100%", 1.0),
        ("57%", 0.57),
        ("0.5%", 0.005),
        ("1e-3", 0.001),
        ("5 : 2", 5 / 7),
        ("50 %", 0.5),
        ("1e-3%", 0.00001),
        ("-0%", 0.0),
    ],
)
def test_a_probability_is_read_as_per_cent_fraction_or_odds(said: str, p: float) -> None:
    assert read_probability(said) == p


@pytest.mark.parametrize("said", ["71", "1", "100", "5", "1.", "1e0", "0_5"])
def test_a_bare_whole_number_is_ambiguous_and_the_message_offers_both_readings(said: str) -> None:
    with pytest.raises(BadInput, match="ambiguous") as caught:
        read_probability(said)
    assert f"{said}%" in caught.value.remedy


@pytest.mark.parametrize("said", ["1.2", "1e99999999%", "-0.1", "150%", "nan", "inf", "-5%", "101"])
def test_a_probability_outside_0_to_1_is_refused_with_rule_and_value(said: str) -> None:
    with pytest.raises(Refused, match="must be from 0"):
        read_probability(said)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("-5%", "A probability must be from 0% to 100%; '-5%' is not."),
        ("150%", "A probability must be from 0% to 100%; '150%' is not."),
        ("1.3", "A probability must be from 0 to 1; '1.3' is not."),
        ("nan", "A probability must be from 0 to 1; 'nan' is not."),
        ("0,5", "'0,5' has a comma; the decimal separator is a point."),
        ("12,5 %", "'12,5 %' has a comma; the decimal separator is a point."),
        (" ", "The probability is blank."),
    ],
)
def test_what_is_refused_names_the_value_as_it_was_typed_and_the_rule(
    said: str, sentence: str
) -> None:
    with pytest.raises(LedgerError) as caught:
        read_probability(said)
    assert caught.value.message == sentence


@pytest.mark.parametrize("said", ["", "often", "5:2:1", "0:0", "7/10", "71 percent"])
def test_what_is_no_probability_is_refused_with_the_three_forms(said: str) -> None:
    with pytest.raises(BadInput):
        read_probability(said)


@given(st.text())
def test_whatever_is_typed_gives_a_probability_or_is_refused(said: str) -> None:
    with contextlib.suppress(LedgerError):
        assert 0 <= read_probability(said) <= 1


def test_options_that_are_not_named_share_what_is_left() -> None:
    assert read_value("busan=60%", CITIES).probabilities == (0.6, 0.2, 0.2)
    value = read_value("Busan=60%, Beijing, China=30%", CITIES)
    assert value.probabilities == pytest.approx((0.6, 0.3, 0.1))


def test_a_vector_may_be_json_in_the_order_of_the_options() -> None:
    assert read_value("[0.5, 0.25, 0.25]", CITIES).probabilities == (0.5, 0.25, 0.25)


@pytest.mark.parametrize(
    "said",
    [
        "Busan=60%, Other=60%",
        "[0.5, 0.5, 0.1]",
        "[0.5, 0.5]",
        "[0.5, 0.6, -0.1]",
        '[0.5, 0.5, "0"]',
        "[true, 0, 0]",
        "Seoul=50%",
        "60%",
        "[1",
        '{"0.5": 1}',
        "[null, null, 1.0]",
        "Busan=60%, busan=10%",
        f"[{'9' * 400}, 0, 0]",
    ],
)
def test_a_vector_that_does_not_fit_the_options_or_sum_to_1_is_refused(said: str) -> None:
    with pytest.raises(LedgerError):
        read_value(said, CITIES)


def test_the_sum_that_is_wrong_is_named() -> None:
    with pytest.raises(Refused, match=r"sum to 110%"):
        read_value("[0.5, 0.5, 0.1]", CITIES)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("Seoul=50%", "'Seoul' is not an option of this question."),
        ("Busan=60%, Other=60%",
         "The probabilities sum to 120%, and they must sum to 100%."),
        ("Busan=60%, BUSAN=10%", "'Busan' is named twice."),
        ("Busan=0,5", "'5' is not of the form name=value."),
        ("[0.5, 0.6, -0.1]", "A probability must be from 0 to 1; that of 'Other', -0.1, is not."),
        ("[0.5, NaN, 0.5]",
         "A probability must be from 0 to 1; that of 'Beijing, China', nan, is not."),
        ("[0.5, true, 0]", "The probability of 'Beijing, China', True, is not a number."),
        ("", "The forecast is blank."),
    ],
)  # fmt: skip
def test_a_vector_that_is_refused_names_the_option_and_the_rule(said: str, sentence: str) -> None:
    with pytest.raises(LedgerError) as caught:
        read_value(said, CITIES)
    assert caught.value.message == sentence


def test_an_option_that_is_not_there_is_answered_with_those_that_are() -> None:
    with pytest.raises(BadInput) as caught:
        read_value("Seoul=50%", CITIES)
    assert caught.value.remedy == "The options are: Busan, Beijing, China, Other."


@pytest.mark.parametrize("said", ["[" * 100_000, f"[{'9' * 5000}, 0, 0]"])
def test_json_that_no_reader_can_take_is_refused(said: str) -> None:
    with pytest.raises(BadInput, match="is not JSON"):
        read_value(said, CITIES)


def test_mass_outside_the_bounds_is_stated_in_words() -> None:
    value = read_value("50%=140, above=10%", PRICE)
    assert value.quantiles == {"0.5": 140.0, "above": 0.1}


def test_quantiles_are_read_for_numbers_and_dates() -> None:
    value = read_value("10%=120, 50%=140, 90%=170", PRICE)
    assert value.quantiles == {"0.1": 120.0, "0.5": 140.0, "0.9": 170.0}
    value = read_value("50%=2026-03-01, 90%=2026-10-01", WHEN)
    assert value.quantiles == {"0.5": "2026-03-01", "0.9": "2026-10-01"}


@pytest.mark.parametrize(
    "said",
    [
        "10%=150, 50%=140",
        "50%=999",
        "50%=-1",
        "50%=1, 50%=2",
        "50%=1, 0.5=2",
        '{"0.5": 1, "0.50": 2}',
        "50%=often",
        "{}",
        '{"2": 1}',
        "140",
        "below=60%, 50%=140",
        "50%=140, above=60%",
        "below=60%, above=60%",
    ],
)
def test_quantiles_that_cross_or_cannot_be_read_are_refused(said: str) -> None:
    with pytest.raises(LedgerError):
        read_value(said, PRICE)


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
    ("question", "said", "sentence"),
    [
        (PRICE, "10%=150, 50%=140, 90%=170",
         "Quantiles must rise with their levels; the 10th percentile, 150, and the 50th "
         "percentile, 140, do not."),
        (WHEN, "10%=2026-05-01, 50%=2026-04-01",
         "Quantiles must rise with their levels; the 10th percentile, 2026-05-01, and the 50th "
         "percentile, 2026-04-01, do not."),
        (PRICE, "50%=999",
         "The 50th percentile, 999, is outside the question's bounds, 0 to 200."),
        (PRICE, "below=60%, above=60%",
         "The probabilities below and above the bounds sum to 1.2, and they may sum to 1 at most."),
    ],
)  # fmt: skip
def test_quantiles_that_are_refused_are_named_with_the_rule(
    question: QuestionText, said: str, sentence: str
) -> None:
    with pytest.raises(Refused) as caught:
        read_value(said, question)
    assert caught.value.message == sentence


def test_options_that_are_not_named_keep_the_proportions_of_what_stands() -> None:
    standing = Value(probabilities=(0.5, 0.3, 0.08, 0.12))
    text = question_text(
        title="Which?",
        type="multiple_choice",
        options=["a", "b", "c", "d"],
        open_time=day(0),
        scheduled_close_time=day(9),
    )
    changed = read_value("c=20%", text, standing).probabilities
    assert changed == pytest.approx((0.8 * 0.5 / 0.92, 0.8 * 0.3 / 0.92, 0.2, 0.8 * 0.12 / 0.92))
    assert read_value("c=20%", text).probabilities == pytest.approx(
        (0.8 / 3, 0.8 / 3, 0.2, 0.8 / 3)
    )
    nothing = Value(probabilities=(0.0, 0.0, 1.0, 0.0))
    assert read_value("c=40%", text, nothing).probabilities == pytest.approx((0.2, 0.2, 0.4, 0.2))
    added = Value(probabilities=(0.5, None, 0.3, 0.2))  # before b was an option
    assert read_value("c=40%", text, added).probabilities == pytest.approx((0.2, 0.2, 0.4, 0.2))


@pytest.mark.parametrize(
    ("typed", "p", "shown"),
    [
        ("30", 0.3, "30%"),
        ("30%", 0.3, "30%"),
        ("30 percent", 0.3, "30%"),
        (".3", 0.3, "30%"),
        ("0.3", 0.3, "30%"),
        ("0.5", 0.5, "50%"),
        ("3:7", 0.3, "30%"),
        ("1/3", 1 / 3, "33.3%"),
        ("1 in 4", 0.25, "25%"),
        ("1", 0.01, "1%"),
        ("1.5", 0.015, "1.5%"),
        ("0.5%", 0.005, "0.5%"),
        ("0", 0.0, "0%"),
        ("100", 1.0, "100%"),
        (" 99.97 ", 0.9997, "99.97%"),
    ],
)
def test_beside_a_percent_sign_a_number_means_what_it_says(
    typed: str, p: float, shown: str
) -> None:
    found = read_percent_field(typed)
    assert (found.value, found.shown) == (pytest.approx(p), shown)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "is blank"),
        ("1.0", "could be 1% or 100%"),
        ("1.", "could be 1% or 100%"),
        ("101", "'101%' is not"),
        ("-3", "'-3%' is not"),
        ("4/3", "'4/3' is not"),
        ("1/0", "'1/0' is not"),
        (f"{'9' * 400}/{'9' * 400}", "must be a finite number"),
        ("30,5", "has a comma"),
        ("likely", "'likely' is not a probability"),
        ("1e-3", "'1e-3' is not a probability"),
    ],
)
def test_what_is_ambiguous_or_impossible_beside_a_percent_sign_is_refused(
    typed: str, words: str
) -> None:
    with pytest.raises(LedgerError, match=words):
        read_percent_field(typed)


@given(st.text(max_size=12))
def test_any_text_beside_a_percent_sign_is_a_probability_or_refused(typed: str) -> None:
    with contextlib.suppress(LedgerError):
        assert 0 <= read_percent_field(typed).value <= 1


@pytest.mark.parametrize("typed", ["https://a.b/", "1:", "A=1%,", '"a" ', "[", " "])
def test_a_long_text_is_refused_at_once(typed: str) -> None:
    # Anyone may type one, and everyone on the server would wait while it is read.
    began = time.process_time()
    for question in (CITIES, PRICE, WHEN):
        with pytest.raises(LedgerError):
            read_value(typed * (100_000 // len(typed)), question, now=day(0))
    assert time.process_time() - began < 2
