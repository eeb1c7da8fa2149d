"""Sample contents for an empty ledger: questions from articles, or a simulated tournament.

Both are imports: they are recorded now, by the member who asks for them, and importing them again
changes nothing. The demonstration, in contrast, is a ledger of its own.
"""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
from sqlmodel import Session

from forecasts.articles import library
from forecasts.articles.capture import capture
from forecasts.common.times import read_time
from forecasts.exchange.import_ import Imported, import_frames
from forecasts.exchange.import_questions import Progress
from forecasts.exchange.samples.demonstration import CAPTURED_AT, data_folder, table_of
from forecasts.ledger.models import Member
from forecasts.scores.frames import ARTICLE_COLUMNS, QUESTION_COLUMNS, complete, typed_frame
from scoring.simulation import simulate
from scoring.tournament import Tournament


def article_questions(
    session: Session,
    *,
    member: Member,
    now: datetime,
    on_progress: Progress = lambda _step, _share: None,
) -> Imported:
    """Return the counts of new rows: three articles and their questions, which are written.

    Questions with a known outcome are resolved, with its source.
    """
    on_progress("Reading the articles", 0.0)
    articles = [
        library.as_row(one, captured_at=CAPTURED_AT)
        for one in capture(str(data_folder() / "articles.txt"), captured_at=CAPTURED_AT)
    ]
    address = {article.title: article.address for article in articles}
    known = outcomes(now)
    questions = [
        item
        | {"question_id": item["slug"], "article_url": address[item["article"]]}
        | known.get(item["slug"], {})
        for item in table_of("questions.toml")["questions"]
    ]
    sources = [vars(article) | {"url": article.address} for article in articles]
    frames = replace(
        complete(pd.DataFrame(), pd.DataFrame()),
        questions=_table(questions, QUESTION_COLUMNS),
        articles=_table(sources, ARTICLE_COLUMNS),
    )
    return import_frames(session, frames, member=member, now=now, on_progress=on_progress)


def _table(items: list[dict[str, Any]], kinds: dict[str, str]) -> pd.DataFrame:
    """Return the items as a table of a ledger folder, blank where they have no value."""
    blank = {"text": "", "flag": False}
    return typed_frame(
        {
            name: [item.get(name) or blank.get(kind) for item in items]
            for name, kind in kinds.items()
        },
        kinds,
    )


def outcomes(now: datetime) -> dict[str, dict[str, Any]]:
    """Return the cells of each outcome known by ``now``, by the question's slug."""
    with (data_folder() / "outcomes.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        row["question"]: {
            "resolution": row["outcome"],
            "known_at": known,
            "resolution_source": row["source"],
            "resolution_note": row["note"],
        }
        for row in rows
        if (known := read_time(row["known_at"])) <= now
    }


def sample_tournament(
    session: Session,
    *,
    member: Member,
    now: datetime,
    on_progress: Progress = lambda _step, _share: None,
) -> Imported:
    """Return the counts of new rows: a simulated tournament of three teams, which is written.

    Every title, team and handle says that it is simulated. The last question closed yesterday.
    """
    on_progress("Simulating the forecasters", 0.0)
    settings = Tournament.from_mapping(table_of("tournament.toml"))
    day = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    shift = day - settings.last_close
    made = simulate(replace(settings, first_open=settings.first_open + shift, last_close=day))
    frames = complete(made.questions, made.forecasts, made.teams)
    return import_frames(session, frames, member=member, now=now, on_progress=on_progress)
