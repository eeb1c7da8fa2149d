"""A Fatebook account from its API, and the same account from its export."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from forecasts.accounts import fatebook as account
from forecasts.accounts.accounts import own
from forecasts.common.errors import BadInput
from forecasts.platforms import fatebook
from forecasts.platforms.record import Choices, PlatformRecord
from forecasts.platforms.source import opened
from tests.accounts.conftest import TOKEN, Platform, Pull, Reply, Request
from tests.remarks import notes_of

pytestmark = pytest.mark.slow

CHOICES = Choices("alice")
ME, BOB = {"id": "me", "name": "Alice A."}, {"id": "bob", "name": "Bob"}


def forecast(who: dict[str, str], at: str, p: str | None, **more: Any) -> dict[str, Any]:
    shown = who if p is not None else {"id": None}
    return {"createdAt": at, "forecast": p, "userId": shown["id"], "optionId": None} | {
        "user": who if p is not None else None,
        **more,
    }


def question(id_: str, title: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "title": title,
        "userId": "me",
        "user": ME,
        "createdAt": "2024-05-01T10:11:05.900Z",
        "resolveBy": "2024-06-01T00:00:00.000Z",
        "resolution": "YES",
        "resolvedAt": "2024-05-20T08:00:09.001Z",
        "notes": None,
        "sharedWith": [],
        "sharedWithLists": [],
        "options": [],
        "comments": [],
        "tags": [],
        "forecasts": [forecast(ME, "2024-05-01T10:11:05.950Z", "0.7")],
    } | changes


QUESTIONS = [
    question(
        "q1",
        'Will it rain, "again"?',
        notes="From the radio.",
        tags=[{"name": "weather", "userId": "me"}, {"name": "2024", "userId": "me"}],
        comments=[{"comment": "hm", "user": BOB}],
        forecasts=[
            forecast(ME, "2024-05-01T10:11:05.950Z", "0.7"),
            forecast(BOB, "2024-05-02T00:00:00.000Z", "0"),
            forecast(ME, "2024-05-03T12:00:59.999Z", "0.925"),
        ],
    ),
    question(
        "q2",
        "Which colour?",
        resolution=None,
        resolvedAt=None,
        options=[
            {"id": "o1", "text": "Red", "resolution": "NO", "resolvedAt": "2024-05-09T01:00:00Z"},
            {"id": "o2", "text": "Blue", "resolution": None, "resolvedAt": None},
        ],
        forecasts=[
            forecast(ME, "2024-05-04T00:00:00.500Z", "0.2", optionId="o1"),
            forecast(ME, "2024-05-04T00:00:01.500Z", "0.8", optionId="o2"),
            forecast(BOB, "2024-05-05T00:00:00.000Z", None),  # hidden until I forecast
        ],
    ),
    question("q3", "Mine alone?"),
]
EXPORT = """\
Question title,Multiple choice option,Forecast created by,Forecast (scale = 0-1),\
Forecast created at,Question created by,Question created at,Question resolve by,Resolution,\
Resolved at,Your Brier score for this question,Your relative Brier score for this question,\
Question notes,Question shared with,Question shared publicly,Question comments,Question tags
"Will it rain, ""again""?",,"Alice A.",0.7,2024-05-01 10:11:5,"Alice A.",2024-05-01 10:11:5,\
2024-06-01 00:00:0,"YES",2024-05-20 08:00:9,0.09,-0.02,"From the radio.","",false,"Bob: hm",\
"weather; 2024"
"Will it rain, ""again""?",,"Bob",0,2024-05-02 00:00:0,"Alice A.",2024-05-01 10:11:5,\
2024-06-01 00:00:0,"YES",2024-05-20 08:00:9,0.09,-0.02,"From the radio.","",false,"Bob: hm",\
"weather; 2024"
"Will it rain, ""again""?",,"Alice A.",0.925,2024-05-03 12:00:59,"Alice A.",2024-05-01 10:11:5,\
2024-06-01 00:00:0,"YES",2024-05-20 08:00:9,0.09,-0.02,"From the radio.","",false,"Bob: hm",\
"weather; 2024"
"Which colour?","Red","Alice A.",0.2,2024-05-04 00:00:0,"Alice A.",2024-05-01 10:11:5,\
2024-06-01 00:00:0,"NO",2024-05-09 01:00:0,,,,"",false,"",""
"Which colour?","Blue","Alice A.",0.8,2024-05-04 00:00:1,"Alice A.",2024-05-01 10:11:5,\
2024-06-01 00:00:0,,,,,,"",false,"",""
"Mine alone?",,"Alice A.",0.7,2024-05-01 10:11:5,"Alice A.",2024-05-01 10:11:5,\
2024-06-01 00:00:0,"YES",2024-05-20 08:00:9,0.09,0,,"",false,"",""
"""


def serve(platform: Platform, questions: Sequence[dict[str, Any]]) -> None:
    """Answer as the platform's source says: the oldest first, without a next cursor."""

    def answer(request: Request) -> Reply:
        if request.query.get("apiKey") != TOKEN:
            message = "Could not find a user with that API key. See fatebook.io/api-setup"
            return Reply({"message": message, "code": "UNAUTHORIZED"}, status=401)
        assert (request.path, request.query["sortEarliestFirst"]) == ("getQuestions", "true")
        begin = int(request.query["cursor"])
        return Reply({"items": questions[begin : begin + int(request.query["limit"])]})

    platform.answer = answer


Pulled = Callable[..., PlatformRecord]


@pytest.fixture
def pulled(pull: Pull) -> Pulled:
    def run(questions: Sequence[dict[str, Any]]) -> PlatformRecord:
        serve(pull.platform, questions)
        return pull.read(account)

    return run


def test_a_pull_and_an_export_of_one_account_agree(pulled: Pulled, tmp_path: Path) -> None:
    (tmp_path / "export.csv").write_text(EXPORT)
    with opened(tmp_path / "export.csv") as source:
        export = fatebook.read(source, CHOICES)
    record = pulled(QUESTIONS)
    for name in ("questions", "forecasts", "members"):
        pd.testing.assert_frame_equal(getattr(record.frames, name), getattr(export.frames, name))
    assert record.origins["question_id"].tolist() == export.origins["question_id"].tolist()
    assert record.frames.forecasts["forecaster"].tolist() == ["alice", "Bob", *["alice"] * 4]
    assert record.origins["platform_id"].tolist() == ["q1", "q2-o1", "q2-o2", "q3"]
    assert record.origins["url"].tolist()[1:] == [
        f"https://fatebook.io/q/{one}" for one in ("q2", "q2", "q3")
    ]
    left_out = [(one.value, one.reason) for one in record.left_out]
    assert left_out == [("1 comment", "comments are not fetched")]
    assert not any("file" in note for note in notes_of(record))
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 2
    for path in files:  # neither the key nor an address with it is kept
        assert TOKEN not in path.name
        assert TOKEN.encode() not in path.read_bytes()
        assert b"apiKey" not in path.read_bytes()


@pytest.mark.parametrize(
    "shared",
    [
        {"sharedWith": [ME, BOB]},
        {"sharedWithLists": [{"authorId": "bob", "users": [{"id": "me"}], "emailDomains": []}]},
        {"sharedWithLists": [{"authorId": "bob", "users": [], "emailDomains": ["x.org"]}]},
    ],
)
def test_a_shared_question_belongs_to_the_account(pulled: Pulled, shared: dict[str, Any]) -> None:
    forecasts = [forecast(BOB, "2024-05-02T00:00:00.000Z", "0.1")]
    theirs = question("q2", "Bob's?", userId="bob", user=BOB, forecasts=forecasts, **shared)
    mine = question("q1", "Mine?")
    made = pulled([mine, theirs]).frames.forecasts
    assert made["forecaster"].tolist() == ["alice", "Bob"]


def test_an_account_that_cannot_be_told_keeps_its_name(pulled: Pulled) -> None:
    record = pulled([question("q1", "Ours?", forecasts=QUESTIONS[0]["forecasts"][:2])])
    assert record.frames.forecasts["forecaster"].tolist() == ["Alice A.", "Bob"]
    assert any(note.startswith("Fatebook does not say which") for note in notes_of(record))


def test_an_account_without_questions_is_empty(pulled: Pulled) -> None:
    frames = pulled([]).frames
    assert len(frames.questions) == len(frames.forecasts) == 0


def test_a_namesake_of_the_owner_is_someone_else(pulled: Pulled) -> None:
    theirs = forecast({"id": "other", "name": "alice"}, "2024-05-04T00:00:00.000Z", "0.1")
    both = QUESTIONS[0] | {"forecasts": [*QUESTIONS[0]["forecasts"], theirs]}
    made = pulled([both, *QUESTIONS[1:]]).frames.forecasts
    assert set(made["forecaster"]) == {"alice", "Bob", "alice (Fatebook)"}


def test_questions_come_page_by_page(pull: Pull, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account, "PAGE", 3)
    serve(pull.platform, [question(f"q{number}", f"Will {number}?") for number in range(8)])
    pull.fetch(account)
    assert list(pull.kept.items("questions")) == [f"q{number}" for number in range(8)]
    assert [one.query["cursor"] for one in pull.platform.asked] == ["0", "2", "4", "6", "7"]


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "A \x00 in it"},
        {"title": "Half a \ud83d pair"},
        {"createdAt": "soon"},
        {"resolution": "MAYBE"},
        {"forecasts": [forecast(ME, "2024-05-01T10:11:05.950Z", "7")]},
        {"forecasts": [forecast(ME, "2024-05-01T10:11:05.950Z", "0.7", optionId="gone")]},
    ],
)
def test_unusable_values_are_read_or_refused(pulled: Pulled, changes: dict[str, Any]) -> None:
    with suppress(BadInput):
        record = pulled([question("q1", "Will it?") | changes])
        assert len(record.frames.questions) <= 1


def test_one_forecasters_part_keeps_its_places(pulled: Pulled) -> None:
    record = pulled(QUESTIONS)
    part = own(record, "Bob")
    assert part.frames.forecasts["probability"].tolist() == [0.0]
    assert part.frames.questions["title"].tolist() == ['Will it rain, "again"?']
    id_ = part.frames.questions["question_id"][0]
    assert part.frames.place("forecasts", 0) == f"forecasts, {id_}"
    assert part.origins["question_id"].tolist() == part.frames.questions["question_id"].tolist()
    assert [one.value for one in part.left_out[-2:]] == ["5 forecasts", "3 questions"]
