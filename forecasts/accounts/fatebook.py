"""The forecasts of a Fatebook account, from its API.

Facts relied on (the platform's source, ``lib/web/question_router.ts``):

- ``/api/v0/getQuestions`` takes the key as ``apiKey`` in the query, so its addresses are secret.
- It lists the questions that the account created, forecast on or is shared, each with everyone's
  visible forecasts, as its CSV export does. ``cursor`` is the number of questions to skip; the
  answer has ``items`` alone (its ``nextCursor`` is cut off), so the list ends with an empty page.
- ``sortEarliestFirst`` puts new questions last, so that pages do not shift.
- A forecast's ``forecast`` is a decimal as a text; it and its ``user`` are null while hidden. One
  on an option has ``optionId``; options have their own ``resolution`` and ``resolvedAt``.
- Times are ISO 8601 in UTC with milliseconds; the CSV has whole seconds.
- Nothing says whose the key is. Tags are sent to their owner alone; without any, the account is
  the one person who created, forecast on or is shared every question.
- There is no list of changes since a time, so every pull reads all.

The questions become the rows of the platform's CSV, which its reader reads: a pull and an export of
one account agree. Ids and addresses, which the CSV lacks, are added.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import pandas as pd
from pydantic import AfterValidator

from forecasts.accounts.client import Client, Known, Shape, Site
from forecasts.accounts.kept import Kept, read_rows
from forecasts.accounts.paging import Items, by_offset
from forecasts.common.errors import Remedy, in_words
from forecasts.common.text import count
from forecasts.folder.frames import typed_frame
from forecasts.platforms import fatebook
from forecasts.platforms.handles import apart, hashed_id
from forecasts.platforms.reading import Reading
from forecasts.platforms.record import ORIGIN_COLUMNS, Choices, LeftOut, PlatformRecord

SITE = Site(
    name="fatebook",
    title="Fatebook",
    base="https://fatebook.io/api/v0/",
    token_page="https://fatebook.io/api-setup",  # noqa: S106
    signature=lambda token: ({}, {"apiKey": token}),
    lists_others=True,
)
PAGE = 100


# JSON can hold half of a character's pair, which UTF-8 cannot.
_Text = Annotated[str, AfterValidator(lambda text: text.encode("utf-8", "replace").decode())]
_Object = dict[str, Any]


class _Option(Shape):
    id: str
    text: _Text
    resolution: Any = None
    resolvedAt: Any = None  # noqa: N815 - the API's name


class _Question(Shape):
    id: str
    title: _Text
    createdAt: Any = None  # noqa: N815
    resolveBy: Any = None  # noqa: N815
    resolution: Any = None
    resolvedAt: Any = None  # noqa: N815
    notes: Any = None
    userId: str | None = None  # noqa: N815
    options: list[_Option] | None = None
    forecasts: list[_Object] | None = None
    tags: list[_Object] | None = None
    comments: list[object] | None = None
    sharedWith: list[_Object] | None = None  # noqa: N815
    sharedWithLists: list[_Object] | None = None  # noqa: N815

    def people(self) -> Iterator[str | None]:
        """Yield the ids of those who see it: its author, forecasters and readers."""
        yield self.userId
        yield from (one.get("userId") for one in self.forecasts or ())
        yield from (one.get("id") for one in self.sharedWith or ())
        for one in self.sharedWithLists or ():
            yield one.get("authorId")
            yield from (each["id"] for each in one.get("users") or ())


class _Page(Shape):
    items: list[_Question]


_KEPT = {"id", "title", "createdAt", "resolveBy", "resolution", "resolvedAt", "notes"}


def fetch(client: Client, kept: Kept, _known: Known = tuple) -> None:
    """Fetch every question of the account."""

    def page(cursor: int) -> Items:
        asked = {"limit": PAGE, "cursor": cursor, "sortEarliestFirst": "true"}
        sent = client.get("getQuestions", asked, _Page)
        return [(one.id, _slim(one)) for one in sent.items]

    by_offset(kept, "questions", page, title=SITE.title)


def _slim(question: _Question) -> _Object:
    """Return the fields of a question to keep, and the people who may be the account."""
    lists = question.sharedWithLists or ()
    return question.model_dump(include=_KEPT) | {
        "options": [one.model_dump() for one in question.options or ()],
        "forecasts": [
            {name: one.get(name) for name in ("createdAt", "forecast", "optionId", "userId")}
            | {"name": (one.get("user") or {}).get("name")}
            for one in question.forecasts or ()
        ],
        "tags": [one.get("name") for one in question.tags or ()],
        "tags_of": [one.get("userId") for one in question.tags or ()],
        "people": sorted({one for one in question.people() if one}),
        "by_email_domain": any(one.get("emailDomains") for one in lists),
        "comments": len(question.comments or ()),
    }


def read(kept: Kept, choices: Choices) -> PlatformRecord:
    """Return the fetched record."""
    questions = list(kept.items("questions").values())
    mine = _account(questions)
    rows = [row for question in questions for row in _rows(question, mine, choices.owner)]
    if not rows:
        return Reading("fatebook").record()
    in_utc = replace(choices, zone=ZoneInfo("UTC"))
    record = read_rows(fatebook.read, {"fatebook.csv": rows}, in_utc)
    notes = [one for one in record.notes if not in_words(one).startswith("The file's times")]
    if mine is None:
        notes.append(
            (
                "Fatebook does not say which of the forecasters you are, so each keeps the name "
                "there.",
                Remedy("If one is you, name it: {}", "", account="NAME"),
            )
        )
    commented = [
        LeftOut(one["title"], count(one["comments"], "comment"), "comments are not fetched")
        for one in questions
        if one["comments"]
    ]
    return replace(
        record,
        origins=_origins(record.origins, questions),
        left_out=[*record.left_out, *commented],
        notes=notes,
    )


def _account(questions: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the id of the account; None if it cannot be told."""
    owners = {one for question in questions for one in question["tags_of"] if one}
    if not owners:
        among = [set(one["people"]) for one in questions if not one["by_email_domain"]]
        owners = set.intersection(*among) if among else set()
    return owners.pop() if len(owners) == 1 else None


def _rows(question: Mapping[str, Any], mine: str | None, owner: str) -> Iterator[dict[str, Any]]:
    """Yield a question's visible forecasts as rows of the CSV; the account's by the owner."""
    options = {one["id"]: one for one in question["options"]}
    for forecast in question["forecasts"]:
        if forecast["forecast"] is None:
            continue
        option = options.get(forecast["optionId"], {})
        is_mine = mine is not None and forecast["userId"] == mine
        yield {
            "Question title": question["title"],
            "Multiple choice option": option.get("text"),
            "Forecast created by": owner if is_mine else _name(forecast, mine and owner),
            "Forecast (scale = 0-1)": forecast["forecast"],
            "Forecast created at": _moment(forecast["createdAt"]),
            "Question created at": _moment(question["createdAt"]),
            "Question resolve by": _moment(question["resolveBy"]),
            "Resolution": option.get("resolution") or question["resolution"],
            "Resolved at": _moment(option.get("resolvedAt") or question["resolvedAt"]),
            "Question notes": question["notes"],
            "Question tags": "; ".join(map(str, question["tags"])),
        }


def _name(forecast: Mapping[str, Any], owner: str | None) -> str | None:
    """Return another forecaster's name, changed if it is the owner's."""
    name = forecast["name"]
    return name and apart(name, owner or "", SITE.title)


def _moment(value: Any) -> Any:
    """Return a time as the CSV writes it, in whole seconds; other values as they are."""
    try:
        return f"{datetime.fromisoformat(value).astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    except (TypeError, ValueError):
        return value


def _origins(origins: pd.DataFrame, questions: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return the questions' origins, with the ids and addresses that the CSV lacks."""
    ids = {}
    for question in questions:
        cells = (str(question["title"]), str(_moment(question["createdAt"])))
        ids[hashed_id("fatebook", *cells)] = (question["id"], question["id"])
        for option in question["options"]:
            own = f"{question['id']}-{option['id']}"
            ids[hashed_id("fatebook", *cells, option["text"])] = (own, question["id"])
    found = [ids.get(one, ("", "")) for one in origins["question_id"]]
    columns = {
        "platform_id": [own for own, _ in found],
        "url": [f"https://fatebook.io/q/{page}" if page else "" for _, page in found],
    }
    return typed_frame(origins.assign(**columns), ORIGIN_COLUMNS)
