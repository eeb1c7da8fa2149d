"""PredictionBook: the JSON of ``/api/my_predictions``, one file a page.

A response is a probability in percent, a comment, or both; the comment of a probability is its
rationale. ``mean_confidence`` is nobody's forecast. The site's CSV has no responses, hence no
probabilities.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from forecasts.common.errors import BadInput
from forecasts.platforms.reading import REQUIRED, Entry, Field, Reading
from forecasts.platforms.record import Choices, PlatformRecord
from forecasts.platforms.source import Source

_ADDRESS = "https://predictionbook.com/predictions/"
CSV = ("description_with_group", "mean_confidence", "last_judgement_at")
_PREDICTION = {
    # In a group the description is only the end of the sentence.
    "title": Field("description_with_group"),
    "open_time": Field("created_at", "time", REQUIRED),
    "due": Field("deadline", "time", REQUIRED),
}
_RESPONSE = {
    "made_at": Field("created_at", "time", REQUIRED),
    "probability": Field("confidence", "number", {"low": 0, "high": 100}),
    "rationale": Field("comment"),
}
_ID = re.compile("[0-9]{1,18}")
_MOST = 1_000_000  # predictions of a page, and responses of a prediction
_AFTER_UPDATE = timedelta(hours=24)


def read(source: Source, choices: Choices) -> PlatformRecord:
    """Return the predictions of all pages with everyone's probabilities.

    BadInput for the CSV, which has none.
    """
    if not source.json_files:
        raise BadInput(
            f"{source.name} has no probabilities: PredictionBook's CSV leaves them out.",
            remedy="Save the JSON of https://predictionbook.com/api/my_predictions, all pages of "
            "it, and import the files together.",
        )
    reading = Reading("predictionbook")
    predictions, user = _predictions(source, reading)
    reading.require_sound(source.name)
    labels: dict[str, str] = {}
    estimated = 0
    for id_, one in predictions.items():
        question, is_estimated = _question(id_, one)
        estimated += is_estimated
        reading.question(one.place, question)
        for response in one.entries("responses", _MOST):
            if response.fields.get("confidence") is None:
                reason = "a comment without a probability"
                reading.leave_out(response.place, response.text("comment"), reason)
                continue
            by = response.text("user_id")
            label = response.name("user_label", required=by != user)
            labels[by or label] = label  # the last in the files, if it was changed
            made = response.cells(_RESPONSE)
            made["probability"] /= 100
            who = {"question_id": question["question_id"], "forecaster": by or label}
            reading.forecast(response.place, made | who)
    reading.require_sound(source.name)
    reading.name_forecasters(labels, "PredictionBook", choices.owner, mine=user)
    if estimated:
        reading.note(
            f"{estimated:,} of the judgements have no time in the file; each counts as made 24 "
            "hours after the prediction was last updated, or at its deadline if that is later."
        )
    reading.close_when_due(ZoneInfo("UTC"))
    return reading.record(account=labels.get(user, ""))


def _predictions(source: Source, reading: Reading) -> tuple[dict[str, Entry], str]:
    """Return the newest state of each prediction by its id, and the id of the account's user."""
    found: dict[str, Entry] = {}
    users = set()
    for page in reading.entries(source):
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


def _question(id_: str, one: Entry) -> tuple[dict[str, Any], bool]:
    """Return the cells of a question, and whether the time of its judgement is a guess."""
    cells = one.cells(_PREDICTION)
    group = one.text("prediction_group_id")
    came_true = one.flag("outcome")
    resolution, judged, is_estimated = "", None, False
    if one.fields.get("outcome") is not None:
        resolution, judged = "yes" if came_true else "no", one.time("last_judgement_at")
        if judged is None and (updated := one.time("updated_at", required=True)) and cells["due"]:
            judged, is_estimated = max(updated + _AFTER_UPDATE, cells["due"]), True
    return cells | {
        "question_id": f"predictionbook-{id_}",
        "url": f"{_ADDRESS}{id_}",
        "title": cells["title"] or one.text("description", required=True),
        "type": "binary",
        "resolved": judged,
        "resolved_at": judged,
        "resolution": "annulled" if one.flag("withdrawn") else resolution,
        "family": f"predictionbook-group-{group}" if group else "",
    }, is_estimated
