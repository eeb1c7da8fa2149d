"""A Manifold account from its API, which is read like its files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlmodel import Session

from forecasts.access.members import member_or_new
from forecasts.accounts import manifold as account
from forecasts.accounts.accounts import settled
from forecasts.common.errors import CaptureError
from forecasts.ledger.models import Member, QuestionOrigin
from forecasts.platforms import manifold
from forecasts.platforms.record import Choices
from forecasts.platforms.source import opened
from tests.accounts.conftest import TOKEN, Platform, Pull, Reply, Request
from tests.conftest import ask, day, resolve, say
from tests.remarks import notes_of

CHOICES = Choices("alice")
BEGIN = 1_700_000_000_000


def bet(number: int, market: str, p: float, at: int, **more: Any) -> dict[str, Any]:
    return {
        "id": f"bet{number}",
        "userId": "me",
        "contractId": market,
        "createdTime": BEGIN + at,
        "outcome": "YES",
        "probBefore": 0.5,
        "probAfter": p,
        "shares": 10.0,
        "fees": {"creatorFee": 0},
        "isRedemption": False,
    } | more


def market(id_: str, **more: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "question": f"Will {id_}?",
        "url": f"https://manifold.markets/me/{id_}",
        "createdTime": BEGIN,
        "closeTime": BEGIN + 10_000_000,
        "outcomeType": "BINARY",
        "mechanism": "cpmm-1",
        "isResolved": False,
        "probability": 0.99,
        "pool": {"YES": 1, "NO": 2},
        "description": {"type": "doc", "content": []},
        "textDescription": "It must rain.",
    } | more


MARKETS = {
    "rain": market("rain", isResolved=True, resolution="YES", resolutionTime=BEGIN + 10_000_000),
    "snow": market("snow"),
    "colour": market(
        "colour",
        outcomeType="MULTIPLE_CHOICE",
        shouldAnswersSumToOne=True,
        answers=[
            {"id": "a", "text": "Red", "createdTime": BEGIN, "probability": 0.9, "index": 0},
            {"id": "b", "text": "Blue", "createdTime": BEGIN, "probability": 0.1, "index": 1},
        ],
    ),
}
BETS = [
    bet(1, "rain", 0.6, 1_000),
    bet(2, "snow", 0.2, 2_000),
    bet(3, "colour", 0.7, 3_000, answerId="a"),
    bet(4, "colour", 0.3, 3_000, answerId="b", isRedemption=True),
    bet(5, "rain", 0.8, 4_000, isFilled=False),
    bet(6, "rain", 0.9, 5_000),
]


def serve(platform: Platform, bets: Sequence[dict[str, Any]], size: int = 1_000) -> None:
    """Answer as the API's documentation says."""

    def answer(request: Request) -> Reply:
        if request.path == "me":
            if request.headers.get("authorization") != f"Key {TOKEN}":
                return Reply({"message": "Missing or invalid key."}, status=401)
            return Reply({"id": "me", "username": "Alice", "balance": 12.5})
        if request.path == "bets":
            assert (request.query["userId"], request.query["order"]) == ("me", "asc")
            after = int(request.query.get("afterTime", "-1"))
            later = [one for one in bets if one["createdTime"] > after]
            return Reply(sorted(later, key=lambda one: one["createdTime"])[:size])
        found = MARKETS.get(request.path.removeprefix("market/"))
        return (
            Reply({"message": "Contract not found"}, status=404) if found is None else Reply(found)
        )

    platform.answer = answer


def test_a_pull_is_read_like_files_of_the_same_answers(pull: Pull, tmp_path: Path) -> None:
    serve(pull.platform, BETS)
    pulled = pull.read(account)
    files = tmp_path / "files"
    files.mkdir()
    (files / "bets.json").write_text(json.dumps(BETS[::-1]))
    (files / "markets.json").write_text(json.dumps(list(MARKETS.values())))
    with opened(files) as source:
        own = manifold.read(source, CHOICES)
    for name in ("questions", "forecasts"):
        by = ["question_id"] if name == "questions" else ["question_id", "made_at"]
        one, other = (
            getattr(each.frames, name).sort_values(by).reset_index(drop=True)
            for each in (pulled, own)
        )
        pd.testing.assert_frame_equal(one, other)
    assert pulled.implied
    assert set(pulled.frames.forecasts["forecaster"]) == {"alice"}
    assert pulled.origins["url"][0] == "https://manifold.markets/me/rain"
    assert len(pulled.frames.forecasts) == 4


def test_no_bet_of_the_same_moment_is_lost(pull: Pull, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account, "PAGE", 3)
    serve(pull.platform, BETS, size=3)
    pull.fetch(account)
    assert list(pull.kept.items("bets")) == [one["id"] for one in BETS]
    asked = [one.query.get("afterTime") for one in pull.platform.asked if one.path == "bets"]
    assert asked == [None, str(BEGIN + 2_999), str(BEGIN + 3_999), str(BEGIN + 4_999)]


def test_a_removed_market_is_named_and_an_account_without_bets_is_empty(pull: Pull) -> None:
    serve(pull.platform, [])
    frames = pull.read(account).frames
    assert len(frames.questions) == len(frames.forecasts) == 0
    pull.kept.nexts.clear()
    serve(pull.platform, [*BETS, bet(7, "gone", 0.5, 6_000)])
    left_out = pull.read(account).left_out
    assert ("market gone", "1 bet") in [(one.place, one.value) for one in left_out]


@pytest.mark.slow
def test_resolved_markets_that_are_here_already_are_not_fetched_again(pull: Pull) -> None:
    serve(pull.platform, BETS)
    pull.fetch(account, lambda: {"rain"})
    assert "market/rain" not in [one.path for one in pull.platform.asked]
    record = account.read(pull.kept, CHOICES)
    assert record.frames.questions["question_id"].tolist() == ["manifold-snow", "manifold-colour"]
    assert (
        "Resolved markets that are here already were not fetched again: 1. To fetch them too: "
        "--fresh" in notes_of(record)
    )


@pytest.mark.slow
def test_resolved_questions_that_were_forecast_are_settled(session: Session, alice: Member) -> None:
    bob = member_or_new(session, "bob", now=day(0))
    for slug, who, platform in (
        ("rain", alice, "manifold"),
        ("open", alice, "manifold"),
        ("theirs", bob, "manifold"),
        ("elsewhere", alice, "metaculus"),
    ):
        question = ask(session, alice, slug=slug)
        say(session, question, who, 0.4, 1)
        origin = {"platform": platform, "platform_id": f"id-{slug}", "url": ""}
        session.add(QuestionOrigin(question_id=question.id, recorded_at=day(1), **origin))
        session.flush()
        if slug != "open":
            resolve(session, question, alice, "yes", 2, at=11)
    assert settled(session, "manifold", alice) == {"id-rain"}
    assert settled(session, "manifold", bob) == {"id-theirs"}
    assert settled(session, "fatebook", alice) == set()


@pytest.mark.slow
def test_a_stopped_pull_asks_for_no_market_twice(pull: Pull) -> None:
    serve(pull.platform, BETS)
    whole = pull.platform.answer
    pull.platform.answer = lambda asked: (
        Reply({}, status=400) if asked.path == "market/snow" else whole(asked)
    )
    with pytest.raises(CaptureError):
        pull.fetch(account)
    pull.platform.asked.clear()
    pull.platform.answer = whole
    pull.fetch(account)
    assert [one.path for one in pull.platform.asked] == ["market/snow", "market/colour"]
    assert len(account.read(pull.kept, CHOICES).frames.questions) == 3


@pytest.mark.parametrize("answer", [{}, [{"id": "1"}], [{"id": "1", "contractId": "x"}], None])
def test_bets_of_another_shape_are_named(pull: Pull, answer: Any) -> None:
    pull.platform.answer = lambda asked: Reply({"id": "me"} if asked.path == "me" else answer)
    with pytest.raises(CaptureError, match=r"sent data of an unknown shape.*newer version"):
        pull.fetch(account)
