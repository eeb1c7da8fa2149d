"""The forecasts of a Metaculus account, from its API.

Facts relied on (docs/openapi.yml of the platform's source, and the code behind it):

- ``Authorization: Token …``; ``/api/users/me/`` names the account. Requests are throttled (429).
- ``/api/posts/?forecaster_id=…`` lists the posts that the account has forecast on, to itself alone;
  ``limit`` and ``offset`` page it, ``next`` is a full address (not followed: it may lead to another
  host) and is never null, so the list ends with an empty page.
- ``my_forecasts`` is there only ``with_cp=true``; its ``history`` has epoch seconds and
  ``forecast_values``: [no, yes], one number for each of ``all_options_ever`` (null where an option
  did not exist), or the CDF. ``score_data`` names each score ``<type>_score``.
- ``actual_close_time`` of a question that is not closed is the scheduled one.
- There is no list of changes since a time, and outcomes arrive on old posts. So every pull reads
  all.

The posts become the rows of the platform's own CSVs, which the reader of its exports reads: a pull
and an export of one account agree. The fields that only the API has (background,
criteria, fine print, the scheduled resolve time) are added.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
from pydantic import ConfigDict, TypeAdapter

from forecasts.accounts.answers import read_rows
from forecasts.accounts.client import Client, Known, Shape, Site
from forecasts.accounts.kept import Kept
from forecasts.accounts.paging import Items, by_offset
from forecasts.folder.frames import TIME_DTYPE
from forecasts.platforms import metaculus
from forecasts.platforms.record import Choices, PlatformRecord

SITE = Site(
    name="metaculus",
    title="Metaculus",
    base="https://www.metaculus.com/api/",
    token_page="https://www.metaculus.com/accounts/settings/account/#api-access",  # noqa: S106
    signature=lambda token: ({"Authorization": f"Token {token}"}, {}),
)
# The platform's own; a post with many forecasts of a quantity takes a megabyte.
PAGE = 20


_Object = dict[str, Any]


class _Forecasts(Shape):
    history: list[_Object] | None = None
    score_data: _Object | None = None


class _Question(Shape):
    """A question: the fields of ``_FIELDS`` are kept as they are, for the reader to check."""

    model_config = ConfigDict(extra="allow", frozen=True)

    id: int
    scaling: _Object | None = None
    my_forecasts: _Forecasts | None = None


class _Group(Shape):
    questions: list[_Question] | None = None


class _Conditional(Shape):
    question_yes: _Question | None = None
    question_no: _Question | None = None


class _Projects(Shape):
    default_project: _Object | None = None
    category: list[_Object] | None = None


class _Post(Shape):
    id: int
    published_at: Any = None
    short_title: Any = None
    projects: _Projects | None = None
    question: _Question | None = None
    group_of_questions: _Group | None = None
    conditional: _Conditional | None = None


class _Page(Shape):
    results: list[_Post]


class _Account(Shape):
    id: int
    username: str = ""
    is_bot: bool | None = None


_FIELDS = (
    *("title", "type", "label", "status", "resolution"),
    *("options", "all_options_ever", "options_history"),
    *("open_time", "cp_reveal_time", "scheduled_close_time", "actual_close_time"),
    *("actual_resolve_time", "scheduled_resolve_time"),
    *("description", "resolution_criteria", "fine_print"),
)
_BOUNDS = ("range_min", "range_max", "zero_point")
_TIMES = ("start_time", "end_time", "forecast_values")
_PAGES = TypeAdapter(_Page)
_ACCOUNTS = TypeAdapter(_Account)
# The ledger's columns that the exports leave blank.
_TEXTS = {
    "background": "description",
    "resolution_criteria": "resolution_criteria",
    "fine_print": "fine_print",
}
_COLUMNS = {
    "question_data.csv": (
        *("Question ID", "Question URL", "Question Title", "Post ID", "Post Published Time"),
        *("Default Project", "Categories", "Label", "Question Type", "MC Options (Current)"),
        *("MC Options (All)", "MC Options History", "Lower Bound", "Upper Bound"),
        *("Continuous Range", "Open Time", "CP Reveal Time", "Scheduled Close Time"),
        *("Actual Close Time", "Resolution", "Resolution Known Time"),
    ),
    "forecast_data.csv": (
        *("Question ID", "Forecaster ID", "Forecaster Username", "Is Bot", "Start Time"),
        *("End Time", "Probability Yes", "Probability Yes Per Category", "Continuous CDF"),
    ),
    "score_data.csv": (
        *("Question ID", "User ID", "User Username", "Score Type", "Score", "Coverage"),
    ),
}


def fetch(client: Client, kept: Kept, _known: Known = tuple) -> None:
    """Fetch the account and every post that it has forecast on."""
    if not kept.is_complete("account"):
        me = client.get("users/me/", {}, _ACCOUNTS)
        kept.add("account", {"me": me.model_dump()}, None)
    account = kept.items("account")["me"]

    def page(offset: int) -> Items:
        asked = {
            "forecaster_id": account["id"],
            "with_cp": "true",
            "include_descriptions": "true",
            "order_by": "published_at",
            "limit": PAGE,
            "offset": offset,
        }
        return [(str(one.id), _slim(one)) for one in client.get("posts/", asked, _PAGES).results]

    by_offset(kept, "posts", page, title=SITE.title)


def _slim(post: _Post) -> _Object:
    """Return a post with the questions that the account has forecast."""
    projects, pair = post.projects or _Projects(), post.conditional or _Conditional()
    group = (post.group_of_questions or _Group()).questions or ()
    questions = (post.question, pair.question_yes, pair.question_no, *group)
    return post.model_dump(include={"id", "published_at", "short_title"}) | {
        "project": (projects.default_project or {}).get("name"),
        "categories": [one.get("name") for one in projects.category or ()],
        "questions": [
            _slim_question(one)
            for one in questions
            if one is not None and one.my_forecasts is not None and one.my_forecasts.history
        ],
    }


def _slim_question(question: _Question) -> _Object:
    mine = question.my_forecasts or _Forecasts()
    return {
        "id": question.id,
        **_picked(question.model_extra or {}, *_FIELDS),
        "scaling": _picked(question.scaling or {}, *_BOUNDS),
        "my_forecasts": {
            "history": [_picked(one, *_TIMES) for one in mine.history or ()],
            "score_data": mine.score_data,
        },
    }


def _picked(given: Mapping[str, Any], *names: str) -> _Object:
    return {name: given.get(name) for name in names}


def read(kept: Kept, choices: Choices) -> PlatformRecord:
    """Return the fetched record."""
    account = kept.items("account")["me"]
    # A question can come twice: in its post, and as a part of another one.
    posts = list(
        {
            one["id"]: (post, one)
            for post in kept.items("posts").values()
            for one in post["questions"]
        }.values()
    )
    tables = {
        "question_data.csv": [_question_row(*one) for one in posts],
        "forecast_data.csv": [row for _, one in posts for row in _forecast_rows(one, account)],
        "score_data.csv": [row for _, one in posts for row in _score_rows(one, account)],
    }
    record = read_rows(metaculus, tables, choices, _COLUMNS)
    return _with_texts(record, [one for _, one in posts])


def _question_row(post: Mapping[str, Any], question: Mapping[str, Any]) -> dict[str, Any]:
    """Return a question as a row of question_data.csv. Wrong values are left to its reader."""
    scaling = question["scaling"]
    bounds = [scaling["range_min"], scaling["range_max"]]
    is_date = question["type"] == "date"
    is_closed = question["status"] in ("closed", "resolved")
    path = f"{post['id']}/{str(post['short_title'] or '').lower().replace(' ', '-')}"
    return {
        "Question ID": question["id"],
        "Question URL": f"https://www.metaculus.com/questions/{path}/",
        "Question Title": question["title"],
        "Post ID": post["id"],
        "Post Published Time": _moment(post["published_at"]),
        "Default Project": post["project"],
        "Categories": post["categories"],
        "Label": question["label"],
        "Question Type": question["type"],
        "MC Options (Current)": question["options"],
        "MC Options (All)": question["all_options_ever"],
        "MC Options History": question["options_history"],
        "Lower Bound": _day(bounds[0]) if is_date else bounds[0],
        "Upper Bound": _day(bounds[1]) if is_date else bounds[1],
        "Continuous Range": _range(bounds, scaling["zero_point"], is_date=is_date),
        "Open Time": _moment(question["open_time"]),
        "CP Reveal Time": _moment(question["cp_reveal_time"]),
        "Scheduled Close Time": _moment(question["scheduled_close_time"]),
        "Actual Close Time": _moment(question["actual_close_time"]) if is_closed else None,
        "Resolution": question["resolution"],
        "Resolution Known Time": _moment(question["actual_resolve_time"]),
    }


def _forecast_rows(
    question: Mapping[str, Any], account: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Yield the account's forecasts on a question as rows of forecast_data.csv."""
    for one in question["my_forecasts"]["history"]:
        values = one["forecast_values"]
        row = {
            "Question ID": question["id"],
            "Forecaster ID": account["id"],
            "Forecaster Username": account["username"],
            "Is Bot": account["is_bot"],
            "Start Time": _moment(one["start_time"]),
            "End Time": _moment(one["end_time"]),
        }
        if question["type"] == "binary":
            is_pair = isinstance(values, list) and len(values) == 2
            row["Probability Yes"] = values[1] if is_pair else values
        elif question["type"] == "multiple_choice":
            row["Probability Yes Per Category"] = values
        else:
            row["Continuous CDF"] = values
        yield row


def _score_rows(
    question: Mapping[str, Any], account: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Yield the account's scores on a question as rows of score_data.csv."""
    scores = question["my_forecasts"]["score_data"] or {}
    for name, score in scores.items():
        if name.endswith("_score") and not name.endswith("_archived_score"):
            kind = name.removesuffix("_score")
            yield {
                "Question ID": question["id"],
                "User ID": account["id"],
                "User Username": account["username"],
                "Score Type": kind,
                "Score": score,
                "Coverage": scores.get("coverage") if kind == "peer" else None,
            }


def _with_texts(record: PlatformRecord, questions: list[Mapping[str, Any]]) -> PlatformRecord:
    """Return the record with the texts and the time that the exports lack."""
    frame = record.frames.questions.copy()
    by_id = {f"metaculus-{one['id']}": one for one in questions}
    for column, name in _TEXTS.items():
        texts = [str(by_id[one][name] or "") for one in frame["question_id"]]
        frame[column] = pd.Series(texts, index=frame.index, dtype=frame[column].dtype)
    resolves = [by_id[one]["scheduled_resolve_time"] for one in frame["question_id"]]
    frame["scheduled_resolve_time"] = pd.to_datetime(
        pd.Series(resolves, index=frame.index, dtype=object), utc=True, errors="coerce"
    ).astype(TIME_DTYPE)
    return replace(record, frames=replace(record.frames, questions=frame))


def _moment(value: Any) -> Any:
    """Return an ISO time or epoch seconds as the exports write times; other values as they are."""
    try:
        if isinstance(value, str):
            return str(datetime.fromisoformat(value).astimezone(UTC))
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(datetime.fromtimestamp(value, UTC))
    except (ValueError, OverflowError, OSError):
        pass
    return value


def _day(value: Any) -> Any:
    """Return epoch seconds as the exports write the bounds of a date question."""
    moment = _moment(value)
    return moment[:10] if isinstance(moment, str) else moment


def _range(bounds: list[Any], zero: Any, *, is_date: bool) -> list[Any] | None:
    """Return the 201 points of a question's range, as the exports compute them."""
    if not all(isinstance(one, int | float) for one in bounds):
        return None
    low, high = bounds
    shares = (np.arange(201) / 200).tolist()
    try:
        if zero is not None:
            ratio = (high - zero) / (low - zero)
            shares = [(ratio**one - 1) / (ratio - 1) for one in shares]
        points = [low + (high - low) * one for one in shares]
    except (ArithmeticError, TypeError):
        return None
    return [_day(one) for one in points] if is_date else points
