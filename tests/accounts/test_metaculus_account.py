"""A Metaculus account from its API, and the same account from its export."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from forecasts.accounts import metaculus as account
from forecasts.common.errors import BadInput, CaptureError
from forecasts.platforms import metaculus
from forecasts.platforms.record import Choices, PlatformRecord
from forecasts.platforms.source import opened
from tests.accounts.conftest import TOKEN, Platform, Pull, Reply, Request
from tests.platforms import metaculus_files as files

pytestmark = pytest.mark.slow

CHOICES = Choices("alice", now=datetime(2026, 3, 1, tzinfo=UTC))
CDF = [round(0.01 + 0.98 * step / 200, 10) for step in range(201)]


def epoch(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def question(number: int, **changes: Any) -> dict[str, Any]:
    """A binary question with two forecasts, as the API sends it."""
    return {
        "id": number,
        "title": f"Will it rain on day {number}?",
        "type": "binary",
        "label": "",
        "status": "resolved",
        "resolution": "yes",
        "options": None,
        "all_options_ever": None,
        "options_history": None,
        "open_time": "2025-01-01T00:00:00Z",
        "cp_reveal_time": "2025-01-02T00:00:00Z",
        "scheduled_close_time": "2025-03-01T00:00:00Z",
        "actual_close_time": "2025-02-01T10:30:00.5Z",
        "actual_resolve_time": "2025-02-01T10:30:00.5Z",
        "scheduled_resolve_time": "2025-04-01T00:00:00Z",
        "description": "It rains a lot.",
        "resolution_criteria": "Resolves yes if it rains.",
        "fine_print": "Drizzle counts.",
        "scaling": {"range_min": None, "range_max": None, "zero_point": None},
        "my_forecasts": {
            "history": [
                forecast("2025-01-03 04:05:06.123456+00:00", "2025-01-10 00:00:00+00:00", 0.3),
                forecast("2025-01-10 00:00:00+00:00", None, 0.85),
            ],
            "score_data": {"peer_score": 12.5, "coverage": 0.75, "baseline_score": 40.25},
        },
    } | changes


def forecast(start: str, end: str | None, p: float | list[Any]) -> dict[str, Any]:
    values = p if isinstance(p, list) else [1 - p, p]
    ends = None if end is None else epoch(end)
    return {"start_time": epoch(start), "end_time": ends, "forecast_values": values}


def post(number: int, **parts: Any) -> dict[str, Any]:
    return {
        "id": number,
        "short_title": "Rain in March",
        "published_at": "2025-01-01T00:00:00Z",
        "projects": {
            "default_project": {"id": 144, "name": "Metaculus Community"},
            "category": [{"name": "Weather", "slug": "weather"}],
        },
        **parts,
    }


OPTIONS = ["Red", "Blue", "Other"]
MULTIPLE = question(
    50,
    title="Which?",
    type="multiple_choice",
    options=OPTIONS,
    all_options_ever=OPTIONS,
    options_history=[
        ["0001-01-01T00:00:00", ["Red", "Other"]],
        ["2025-01-05T00:00:00", OPTIONS],
    ],
    resolution="Red",
    my_forecasts={
        "history": [
            forecast("2025-01-02 00:00:00+00:00", "2025-01-06 00:00:00+00:00", [0.6, None, 0.4]),
            forecast("2025-01-06 00:00:00+00:00", None, [0.5, 0.3, 0.2]),
        ]
    },
)


def open_one(number: int, title: str, type_: str, bounds: list[float], cdf: Any) -> dict[str, Any]:
    """An open question with bounds and a forecast."""
    ends = {"actual_close_time": "2025-03-01T00:00:00Z", "actual_resolve_time": None}
    scaling = {"range_min": bounds[0], "range_max": bounds[1], "zero_point": None}
    mine = {"history": [forecast("2025-01-02 00:00:00+00:00", None, cdf)]}
    given = {"title": title, "type": type_, "scaling": scaling, "my_forecasts": mine}
    return question(number, status="open", resolution=None, **ends, **given)


NUMERIC = open_one(60, "How much?", "numeric", [0.0, 100.0], CDF)
YEARS = [epoch(f"{year}-01-01 00:00:00+00:00") for year in (2025, 2027)]
DATE = open_one(61, "When?", "date", YEARS, [0.0, *CDF[1:]])
EMPTY = question(71, title="Not mine", my_forecasts={"history": [], "score_data": {}})
MONTHS, IF_SO = (question(70, label="March"), question(72, label="April")), question(80)
POSTS = [
    post(1001, question=question(41)),
    post(1002, question=MULTIPLE),
    post(1003, question=NUMERIC),
    post(1004, question=DATE),
    post(1005, group_of_questions={"questions": [*MONTHS, EMPTY]}),
    post(1007, question=MULTIPLE),  # in two posts, and comes once
    post(
        1006, conditional={"condition": question(41), "question_yes": IF_SO, "question_no": EMPTY}
    ),
]


def serve(platform: Platform, posts: Sequence[dict[str, Any]]) -> None:
    """Answer as the API's documentation says: at most 100 posts a page, and always a ``next``."""

    def answer(request: Request) -> Reply:
        if request.headers.get("authorization") != f"Token {TOKEN}":
            return Reply({"detail": "Invalid token."}, status=403)
        if request.path == "users/me/":
            return Reply({"id": 7, "username": "Rainer", "is_bot": False, "email": "r@x.org"})
        assert request.path == "posts/"
        assert (request.query["forecaster_id"], request.query["with_cp"]) == ("7", "true")
        begin, size = int(request.query["offset"]), min(int(request.query["limit"]), 100)
        there = f"https://elsewhere.example/api/posts/?offset={begin + size}"
        return Reply({"next": there, "previous": None, "results": posts[begin : begin + size]})

    platform.answer = answer


@pytest.fixture
def pulled(pull: Pull) -> PlatformRecord:
    serve(pull.platform, POSTS)
    return pull.read(account)


def exported(folder: Path) -> PlatformRecord:
    """Read the platform's export of the same account, written by hand from its description."""
    times = {
        "Open Time": "2025-01-01 00:00:00+00:00",
        "CP Reveal Time": "2025-01-02 00:00:00+00:00",
        "Scheduled Close Time": "2025-03-01 00:00:00+00:00",
    }
    ended = dict.fromkeys(
        ("Actual Close Time", "Resolution Known Time"), "2025-02-01 10:30:00.500000+00:00"
    )
    days = [pd.Timestamp("2025-01-01") + day * pd.Timedelta("3.65D") for day in range(201)]
    dates = {
        "Question Title": "When?",
        "Question Type": "date",
        "Lower Bound": "2025-01-01",
        "Upper Bound": "2027-01-01",
        "Continuous Range": str([f"{day:%Y-%m-%d}" for day in days]),
    }
    asked = [
        files.question(41, **{"Post ID": 1001, "Resolution": "yes"} | times | ended),
        files.question(61, **{"Post ID": 1004} | times | dates),
    ]
    end = {"End Time": "2025-01-10 00:00:00+00:00"}
    made = [
        files.forecast(
            number, at=at, **cells | {"Forecaster ID": 7, "Forecaster Username": "Rainer"}
        )
        for number, at, cells in (
            (41, "2025-01-03 04:05:06.123456", {"Probability Yes": 0.3} | end),
            (41, "2025-01-10 00:00:00", {"Probability Yes": 0.85}),
            (61, "2025-01-02 00:00:00", {"Continuous CDF": str([0.0, *CDF[1:]])}),
        )
    ]
    scores = "Question ID,User ID,User Username,Score Type,Score,Coverage\n"
    scores += "41,7,Rainer,peer,12.5,0.75\n41,7,Rainer,baseline,40.25,\n"
    with opened(files.export(folder, asked, made, score_data=scores)) as source:
        return metaculus.read(source, CHOICES)


def of(frame: pd.DataFrame, *ids: str) -> pd.DataFrame:
    """Return the rows of these questions, with names as texts rather than categories."""
    names = {name: str for name in ("question_id", "forecaster") if name in frame}
    return frame[frame["question_id"].isin(ids)].astype(names).reset_index(drop=True)


def test_a_pull_has_the_fields_that_exports_lack(pulled: PlatformRecord) -> None:
    frames = pulled.frames
    ids = [f"metaculus-{number}" for number in (41, 50, 60, 61, 70, 72, 80)]
    assert frames.questions["question_id"].tolist() == ids
    assert set(frames.forecasts["forecaster"]) == {"alice"}
    assert frames.questions["family"].tolist()[4] == frames.questions["family"][5]
    first = frames.questions.iloc[0]
    assert (first["background"], first["fine_print"]) == ("It rains a lot.", "Drizzle counts.")
    assert first["resolution_criteria"] == "Resolves yes if it rains."
    assert first["scheduled_resolve_time"] == pd.Timestamp("2025-04-01", tz="UTC")
    assert pulled.origins["url"][0] == "https://www.metaculus.com/questions/1001/"
    numeric = of(frames.questions, "metaculus-60").iloc[0]
    assert pd.isna(numeric["actual_close_time"])
    assert numeric["scheduled_close_time"] == pd.Timestamp("2025-03-01", tz="UTC")
    vectors = of(frames.forecasts, "metaculus-50")["probabilities"].tolist()
    assert vectors == [[0.6, None, 0.4], [0.5, 0.3, 0.2]]
    # A place names the question, since the files are gone.
    assert frames.place("questions", 1) == "questions, metaculus-50"
    assert frames.place("forecasts", 0) == "forecasts, metaculus-41"


def test_a_pull_and_an_export_of_one_account_agree(pulled: PlatformRecord, tmp_path: Path) -> None:
    (tmp_path / "export").mkdir()
    export = exported(tmp_path / "export")
    both = ["metaculus-41", "metaculus-61"]
    more = ["background", "resolution_criteria", "fine_print", "scheduled_resolve_time"]
    pd.testing.assert_frame_equal(
        of(pulled.frames.questions, *both).drop(columns=more),
        of(export.frames.questions, *both).drop(columns=more),
    )
    pd.testing.assert_frame_equal(
        of(pulled.frames.forecasts, *both), of(export.frames.forecasts, *both)
    )
    pd.testing.assert_frame_equal(of(pulled.origins, *both), of(export.origins, *both))
    pd.testing.assert_frame_equal(of(pulled.printed, both[0]), of(export.printed, both[0]))


def test_a_pull_that_was_stopped_goes_on_where_it_was(pull: Pull) -> None:
    serve(pull.platform, [post(number, question=question(number)) for number in range(1, 50)])
    whole = pull.platform.answer
    pull.platform.answer = lambda asked: (
        Reply({}, status=403) if asked.query.get("offset") == "38" else whole(asked)
    )
    with pytest.raises(CaptureError):
        pull.fetch(account)
    asked = len(pull.platform.asked)
    pull.platform.answer = whole
    pull.fetch(account)
    assert [one.query.get("offset") for one in pull.platform.asked[asked:]] == ["38", "48"]
    assert len(pull.kept.items("posts")) == 49


def test_an_answer_of_another_shape_is_named(pull: Pull) -> None:
    for answers in (
        ({"detail": "who?"}, {}),
        ({"id": 7}, []),
        ({"id": 7}, {"results": {"1": {}}}),
        ({"id": 7}, {"results": [{"title": "no id"}]}),
        ({"id": 7}, {"results": [{"id": 1, "projects": "none"}]}),
        ({"id": 7}, {"results": [{"id": 1, "question": {"my_forecasts": {"history": 3}}}]}),
    ):
        pull.platform.answer = lambda asked, of=answers: Reply(of[asked.path != "users/me/"])
        with pytest.raises(CaptureError, match=r"Metaculus sent .*newer version"):
            pull.fetch(account)


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "A \x00 in it"},
        {"title": "Half a \ud83d pair"},
        {"open_time": "soon"},
        {"type": "numeric", "scaling": {"range_min": 0, "range_max": 1e308, "zero_point": -1e-300}},
        {"type": "date", "scaling": {"range_min": 1e18, "range_max": 1e19, "zero_point": None}},
        {"type": "binary", "my_forecasts": {"history": [forecast("2025-01-02", None, [9.0])]}},
        {"my_forecasts": {"history": [{"start_time": 1e300, "forecast_values": [0.5, 0.5]}]}},
    ],
)
def test_unusable_values_are_read_or_refused(pull: Pull, changes: dict[str, Any]) -> None:
    serve(pull.platform, [post(1, question=question(41, **changes))])
    pull.fetch(account)
    with suppress(BadInput):
        assert len(account.read(pull.kept, CHOICES).frames.questions) <= 1
