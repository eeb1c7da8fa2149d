"""Scores equal those of a reference that loops over every forecaster and every moment."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring import PROTOCOLS, InputError, Protocol, score
from tests.examples import examples
from tests.scoring import slow_reference
from tests.scoring.strategies import Ledger, ledgers
from tests.scoring.ten_days import DAY, START, question, said

NAMES = sorted(slow_reference.PROTOCOLS)


def frames(ledger: Ledger) -> tuple[pd.DataFrame, pd.DataFrame]:
    asked, made = ledger
    return slow_reference.question_frame(asked), slow_reference.forecast_frame(asked, made)


def assert_same(found: pd.DataFrame, expected: pd.DataFrame, tolerance: float) -> None:
    key = ["question_id", "forecaster", "protocol", "updates"]
    assert found[key].values.tolist() == expected[key].values.tolist()
    for column in ("score", "coverage"):
        np.testing.assert_allclose(
            found[column].to_numpy(float),
            expected[column].to_numpy(float),
            rtol=tolerance,
            atol=tolerance,
        )


@pytest.mark.slow
@settings(max_examples=examples(45))
@given(ledgers(types=("binary", "multiple_choice", "numeric")))
def test_every_protocol_equals_the_slow_reference(ledger: Ledger) -> None:
    for protocol in NAMES:
        try:
            found = score(*frames(ledger), protocol)
            assert_same(found, slow_reference.score(*ledger, protocol), 1e-9)
        except BaseException as error:
            error.add_note(f"under the protocol {protocol}")
            raise


@pytest.mark.slow
@settings(max_examples=examples(40))
@given(ledgers(types=("binary", "multiple_choice"), zero=True))
def test_an_infinite_score_stays_infinite_and_two_cancel_to_none(ledger: Ledger) -> None:
    for protocol in ("log", "metaculus_baseline", "metaculus_peer", "metaculus_spot_peer"):
        assert_same(score(*frames(ledger), protocol), slow_reference.score(*ledger, protocol), 1e-9)


def test_every_named_protocol_is_compared_with_the_reference() -> None:
    assert set(PROTOCOLS) <= set(NAMES)


@pytest.mark.slow
@settings(max_examples=examples(30))
@given(ledgers(types=("binary", "multiple_choice", "numeric")), st.integers(0, 2**32 - 1))
def test_the_order_of_the_rows_does_not_matter(ledger: Ledger, seed: int) -> None:
    asked, made = ledger
    # Of two rows at one instant the later counts, so only other rows may be moved.
    alone = {(row["question_id"], row["forecaster"], row["time"]): row for row in made}
    rows = list(alone.values())
    order = np.random.default_rng(seed).permutation(len(rows))
    for protocol in ("brier", "skill", "gjo_accuracy", "crps"):
        expected = score(*frames((asked, rows)), protocol)
        shuffled = score(*frames((asked[::-1], [rows[i] for i in order])), protocol)
        pd.testing.assert_frame_equal(shuffled, expected, rtol=0, atol=1e-11)


# --- worked by hand ----------------------------------------------------------------------------


def by_name(found: pd.DataFrame, column: str = "score") -> dict[str, float]:
    return {
        who: pytest.approx(value, abs=1e-12)
        for who, value in zip(found["forecaster"], found[column], strict=True)
    }


def test_live_time_weighs_the_scores_and_coverage_is_of_the_scheduled_time() -> None:
    rows = said(("ana", 1, 0.4), ("ana", 3, 0.8), ("ana", 5, None))
    found = score(question(actual_close_time=START + 8 * DAY), rows)
    assert by_name(found) == {"ana": (0.36 * 2 + 0.04 * 2) / 4}
    assert by_name(found, "coverage") == {"ana": 0.4}
    assert found["updates"].tolist() == [2]


def test_the_final_forecast_is_the_one_live_just_before_the_actual_close() -> None:
    rows = said(("ana", 1, 0.4), ("ana", 8, 0.9), ("ben", 2, 0.7), ("ben", 7, None))
    found = score(question(actual_close_time=START + 8 * DAY), rows, "brier_final")
    assert by_name(found) == {"ana": 0.36}


def test_the_lead_is_counted_from_the_scheduled_close() -> None:
    rows = said(("ana", 1, 0.4), ("ana", 3, 0.8), ("ben", 4, 0.7))
    assert by_name(score(question(), rows, "brier_lead(7)")) == {"ana": 0.04}
    assert by_name(score(question(), rows, "brier_lead(7.5)")) == {"ana": 0.36}
    assert by_name(score(question(), rows, "brier_lead(6)")) == {"ana": 0.04, "ben": 0.09}
    assert score(question(), rows, "brier_lead(30)").empty


def test_a_question_that_had_closed_by_its_lead_has_no_row() -> None:
    rows = said(("ana", 1, 0.4))
    early = question(actual_close_time=START + 3 * DAY)
    assert score(early, rows, "brier_lead(7)").empty
    assert by_name(score(early, rows, "brier_lead(7.5)")) == {"ana": 0.36}


def test_the_spot_score_is_read_at_exactly_the_spot_time() -> None:
    rows = said(("ana", 1, 0.4), ("ana", 3, 0.8))
    at = {when: score(question(spot_time=START + when * DAY), rows, SPOT) for when in (0, 2, 3)}
    assert at[0].empty
    assert by_name(at[2]) == {"ana": 0.36}
    assert by_name(at[3]) == {"ana": 0.04}
    assert by_name(at[3], "coverage") == {"ana": 1}


def test_a_spot_time_at_the_opening_or_before_reads_at_the_opening() -> None:
    rows = said(("ana", -2, 0.4), ("bo", 0, 0.8), ("cy", 1, 0.9))
    for when in (0, -1, -9):
        found = score(question(spot_time=START + when * DAY), rows, SPOT)
        assert by_name(found) == pytest.approx({"ana": 0.36, "bo": 0.04})


def test_a_spot_time_at_the_close_or_after_reads_just_before_it() -> None:
    rows = said(("ana", 1, 0.4), ("ana", 6, 0.8))
    for when in (6, 9, 20):
        asked = question(spot_time=START + when * DAY, actual_close_time=START + 6 * DAY)
        assert by_name(score(asked, rows, SPOT)) == {"ana": 0.36}
    assert by_name(score(question(), rows, SPOT)) == {"ana": 0.04}


SPOT = Protocol("spot", "brier", "spot")


def test_the_last_forecast_that_stood_on_a_day_has_the_whole_day() -> None:
    rows = said(("ana", 0.9, 0.5), ("ana", 1.1, 0.9), ("ana", 1.2, None), ("ben", 3, 0.6))
    early = question(actual_close_time=START + 4 * DAY)
    found = score(early, rows, "gjo_brier")
    # Ana: day one 0.5, day two 0.9 although withdrawn, then none. Ben: the fourth day only.
    assert by_name(found) == {"ana": (0.5 + 0.02) / 2, "ben": 0.32}
    assert by_name(found, "coverage") == {"ana": 0.5, "ben": 0.25}


def test_the_median_of_a_day_is_over_everyone_and_only_days_with_anyone_count() -> None:
    rows = said(("ana", 1, 0.5), ("ben", 2, 1.0), ("ben", 3, None))
    found = score(question(scheduled_close_time=START + 4 * DAY), rows, "gjo_accuracy")
    # Days two to four have a forecast: medians 0.5, (0.5 + 0) / 2, (0.5 or, with ben gone, 0.5).
    median = (0.5 + 0.25 + 0.5) / 3
    assert by_name(found) == {"ana": (0.5 - median) * 3 / 4, "ben": (0 - median) * 1 / 4}


def test_time_without_anybody_else_counts_nothing_but_is_covered() -> None:
    rows = said(("ana", 0, 0.8), ("ben", 5, 0.6))
    for protocol in ("skill", "crowd_skill", "crowd_median"):
        found = score(question(), rows, protocol)
        advantage = 100 * (0.16 - 0.04) / 2
        assert by_name(found) == {"ana": advantage, "ben": -advantage}
        assert by_name(found, "coverage") == {"ana": 1, "ben": 0.5}


def test_the_peer_score_is_the_log_of_the_ratio_to_the_geometric_mean() -> None:
    chances = np.array([0.2, 0.5, 0.9])
    rows = said(*[(who, 0, p) for who, p in zip("abc", chances, strict=True)])
    geometric = np.exp(np.log(chances).mean())
    expected = 100 * 3 / 2 * np.log(chances / geometric)
    assert score(question(), rows, "metaculus_peer")["score"].tolist() == pytest.approx(expected)


def test_calling_the_outcome_impossible_loses_without_bound() -> None:
    rows = said(("ana", 0, 0.0), ("ben", 0, 0.5))
    assert score(question(), rows, "metaculus_peer")["score"].tolist() == [-np.inf, np.inf]
    both = said(("ana", 0, 0.0), ("ben", 0, 0.0))
    assert np.isnan(score(question(), both, "metaculus_peer")["score"]).all()
    alone = said(("ana", 0, 0.0), ("ben", 2, 0.5), ("ana", 2, 0.5))
    assert score(question(), alone, "metaculus_peer")["score"].tolist() == [0.0, 0.0]


def test_several_protocols_are_sorted_by_name() -> None:
    found = score(question(), said(("ben", 0, 0.5), ("ana", 0, 0.5)), ["log", "brier"])
    assert found["protocol"].tolist() == ["brier", "brier", "log", "log"]
    assert found["forecaster"].tolist() == ["ana", "ben", "ana", "ben"]


@pytest.mark.parametrize("name", ["Brier", "brier_lead", "brier_lead(-1)", "brier_lead(x)", ""])
def test_an_unknown_protocol_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="must be one of"):
        score(question(), said(("ana", 0, 0.5)), name)


@pytest.mark.parametrize("days", ["0", "0.0000009", "3650001", "999999999999999", "9" * 400])
def test_a_lead_that_no_calendar_holds_is_refused(days: str) -> None:
    with pytest.raises(InputError, match=f"lead.{days}.' — a lead must be 0.000001 to 3,650,000"):
        score(question(), said(("ana", 0, 0.5)), f"brier_lead({days})")


def test_a_list_without_a_protocol_is_refused() -> None:
    with pytest.raises(InputError, match="at least one protocol"):
        score(question(), said(("ana", 0, 0.5)), [])


def test_a_perfect_log_score_is_not_below_zero() -> None:
    found = score(question(), said(("ana", 0, 1.0)), ["log", "log_lead(2)"])
    assert found["score"].tolist() == [0.0, 0.0]
    assert not np.signbit(found["score"]).any()


# --- many -----------------------------------------------------------------------------------


@pytest.mark.slow
def test_questions_scored_together_score_as_they_do_alone() -> None:
    random = np.random.default_rng(8)
    n, asked = 150_000, 400
    frame = pd.DataFrame(
        {
            "question_id": random.integers(0, asked, n),
            "forecaster": random.integers(0, 40, n),
            "probability": random.random(n).round(3),
        }
    )
    frame["made_at"] = START + pd.to_timedelta(random.integers(0, 864_000_000_000, n), unit="us")
    questions = pd.concat([question(question_id=number) for number in range(asked)])
    names = ["brier", "skill", "crowd_median", "gjo_accuracy"]
    together = score(questions, frame, names)
    ordered = frame.sort_values(["question_id", "forecaster", "made_at"], kind="stable")
    pd.testing.assert_frame_equal(score(questions, ordered, names), together, rtol=0, atol=1e-10)
    for number in (0, 200, 399):
        alone = score(
            questions[questions["question_id"] == number],
            frame[frame["question_id"] == number],
            names,
        )
        same = together[together["question_id"] == number].reset_index(drop=True)
        pd.testing.assert_frame_equal(alone, same, rtol=0, atol=1e-10)


def test_the_shortest_lead_and_the_longest_are_taken() -> None:
    for days in ("0.000001", "3650000"):
        score(question(), said(("ana", 0, 0.5)), f"brier_lead({days})")
