"""Nothing published has an address with a password or a token, and all that is published proves."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
from sqlalchemy import Engine

from forecasts.access.members import member_or_new
from forecasts.ledger import database
from forecasts.publication.proof import record_json
from forecasts.publication.record import WITHHELD, Publication, Unpublished, published
from forecasts.publication.site import site_files
from forecasts.publication.verify import Check
from forecasts.questions import registry
from forecasts.resolution.confirmation import confirm
from forecasts.updates import updates
from forecasts.updates.evidence import CitedEvidence
from forecasts.values.value import Value
from tests.conftest import ask, day
from tests.publication.conftest import act, forecast

pytestmark = pytest.mark.slow

LOGIN, TOKEN = "https://kate:pw1@example.org/a", "https://example.org/b?id=3&api_key=pw2"
SECRET = "an address with a password or a token"


@dataclass
class Published:
    """Kate's record with its files, none of which has a secret, and its data."""

    record: Publication
    files: dict[str, str]
    data: dict[str, list[dict[str, list[dict[str, str]]]]]


def publish(engine: Engine) -> Published:
    with database.reading(engine) as session:
        kate = member_or_new(session, "kate", now=day(12))
        record = published(session, member=kate, now=day(12))
        text = record_json(session, record, {})
    files = {**site_files(record, now=day(12)), "record.json": text}
    assert not [name for name, text in files.items() if "pw1" in text or "pw2" in text]
    assert Check(json.loads(text)).faults == []
    return Published(record, files, json.loads(text))


def test_words_with_a_secret_are_left_out_and_their_question_named(engine: Engine) -> None:
    with act(engine, 0) as (session, kate, _):
        ask(session, kate, slug="rain")
    forecast(engine, "rain", 1, 0.7, f"See {LOGIN}.")
    forecast(engine, "rain", 2, 0.8, f"See {TOKEN}.")
    forecast(engine, "rain", 3, 0.9, "See https://example.org/c?d=e.")
    with act(engine, 11) as (session, kate, now):
        rain = registry.find(session, "rain")
        confirm(session, rain, "yes", member=kate, now=now, known_at=day(10), note=f"By {TOKEN}")
    done = publish(engine)
    [question] = done.record.questions
    words = [question.note, *(one.rationale for one in question.forecasts)]
    assert words == [WITHHELD, WITHHELD, WITHHELD, "See https://example.org/c?d=e."]
    assert done.record.withheld == (
        f"rain: 3 rationales or notes are left out because of {SECRET}.",
    )
    assert done.files["questions/rain.html"].count(WITHHELD) == 3
    opened = done.data["questions"][0]["forecasts"]
    assert ["said" in one for one in opened] == [False, False, True]


def test_a_question_with_a_secret_in_its_evidence_is_left_out(engine: Engine) -> None:
    with act(engine, 0) as (session, kate, _):
        ask(session, kate, slug="worded", resolution_criteria=f"Per {LOGIN}")
        for slug in ("sourced", "rain"):
            ask(session, kate, slug=slug)
    for slug in ("worded", "sourced", "rain"):
        forecast(engine, slug, 1, 0.7)
    with act(engine, 11) as (session, kate, now):
        question = registry.find(session, "sourced")
        confirm(session, question, "yes", member=kate, now=now, known_at=day(10), source=TOKEN)
    done = publish(engine)
    assert [one.state.slug for one in done.record.questions] == ["rain"]
    assert done.record.unpublished == Unpublished(0, 0, forecasts=2, secret=2)
    assert done.record.withheld == (
        f"worded is not published: its wording has {SECRET}.",
        f"sourced is not published: its outcome's source has {SECRET}.",
    )
    assert "2 with a password or a token in an address" in done.files["index.html"]


def test_evidence_is_shown_without_secrets(engine: Engine) -> None:
    with act(engine, 0) as (session, kate, _):
        ask(session, kate, slug="rain")
    cited = CitedEvidence(url=TOKEN, note=f"At {LOGIN}", quote=f"“From {TOKEN}”", title=LOGIN)
    with act(engine, 1) as (session, kate, now):
        rain = registry.find(session, "rain")
        value = Value(probability=0.7)
        updates.update(session, rain, value, member=kate, now=now, evidence=[cited])
    done = publish(engine)
    assert not done.record.withheld
    page = done.files["questions/rain.html"]
    assert "At https://example.org/a" in page
    assert "From https://example.org/b?id=3&amp;api_key=…" in page
    assert "pw2" not in done.record.frames.evidence.to_csv()
