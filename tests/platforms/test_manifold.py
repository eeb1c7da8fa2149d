"""Manifold's bets and markets. No row is from a real account."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from forecasts.common.errors import BadInput
from forecasts.platforms import manifold
from forecasts.platforms.record import Choices, PlatformRecord, check_record
from forecasts.platforms.source import Source
from tests.remarks import notes_of

DAY = 86_400_000
_NUMBERS = itertools.count()
MADE = 1_735_689_600_000  # 2025-01-01


def bet(**fields: Any) -> dict[str, Any]:
    """Return a bet of 60% on the market m1, two days after it was made."""
    return {
        "id": f"b{next(_NUMBERS)}",
        "userId": "u1",
        "contractId": "m1",
        "createdTime": MADE + 2 * DAY,
        "outcome": "YES",
        "probBefore": 0.4,
        "probAfter": 0.6,
        "isRedemption": False,
    } | fields


def market(**fields: Any) -> dict[str, Any]:
    """Return an open market of yes and no that closes after thirty days."""
    return {
        "id": "m1",
        "question": "Will the dam be finished?",
        "url": "https://manifold.markets/anna/will-the-dam-be-finished",
        "createdTime": MADE,
        "closeTime": MADE + 30 * DAY,
        "outcomeType": "BINARY",
        "mechanism": "cpmm-1",
        "probability": 0.99,
        "isResolved": False,
    } | fields


def answer(id_: str, text: str, **fields: Any) -> dict[str, Any]:
    """Return an answer of a market."""
    return {"id": id_, "text": text, "createdTime": MADE, "probability": 0.9} | fields


def choice(**fields: Any) -> dict[str, Any]:
    """Return a market with three exclusive answers."""
    answers = [answer("a", "Anna"), answer("b", "Bo"), answer("c", "Cy")]
    several = {"outcomeType": "MULTIPLE_CHOICE", "answers": answers, "shouldAnswersSumToOne": True}
    return market(**several | fields)


def source(path: Path, **files: Any) -> Source:
    """Return files of these names; a text is written as it is, anything else as JSON."""
    made = {}
    for name, content in files.items():
        file = path / f"{name}.json"
        text = content if isinstance(content, str) else json.dumps(content)
        file.write_text(text, encoding="utf-8")
        made[file.name] = file
    return Source("export", made)


def read(path: Path, bets: Any, markets: Any, owner: str = "anna") -> PlatformRecord:
    files = source(path, bets=bets, markets=markets)
    assert manifold.recognises(files)
    record = manifold.read(files, Choices(owner))
    check_record(record.frames)
    return record


def test_the_price_that_a_bet_left_is_a_forecast_marked_as_implied(tmp_path: Path) -> None:
    record = read(tmp_path, [bet()], [market()])
    [row] = record.frames.forecasts.to_dict("records")
    assert (row["question_id"], row["forecaster"], row["probability"]) == (
        "manifold-m1",
        "anna",
        0.6,
    )
    assert row["made_at"].isoformat() == "2025-01-03T00:00:00+00:00"
    assert record.implied
    assert record.origins.to_dict("records") == [
        {
            "question_id": "manifold-m1",
            "platform_id": "m1",
            "url": "https://manifold.markets/anna/will-the-dam-be-finished",
        }
    ]
    assert record.frames.place("forecasts", 0) == "bets.json, record 1"


def test_only_bets_that_moved_the_account_count_and_the_others_are_counted(tmp_path: Path) -> None:
    bets = [
        bet(id="kept", isFilled=True, isCancelled=False),
        bet(id="old, without the fields of limit orders"),
        bet(id="r", isRedemption=True),
        bet(id="n", isFilled=False, isCancelled=False),
        bet(id="c", isFilled=False, isCancelled=True),
        bet(id="f", isFilled=True, isCancelled=True),
        bet(id="a", isAnte=True),
        bet(id="kept", isFilled=True, isCancelled=False),
    ]
    record = read(tmp_path, bets, [market()])
    assert len(record.frames.forecasts) == 2
    assert [(one.value, one.reason.split(":")[0].split(",")[0]) for one in record.left_out] == [
        ("1 bet", "redemptions"),
        ("1 bet", "limit orders that were not filled"),
        ("2 bets", "cancelled limit orders"),
        ("1 bet", "the creator's first liquidity"),
        ("1 bet", "listed a second time"),
    ]


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ({"resolution": "YES"}, "yes"),
        ({"resolution": "NO"}, "no"),
        ({"resolution": "MKT", "resolutionProbability": 0.25}, "0.25"),
        ({"resolution": "MKT", "resolutionProbability": 0}, "0.0"),
        ({"resolution": "CANCEL"}, "annulled"),
    ],
)
def test_a_market_resolves_to_yes_no_a_share_or_is_annulled(
    tmp_path: Path, fields: dict[str, Any], outcome: str
) -> None:
    resolved = market(isResolved=True, resolutionTime=MADE + 9 * DAY, **fields)
    [row] = read(tmp_path, [bet()], [resolved]).frames.questions.to_dict("records")
    assert row["resolution"] == outcome
    assert row["known_at"].isoformat() == "2025-01-10T00:00:00+00:00"
    assert row["actual_close_time"] == row["known_at"]


@pytest.mark.parametrize(
    ("closes", "scheduled", "actual"),
    [
        (MADE + 5 * DAY, "2025-01-06T00:00:00+00:00", "NaT"),  # before the resolution
        (MADE - DAY, "2025-01-10T00:00:00+00:00", "NaT"),  # before the market was made
        (8.64e15, "9999-12-31T23:59:59+00:00", "2025-01-10T00:00:00+00:00"),  # in the year 275760
        (None, "9999-12-31T23:59:59+00:00", "2025-01-10T00:00:00+00:00"),
    ],
)
def test_a_close_may_come_before_the_resolution_or_never(
    tmp_path: Path, closes: float | None, scheduled: str, actual: str
) -> None:
    resolved = {"isResolved": True, "resolution": "NO", "resolutionTime": MADE + 9 * DAY}
    record = read(tmp_path, [bet()], [market(closeTime=closes, **resolved)])
    [row] = record.frames.questions.to_dict("records")
    assert row["scheduled_close_time"].isoformat() == scheduled
    assert str(row["actual_close_time"].isoformat() if actual != "NaT" else "NaT") == actual
    assert ("9999" in " ".join(notes_of(record))) == (scheduled[:4] == "9999")


def test_exclusive_answers_are_one_question_and_redemptions_tell_the_other_prices(
    tmp_path: Path,
) -> None:
    later = MADE + 3 * DAY
    bets = [
        bet(answerId="a", probAfter=0.5),
        bet(answerId="b", probAfter=0.7, createdTime=later),
        # Manifold moves the other answers itself, at the same moment.
        bet(answerId="a", probAfter=0.2, createdTime=later, isRedemption=True),
        bet(answerId="c", probAfter=0.1, createdTime=later, isRedemption=True),
    ]
    record = read(tmp_path, bets, [choice()])
    [question] = record.frames.questions.to_dict("records")
    assert (question["type"], question["options"]) == ("multiple_choice", ["Anna", "Bo", "Cy"])
    first, second = record.frames.forecasts["probabilities"]
    assert first == [0.5, 0.25, 0.25]
    assert second == pytest.approx([0.2, 0.7, 0.1], abs=1e-12)
    assert record.frames.forecasts["probability"].isna().all()


def test_an_answer_that_was_added_later_has_no_probability_before(tmp_path: Path) -> None:
    answers = [
        answer("o", "Other", isOther=True),
        answer("a", "Anna"),
        answer("b", "Bo", createdTime=MADE + 3 * DAY),
    ]
    bets = [
        bet(answerId="a", probAfter=0.5),
        bet(answerId="a", probAfter=0.4, createdTime=MADE + 4 * DAY),
    ]
    record = read(tmp_path, bets, [choice(answers=answers)])
    assert record.frames.questions["options"].tolist() == [["Anna", "Bo", "Other"]]
    first, second = record.frames.forecasts["probabilities"]
    assert first == [0.5, None, 0.5]
    assert sum(second) == pytest.approx(1)


def test_answers_that_can_all_be_right_are_a_family_of_questions(tmp_path: Path) -> None:
    answers = [
        answer("a", "Anna", resolution="YES", resolutionTime=MADE + 4 * DAY),
        answer("b", "Bo", resolution="MKT", resolutionProbability=0.3),
        answer("c", "Cy"),
    ]
    bets = [bet(answerId=id_, probAfter=p) for id_, p in (("a", 0.7), ("b", 0.6), ("c", 0.5))]
    record = read(tmp_path, bets, [choice(answers=answers, shouldAnswersSumToOne=False)])
    questions = record.frames.questions
    assert questions["question_id"].tolist() == [f"manifold-m1-{one}" for one in "abc"]
    assert questions["title"].iloc[0] == "Will the dam be finished? (Anna)"
    assert questions["family"].unique().tolist() == ["manifold-m1"]
    assert questions["resolution"].tolist() == ["yes", "0.3", ""]
    assert record.frames.forecasts["probability"].tolist() == [0.7, 0.6, 0.5]


def test_answers_in_shares_are_ambiguous_where_only_one_can_be_right(tmp_path: Path) -> None:
    paid = {"isResolved": True, "resolution": "MKT", "resolutions": {"a": 60, "b": 40}}
    [row] = read(tmp_path, [bet(answerId="a")], [choice(**paid)]).frames.questions.to_dict(
        "records"
    )
    assert row["resolution"] == "ambiguous"
    assert row["resolution_note"] == "Manifold paid several answers in shares: 60% Anna, 40% Bo."
    one = {"isResolved": True, "resolution": "b", "resolutionTime": MADE + 9 * DAY}
    [row] = read(tmp_path, [bet(answerId="a")], [choice(**one)]).frames.questions.to_dict("records")
    assert row["resolution"] == "Bo"


@pytest.mark.parametrize("kind", ["NUMBER", "MULTI_NUMERIC", "DATE"])
def test_the_parts_of_a_range_are_ordered_options(tmp_path: Path, kind: str) -> None:
    answers = [answer("c", "20+", midpoint=25), answer("a", "0–10", midpoint=5)]
    record = read(tmp_path, [bet(answerId="a")], [choice(outcomeType=kind, answers=answers)])
    [question] = record.frames.questions.to_dict("records")
    assert question["ordered"]
    assert question["options"] == ["0–10", "20+"]
    assert record.frames.forecasts["probabilities"].tolist() == [[0.6, 0.4]]


@pytest.mark.parametrize("kind", ["STONK", "PERP", "PSEUDO_NUMERIC", "POLL", "A_NEW_KIND"])
def test_a_market_without_probabilities_is_left_out_with_the_reason(
    tmp_path: Path, kind: str
) -> None:
    record = read(tmp_path, [bet()], [market(outcomeType=kind)])
    assert len(record.frames.questions) == len(record.frames.forecasts) == 0
    [one] = record.left_out
    assert one.place == "markets.json, record 1"
    assert one.value == "Will the dam be finished?"
    assert one.reason


def test_a_market_without_bets_and_a_bet_without_market_are_left_out(tmp_path: Path) -> None:
    bets = [
        bet(),
        bet(contractId="gone"),
        bet(contractId="gone"),
        bet(id="r", isRedemption=True, contractId="m2"),
    ]
    markets = [
        market(),
        market(id="m2", question="Without bets?"),
        market(id="m3", question="None?"),
    ]
    record = read(tmp_path, bets, markets)
    assert record.frames.questions["question_id"].tolist() == ["manifold-m1"]
    named = {(one.value, one.reason) for one in record.left_out}
    assert ("gone", "2 bets on a market that no file has") in named
    assert ("Without bets?", "no bet of the account counts") in named
    assert ("None?", "no bet of the account counts") in named


def test_an_old_bet_names_its_answer_as_the_outcome(tmp_path: Path) -> None:
    answers = [answer("0", "None"), answer("1", "Bo")]
    old = choice(outcomeType="FREE_RESPONSE", answers=answers)
    del old["shouldAnswersSumToOne"]
    record = read(tmp_path, [bet(outcome="1", probAfter=0.7)], [old])
    assert record.frames.forecasts["probabilities"].tolist() == [[pytest.approx(0.3), 0.7]]


def test_bets_of_several_accounts_keep_their_ids(tmp_path: Path) -> None:
    record = read(tmp_path, [bet(), bet(userId="u2", probAfter=0.1)], [market()])
    assert record.frames.forecasts["forecaster"].tolist() == ["u1", "u2"]
    assert "2 accounts" in notes_of(record)[0]
    record = read(tmp_path, [bet(), bet(userId="u2"), bet(userId=None)], [market()])
    assert record.frames.forecasts["forecaster"].tolist() == ["u1", "u2", "anna"]
    assert "1 bet names no account; imported as anna's." in notes_of(record)


def test_a_newer_export_keeps_the_ids(tmp_path: Path) -> None:
    before = read(tmp_path, [bet(answerId="a")], [choice()])
    more = [answer("a", "Anna"), answer("b", "Bo"), answer("d", "Di", createdTime=MADE + 9 * DAY)]
    more.append(answer("c", "Cy", isOther=True))
    bets = [bet(answerId="b", createdTime=MADE + 9 * DAY), bet(answerId="a")]
    after = read(tmp_path, bets, [choice(answers=more, question="Reworded?")])
    assert before.origins["question_id"].tolist() == after.origins["question_id"].tolist()


@pytest.mark.parametrize(
    ("wrong", "place", "rule"),
    [
        ({"probAfter": 1.2}, "bets.json, record 2, field probAfter", "a probability from 0 to 1"),
        ({"probAfter": "60%"}, "bets.json, record 2, field probAfter", "a number"),
        ({"probAfter": None}, "bets.json, record 2, field probAfter", "a probability from 0 to 1"),
        ({"createdTime": MADE // 1000}, "bets.json, record 2, field createdTime", "milliseconds"),
        ({"createdTime": "2025"}, "bets.json, record 2, field createdTime", "milliseconds"),
        ({"isRedemption": "no"}, "bets.json, record 2, field isRedemption", "true, false or null"),
        ({"contractId": [7]}, "bets.json, record 2, field contractId", "a text"),
    ],
)
def test_a_bad_bet_is_named_by_file_record_field_value_and_rule(
    tmp_path: Path, wrong: dict[str, Any], place: str, rule: str
) -> None:
    with pytest.raises(BadInput) as caught:
        read(tmp_path, [bet(), bet(**wrong)], [market()])
    first = caught.value.problems[0]
    assert first.place == place
    assert rule in first.rule


@pytest.mark.parametrize(
    ("wrong", "field", "rule"),
    [
        ({"createdTime": MADE // 1000}, "createdTime", "milliseconds"),
        ({"question": ""}, "question", "required"),
        ({"question": "a" * 2001}, "question", "at most 2,000 bytes; this has 2,001 bytes"),
        ({"groupSlugs": ["a" * 2001]}, "groupSlugs", "texts of at most 2,000 bytes"),
        ({"question": "a\x00b"}, "question", "NUL"),
        ({"question": "a\ud800b"}, "question", "surrogate"),
        ({"url": "javascript:alert(1)"}, "url", "https://"),
        ({"isResolved": True, "resolution": "MAYBE"}, "resolution", "YES, NO, MKT or CANCEL"),
        ({"isResolved": True, "resolution": "MKT"}, "resolutionProbability", "required"),
        ({"answers": "none", "outcomeType": "MULTIPLE_CHOICE"}, "answers", "a list of objects"),
        ({"groupSlugs": [1]}, "groupSlugs", "a list of texts"),
    ],
)
def test_a_bad_market_is_named_by_file_record_field_value_and_rule(
    tmp_path: Path, wrong: dict[str, Any], field: str, rule: str
) -> None:
    with pytest.raises(BadInput) as caught:
        read(tmp_path, [bet()], [market(**wrong)])
    first = caught.value.problems[0]
    assert first.place == f"markets.json, record 1, field {field}"
    assert rule in first.rule


def test_a_market_with_rich_text_has_its_words_as_criteria(tmp_path: Path) -> None:
    words = {"type": "paragraph", "content": [{"type": "text", "text": "By "}, {"text": "June."}]}
    record = read(
        tmp_path, [bet()], [market(description={"type": "doc", "content": [words, words]})]
    )
    assert record.frames.questions["resolution_criteria"].tolist() == ["By June.\nBy June."]
