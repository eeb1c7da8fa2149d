"""PredictionBook: the JSON of ``/api/my_predictions``, one file a page.

A response is a probability in percent, a comment, or both; the comment of a probability is its
rationale. ``mean_confidence`` is nobody's forecast. The site's CSV has no responses, hence no
probabilities.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from forecasts.common.errors import BadInput, Problem
from forecasts.folder.cells import BadCell
from forecasts.folder.frames import TIME_DTYPE
from forecasts.platforms.columns import account_handles, apart, window_note, windows
from forecasts.platforms.entries import Entry, json_files, require_sound, starts_with
from forecasts.platforms.record import (
    ORIGIN_COLUMNS,
    PRINTED_COLUMNS,
    Choices,
    LeftOut,
    PlatformRecord,
    frame_of,
    frames_of,
)
from forecasts.platforms.source import Source

_ADDRESS = "https://predictionbook.com/predictions/"
_FIELDS = ("predictions", "description_with_group")
_CSV = {"description_with_group", "mean_confidence", "last_judgement_at"}
_TIMES = ("asked", "due", "judged")
_OUTCOMES = {True: "yes", False: "no", None: ""}
_ID = re.compile("[0-9]{1,18}")
_MOST = 1_000_000  # predictions of a page, and responses of a prediction
_AFTER_UPDATE = timedelta(hours=24)


def recognises(source: Source) -> bool:
    """Return whether a file is of the API, or the site's CSV, which ``read`` refuses."""
    return starts_with(source, _FIELDS) or _csv(source) is not None


def _csv(source: Source) -> str | None:
    return next((name for name, header in source.headers.items() if set(header) >= _CSV), None)


def read(source: Source, choices: Choices) -> PlatformRecord:
    """Return the predictions of all pages with everyone's probabilities.

    BadInput for the CSV, which has none.
    """
    if not json_files(source):
        raise BadInput(
            f"{_csv(source) or source.name} has no probabilities: PredictionBook's CSV leaves them "
            "out.",
            remedy="Save the JSON of https://predictionbook.com/api/my_predictions, all pages of "
            "it, and import the files together.",
        )
    problems: list[Problem] = []
    predictions, user = _predictions(source, problems)
    require_sound(source, problems)
    questions = [_question(id_, one) for id_, one in predictions.items()]
    left_out: list[LeftOut] = []
    forecasts = []
    labels: dict[str, str] = {}
    notes: list[str] = []
    for id_, one in predictions.items():
        for response in one.entries("responses", _MOST):
            if response.fields.get("confidence") is None:
                reason = "a comment without a probability"
                left_out.append(LeftOut(response.place, response.text("comment"), reason))
            else:
                by = response.text("user_id")
                label = response.name("user_label", required=by != user)
                labels[by or label] = label  # the last in the files, if it was changed
                forecasts.append(_forecast(id_, response, by or label))
    require_sound(source, problems)
    handles = _handles(labels, user, choices.owner, notes)
    for made in forecasts:
        made["forecaster"] = handles[made["forecaster"]]
    opened, due, resolved = (
        pd.Series([one.pop(name) for one in questions], dtype=TIME_DTYPE) for name in _TIMES
    )
    window, unusable = windows(opened, due, resolved, ZoneInfo("UTC"))
    places = {
        "questions": [one.pop("place") for one in questions],
        "forecasts": [one.pop("place") for one in forecasts],
    }
    estimated = sum(one.pop("is_estimated") for one in questions)
    columns = _columns(questions)
    return PlatformRecord(
        platform="predictionbook",
        frames=frames_of(
            columns | window | {"resolved_at": resolved},
            _columns(forecasts),
            place=lambda table, row: str(places[table][row]),
        ),
        origins=frame_of(
            ORIGIN_COLUMNS,
            {
                "question_id": columns.get("question_id", []),
                "platform_id": list(predictions),
                "url": [f"{_ADDRESS}{id_}" for id_ in predictions],
            },
        ),
        printed=frame_of(PRINTED_COLUMNS, {}),
        left_out=left_out,
        notes=[*notes, *_notes(estimated, unusable)],
        account=labels.get(user, ""),
    )


def _predictions(source: Source, problems: list[Problem]) -> tuple[dict[str, Entry], str]:
    """Return the newest state of each prediction by its id, and the id of the account's user."""
    found: dict[str, Entry] = {}
    users = set()
    for page in _pages(source, problems):
        users.add(page.entry("user").text("user_id", required=True))
        for one in page.entries("predictions", _MOST):
            id_ = one.text("id", required=True)
            if not _ID.fullmatch(id_):
                one.wrong("id", "a number")
            # A prediction can move to another page while the pages are saved.
            if id_ not in found or one.text("updated_at") > found[id_].text("updated_at"):
                found[id_] = one
    if len(users) > 1:
        raise BadInput(
            f"{source.name} holds the pages of {len(users)} accounts.",
            remedy="Import one account at a time.",
        )
    return found, next(iter(users), "")


def _pages(source: Source, problems: list[Problem]) -> Iterator[Entry]:
    for name in json_files(source):
        document = source.json(name)
        pages = document if isinstance(document, list) else [document]
        for number, page in enumerate(pages, 1):
            place = f"{name}, page {number}" if len(pages) > 1 else name
            if not isinstance(page, dict) or not isinstance(page.get("predictions"), list):
                rule = 'an object with "user" and "predictions"'
                problems.append(BadCell(place, type(page).__name__, rule))
                continue
            yield Entry(place, page, problems)


def _question(id_: str, one: Entry) -> dict[str, Any]:
    asked, due = one.time("created_at", required=True), one.time("deadline", required=True)
    came_true = one.flag("outcome")
    outcome = None if one.fields.get("outcome") is None else came_true
    judged, is_estimated = None, False
    if outcome is not None:
        judged = one.time("last_judgement_at")
        if judged is None and (updated := one.time("updated_at", required=True)) and due:
            judged, is_estimated = max(updated + _AFTER_UPDATE, due), True
    resolution = "annulled" if one.flag("withdrawn") else _OUTCOMES[outcome]
    group = one.text("prediction_group_id")
    return {
        "place": one.place,
        "question_id": f"predictionbook-{id_}",
        # In a group the description is only the end of the sentence.
        "title": one.text("description_with_group") or one.text("description", required=True),
        "type": "binary",
        "asked": asked,
        "due": due,
        "judged": judged,
        "is_estimated": is_estimated,
        "resolution": resolution,
        "family": f"predictionbook-group-{group}" if group else "",
    }


def _forecast(id_: str, response: Entry, forecaster: str) -> dict[str, Any]:
    return {
        "place": response.place,
        "question_id": f"predictionbook-{id_}",
        "forecaster": forecaster,
        "made_at": response.time("created_at", required=True),
        "probability": response.number("confidence", low=0, high=100) / 100,
        "rationale": response.text("comment"),
    }


def _handles(labels: Mapping[str, str], user: str, owner: str, notes: list[str]) -> dict[str, str]:
    """Return the handle of each user by id, from the labels: the account's is the owner's."""
    others = {id_: label for id_, label in labels.items() if id_ != user}
    handles = account_handles(others, "PredictionBook", notes)
    return {id_: apart(name, owner, "PredictionBook") for id_, name in handles.items()} | {
        user: owner
    }


def _columns(rows: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in rows[0]} if rows else {}


def _notes(estimated: int, unusable: int) -> Iterator[str]:
    if estimated:
        yield (
            f"{estimated:,} of the judgements have no time in the file; each counts as made 24 "
            "hours after the prediction was last updated, or at its deadline if that is later."
        )
    if note := window_note(unusable):
        yield note
