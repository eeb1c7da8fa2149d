"""What an empty ledger can begin with, of what comes with the product.

Both are imports, so they are recorded as of now, by whom it is who asks for them, and the same
twice changes nothing. The demonstration is another thing: a ledger of its own.
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
from forecasts.exchange.import_ import Imported, Tell, import_frames
from forecasts.exchange.samples.demonstration import CAPTURED_AT, data_folder, table_of
from forecasts.ledger.models import Member
from forecasts.scores.frames import ARTICLE_COLUMNS, QUESTION_COLUMNS, complete, typed_frame


def article_questions(
    session: Session,
    *,
    member: Member,
    now: datetime,
    tell: Tell = lambda _words, _share: None,
) -> Imported:
    """Return what was new: three articles and the questions drawn from them, which are written.

    Those whose outcome was known by now are resolved, with where it was reported.
    """
    tell("Reading the articles", 0.0)
    articles = [
        library.row_of(one, captured_at=CAPTURED_AT)
        for one in capture(str(data_folder() / "articles.txt"), captured_at=CAPTURED_AT)
    ]
    address = {article.title: article.address for article in articles}
    known = outcomes(now)
    asked = [
        item
        | {"question_id": item["slug"], "article_url": address[item["article"]]}
        | known.get(item["slug"], {})
        for item in table_of("questions.toml")["questions"]
    ]
    told = [vars(article) | {"url": article.address} for article in articles]
    nothing = complete(pd.DataFrame(), pd.DataFrame())
    frames = replace(
        nothing, questions=_table(asked, QUESTION_COLUMNS), articles=_table(told, ARTICLE_COLUMNS)
    )
    return import_frames(session, frames, member=member, now=now, tell=tell)


def _table(items: list[dict[str, Any]], kinds: dict[str, str]) -> pd.DataFrame:
    """Return the items as a table of a ledger folder; what they do not say is blank."""
    blank = {"text": "", "flag": False}
    return typed_frame(
        {
            name: [item.get(name) or blank.get(kind) for item in items]
            for name, kind in kinds.items()
        },
        kinds,
    )


def outcomes(now: datetime) -> dict[str, dict[str, Any]]:
    """Return by slug the cells of each outcome that was known by then."""
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
    tell: Tell = lambda _words, _share: None,
) -> Imported:
    """Return what was new: a simulated tournament of three teams, all closed, which is written.

    Every title, team and handle says that it is simulated. It ends the day before now.
    """
    from scoring.simulation import simulate
    from scoring.tournament import Tournament

    tell("Simulating the forecasters", 0.0)
    settings = Tournament.from_mapping(table_of("tournament.toml"))
    day = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    later = day - settings.last_close
    moved = replace(settings, first_open=settings.first_open + later, last_close=day)
    made = simulate(moved)
    frames = complete(made.questions, made.forecasts, made.teams)
    return import_frames(session, frames, member=member, now=now, tell=tell)
