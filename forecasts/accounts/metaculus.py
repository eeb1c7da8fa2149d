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

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
from pydantic import ConfigDict

from forecasts.accounts.client import Client, Known, Shape, Site
from forecasts.accounts.kept import Kept, read_rows
from forecasts.accounts.paging import Items, account, by_offset
from forecasts.folder.frames import TIME_DTYPE, typed
from forecasts.platforms import metaculus
from forecasts.platforms.reading import Reading
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
    """A question: its further fields are kept as they are, for the reader to check."""

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


# The ledger's columns that the exports leave blank.
_TEXTS = {
    "background": "description",
    "resolution_criteria": "resolution_criteria",
    "fine_print": "fine_print",
}


def fetch(client: Client, kept: Kept, _known: Known = tuple) -> None:
    """Fetch the account and every post that it has forecast on."""
    me = account(client, kept, "users/me/", _Account)

    def page(offset: int) -> Items:
        asked = {
            "forecaster_id": me["id"],
            "with_cp": "true",
            "include_descriptions": "true",
            "order_by": "published_at",
            "limit": PAGE,
            "offset": offset,
        }
        sent = client.get("posts/", asked, _Page).results
        return [(str(one.id), _rows(one, me)) for one in sent]

    by_offset(kept, "posts", page, title=SITE.title)


def _rows(post: _Post, me: _Object) -> list[_Object]:
    """Return the rows of each question of a post that the account has forecast."""
    pair = post.conditional or _Conditional()
    group = (post.group_of_questions or _Group()).questions or ()
    found = []
    for one in (post.question, pair.question_yes, pair.question_no, *group):
        if one is not None and one.my_forecasts is not None and one.my_forecasts.history:
            given = defaultdict(lambda: None, one.model_extra or {})
            found.append(
                {
                    "question": _question_row(post, one, given),
                    "forecasts": list(_forecast_rows(one, given["type"], me)),
                    "scores": list(_score_rows(one, me)),
                    "texts": {ours: given[name] for ours, name in _TEXTS.items()},
                    "resolves": given["scheduled_resolve_time"],
                }
            )
    return found


def read(kept: Kept, choices: Choices) -> PlatformRecord:
    """Return the fetched record."""
    # A question can come twice: in its post, and as a part of another one.
    every = [one for some in kept.items("posts").values() for one in some]
    found = {one["question"]["Question ID"]: one for one in every}
    if not found:
        return Reading("metaculus").record()
    tables = {
        "question_data.csv": [one["question"] for one in found.values()],
        "forecast_data.csv": [row for one in found.values() for row in one["forecasts"]],
        "score_data.csv": [row for one in found.values() for row in one["scores"]],
    }
    record = read_rows(metaculus.read, tables, choices)
    frame = record.frames.questions.copy()
    read_again = [found[int(one.removeprefix("metaculus-"))] for one in frame["question_id"]]
    for column in _TEXTS:
        frame[column] = typed([str(one["texts"][column] or "") for one in read_again], "text")
    resolves = pd.Series([one["resolves"] for one in read_again], dtype=object)
    frame["scheduled_resolve_time"] = pd.to_datetime(resolves, utc=True, errors="coerce").astype(
        TIME_DTYPE
    )
    return replace(record, frames=replace(record.frames, questions=frame))


def _question_row(post: _Post, question: _Question, given: Mapping[str, Any]) -> _Object:
    """Return a question as a row of question_data.csv. Wrong values are left to its reader."""
    scaling, projects = question.scaling or {}, post.projects or _Projects()
    bounds = [scaling.get("range_min"), scaling.get("range_max")]
    is_date = given["type"] == "date"
    is_closed = given["status"] in ("closed", "resolved")
    path = f"{post.id}/{str(post.short_title or '').lower().replace(' ', '-')}"
    return {
        "Question ID": question.id,
        "Question URL": f"https://www.metaculus.com/questions/{path}/",
        "Question Title": given["title"],
        "Post ID": post.id,
        "Post Published Time": _moment(post.published_at),
        "Default Project": (projects.default_project or {}).get("name"),
        "Categories": [one.get("name") for one in projects.category or ()],
        "Label": given["label"],
        "Question Type": given["type"],
        "MC Options (Current)": given["options"],
        "MC Options (All)": given["all_options_ever"],
        "MC Options History": given["options_history"],
        "Lower Bound": _day(bounds[0]) if is_date else bounds[0],
        "Upper Bound": _day(bounds[1]) if is_date else bounds[1],
        "Continuous Range": _range(bounds, scaling.get("zero_point"), is_date=is_date),
        "Open Time": _moment(given["open_time"]),
        "CP Reveal Time": _moment(given["cp_reveal_time"]),
        "Scheduled Close Time": _moment(given["scheduled_close_time"]),
        "Actual Close Time": _moment(given["actual_close_time"]) if is_closed else None,
        "Resolution": given["resolution"],
        "Resolution Known Time": _moment(given["actual_resolve_time"]),
    }


def _forecast_rows(question: _Question, kind: Any, me: _Object) -> Iterator[_Object]:
    """Yield the account's forecasts on a question as rows of forecast_data.csv."""
    mine = question.my_forecasts or _Forecasts()
    for one in mine.history or ():
        values = one.get("forecast_values")
        if kind == "binary":
            p = values[1] if isinstance(values, list) and len(values) == 2 else values
            value = {"Probability Yes": p}
        elif kind == "multiple_choice":
            value = {"Probability Yes Per Category": values}
        else:
            value = {"Continuous CDF": values}
        yield value | {
            "Question ID": question.id,
            "Forecaster ID": me["id"],
            "Forecaster Username": me["username"],
            "Is Bot": me["is_bot"],
            "Start Time": _moment(one.get("start_time")),
            "End Time": _moment(one.get("end_time")),
        }


def _score_rows(question: _Question, me: _Object) -> Iterator[_Object]:
    """Yield the account's scores on a question as rows of score_data.csv."""
    scores = (question.my_forecasts or _Forecasts()).score_data or {}
    for name, score in scores.items():
        if name.endswith("_score") and not name.endswith("_archived_score"):
            kind = name.removesuffix("_score")
            yield {
                "Question ID": question.id,
                "User ID": me["id"],
                "User Username": me["username"],
                "Score Type": kind,
                "Score": score,
                "Coverage": scores.get("coverage") if kind == "peer" else None,
            }


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
