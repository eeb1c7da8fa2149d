"""Manifold's bets and markets. No row is from a real account."""

import itertools
from pathlib import Path
from typing import Any

import pytest

from forecasts.platforms.record import PlatformRecord
from tests.platforms import sheets

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


def read(path: Path, bets: Any, markets: Any) -> PlatformRecord:
    return sheets.from_json(path, "manifold", bets=bets, markets=markets)


LATER, NINE = MADE + 3 * DAY, MADE + 9 * DAY
OLD = choice(outcomeType="FREE_RESPONSE", answers=[answer("0", "None"), answer("1", "Bo")])
del OLD["shouldAnswersSumToOne"]
NO = {"isResolved": True, "resolution": "NO", "resolutionTime": NINE}
SEVERAL = choice(
    shouldAnswersSumToOne=False,
    answers=[
        answer("a", "Anna", resolution="YES", resolutionTime=MADE + 4 * DAY),
        answer("b", "Bo", resolution="MKT", resolutionProbability=0.3),
        answer("c", "Cy"),
    ],
)
ADDED = [answer("o", "Other", isOther=True), answer("a", "A"), answer("b", "B", createdTime=LATER)]
RANGE = [answer("c", "20+", midpoint=25), answer("a", "0–10", midpoint=5)]
WORDS = {"type": "paragraph", "content": [{"type": "text", "text": "By "}, {"text": "June."}]}
FILES: dict[str, tuple[list[Any], list[Any], dict[str, Any]]] = {
    "the price that a bet left": (
        [bet()], [market()],
        {"id": ["manifold-m1"], "who": ["anna"], "p": [0.6], "made": ["2025-01-03 00:00"],
         "urls": ["https://manifold.markets/anna/will-the-dam-be-finished"],
         "note": "nobody stated as a forecast"},
    ),
    **{
        f"the outcome {outcome!r}": (
            [bet()], [market(isResolved=True, resolutionTime=NINE, **fields)],
            {"outcomes": [outcome], "ends": ["2025-01-10 00:00"]},
        )
        for outcome, fields in {
            "yes": {"resolution": "YES"},
            "no": {"resolution": "NO"},
            "0.25": {"resolution": "MKT", "resolutionProbability": 0.25},
            "0.0": {"resolution": "MKT", "resolutionProbability": 0},
            "annulled": {"resolution": "CANCEL"},
        }.items()
    },
    "a close before the resolution": (
        [bet()], [market(closeTime=MADE + 5 * DAY, **NO)],
        {"closes": ["2025-01-06 00:00"], "ends": [""], "no note": "9999"},
    ),
    "a close before the market was made": (
        [bet()], [market(closeTime=MADE - DAY, **NO)],
        {"closes": ["2025-01-10 00:00"], "ends": [""]},
    ),
    "a close in the year 275760": (
        [bet()], [market(closeTime=8.64e15, **NO)],
        {"closes": ["9999-12-31 23:59"], "ends": ["2025-01-10 00:00"], "note": "9999"},
    ),
    "no close": (
        [bet()], [market(closeTime=None, **NO)], {"closes": ["9999-12-31 23:59"], "note": "9999"},
    ),
    "exclusive answers share the rest": (
        [bet(answerId="a", probAfter=0.5)], [choice()],
        {"options": [["Anna", "Bo", "Cy"]], "vectors": [[0.5, 0.25, 0.25]]},
    ),
    "an answer that was added later": (
        [bet(answerId="a", probAfter=0.5)], [choice(answers=ADDED)],
        {"options": [["A", "B", "Other"]], "vectors": [[0.5, None, 0.5]]},
    ),
    "answers that can all be right": (
        [bet(answerId=id_, probAfter=p) for id_, p in (("a", 0.7), ("b", 0.6), ("c", 0.5))],
        [SEVERAL],
        {"id": [f"manifold-m1-{one}" for one in "abc"], "outcomes": ["yes", "0.3", ""],
         "titles": [f"Will the dam be finished? ({one})" for one in ("Anna", "Bo", "Cy")],
         "families": ["manifold-m1"] * 3, "p": [0.7, 0.6, 0.5]},
    ),
    **{
        f"parts of a range of {kind}": (
            [bet(answerId="a", probAfter=0.5)], [choice(outcomeType=kind, answers=RANGE)],
            {"options": [["0–10", "20+"]], "vectors": [[0.5, 0.5]]},
        )
        for kind in ("NUMBER", "MULTI_NUMERIC", "DATE")
    },
    "an old bet names its answer as the outcome": (
        [bet(outcome="1", probAfter=0.75)], [OLD], {"vectors": [[0.25, 0.75]]},
    ),
    "rich text has its words as criteria, and parts of a range are ordered": (
        [bet(answerId="a")],
        [choice(outcomeType="NUMBER", answers=RANGE,
                description={"type": "doc", "content": [WORDS, WORDS]})],
        {"resolution_criteria": ["By June.\nBy June."], "ordered": [True]},
    ),
    "redemptions tell the prices of the other answers": (
        # Manifold moves the other answers itself, at the same moment.
        [bet(answerId="a", probAfter=0.5), bet(answerId="b", probAfter=0.7, createdTime=LATER),
         bet(answerId="a", probAfter=0.2, createdTime=LATER, isRedemption=True),
         bet(answerId="c", probAfter=0.1, createdTime=LATER, isRedemption=True)],
        [choice()],
        {"types": ["multiple_choice"],
         "vectors": [[0.5, 0.25, 0.25], pytest.approx([0.2, 0.7, 0.1], abs=1e-12)]},
    ),
    "several answers were paid in shares": (
        [bet(answerId="a")],
        [choice(isResolved=True, resolution="MKT", resolutions={"a": 60, "b": 40})],
        {"outcomes": ["ambiguous"],
         "resolution_note": ["Manifold paid several answers in shares: 60% Anna, 40% Bo."]},
    ),
    "one answer was right": (
        [bet(answerId="a")],
        [choice(isResolved=True, resolution="b", resolutionTime=NINE)], {"outcomes": ["Bo"]},
    ),
    **{
        f"a market of the kind {kind}": (
            [bet()], [market(outcomeType=kind)],
            {"id": [], "p": [], "left": ["Will the dam be finished?"],
             "left out": [("record 1", reason)]},
        )
        for kind, reason in {
            "STONK": "a stock has no outcome: its price never becomes true or false",
            "PSEUDO_NUMERIC": "its price is a number on a scale, not a probability",
            "A_NEW_KIND": "a market of an unknown kind, A_NEW_KIND",
        }.items()
    },
    "bets of one account and of none": (
        [bet(), bet(userId=None)], [market()], {"who": ["anna", "anna"]},
    ),
    "bets of several accounts": (
        [bet(), bet(userId="u2"), bet(userId=None)], [market()],
        {"who": ["u1", "u2", "anna"], "note": "1 forecast names no account; imported as anna's."},
    ),
    "what has no other half": (
        [bet(), bet(contractId="gone"), bet(contractId="gone")], [market(), market(id="m2")],
        {"id": ["manifold-m1"],
         "left out": [("record 2", "2 bets on a market that no file has"),
                      ("record 2", "no bet of the account counts")]},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("bets", "markets", "expected"), FILES.values(), ids=FILES)
def test_bets_and_markets_are_read(
    tmp_path: Path, bets: list[Any], markets: list[Any], expected: dict[str, Any]
) -> None:
    record = read(tmp_path, bets, markets)
    sheets.require(record, expected)
    assert record.implied


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
    "dropped", [{"isRedemption": True}, {"isCancelled": True}, {"isAnte": True}, {"id": "kept"}]
)
def test_a_bet_that_is_left_out_refuses_no_file(tmp_path: Path, dropped: dict[str, Any]) -> None:
    odd = {"probAfter": 1.2, "createdTime": MADE // 1000, "contractId": None, "userId": [7]}
    record = read(tmp_path, [bet(id="kept"), bet(**odd | dropped)], [market()])
    assert record.frames.forecasts["probability"].tolist() == [0.6]
    assert [one.value for one in record.left_out] == ["1 bet"]


SECONDS = {"createdTime": MADE // 1000}
CHOSEN = {"outcomeType": "MULTIPLE_CHOICE", "answers": "none"}


@pytest.mark.parametrize(
    ("of_bet", "of_market", "field", "rule"),
    [
        ({"probAfter": 1.2}, {}, "probAfter", "from 0 to 1"),
        ({"probAfter": "60%"}, {}, "probAfter", "a number"),
        ({"probAfter": None}, {}, "probAfter", "required"),
        (SECONDS, {}, "createdTime", "milliseconds"),
        ({"createdTime": MADE * 1000}, {}, "createdTime", "milliseconds"),
        ({"isRedemption": "no"}, {}, "isRedemption", "true, false or null"),
        ({"contractId": [7]}, {}, "contractId", "a text"),
        ({}, SECONDS, "createdTime", "milliseconds"),
        ({}, {"question": ""}, "question", "required"),
        ({}, {"question": "a" * 2001}, "question", "at most 2,000 bytes; this has 2,001 bytes"),
        ({}, {"question": "a\ud800b"}, "question", "surrogate"),
        ({}, {"url": "javascript:alert(1)"}, "url", "https://"),
        ({}, {"isResolved": True, "resolution": "MAYBE"}, "resolution", "YES, NO, MKT or CANCEL"),
        ({}, {"isResolved": True, "resolution": "MKT"}, "resolutionProbability", "required"),
        ({}, CHOSEN, "answers", "a list of objects"),
        ({}, {"groupSlugs": [1]}, "groupSlugs", "a list of texts"),
        ({}, {"groupSlugs": ["a" * 2001]}, "groupSlugs", "texts of at most 2,000 bytes"),
    ],
)
def test_a_bad_value_is_named_by_file_record_field_and_rule(
    tmp_path: Path, of_bet: dict[str, Any], of_market: dict[str, Any], field: str, rule: str
) -> None:
    place = "bets.json, record 2" if of_bet else "markets.json, record 1"
    with sheets.refused_at(f"{place}, field {field}", rule):
        read(tmp_path, [bet(), bet(**of_bet)], [market(**of_market)])
