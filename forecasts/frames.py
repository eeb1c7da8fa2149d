"""The ledger as data frames: the one form in which it is scored, reported, imported, exported.

``Frames`` has the files of a ledger folder (``ledger-folder.md``) as frames with the same columns
and parsed values. ``ledger_frames`` reads it from the database, ``exchange.folder.read_folder``
from a folder; whatever takes ``Frames`` therefore gives the same numbers for both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Select
from sqlmodel import Session, col, func, select

from forecasts.models import (
    DIGEST_ADDRESS,
    Article,
    Citation,
    Evidence,
    Forecast,
    Ledger,
    Member,
    Membership,
    Question,
    QuestionRevision,
    QuestionSource,
    Resolution,
    Team,
)
from forecasts.questions import listing, parts

QUESTION_COLUMNS = {
    "question_id": "text",
    "title": "text",
    "type": "text",
    "options": "json",
    "ordered": "flag",
    "lower_bound": "text",
    "upper_bound": "text",
    "unit": "text",
    "open_time": "time",
    "scheduled_close_time": "time",
    "actual_close_time": "time",
    "scheduled_resolve_time": "time",
    "spot_time": "time",
    "resolution": "text",
    "known_at": "time",
    "resolved_at": "time",
    "family": "text",
    "tags": "json",
    "background": "text",
    "resolution_criteria": "text",
    "fine_print": "text",
    "article_url": "text",
    "quote": "text",
    "resolution_note": "text",
    "resolution_source": "text",
}
FORECAST_COLUMNS = {
    "question_id": "text",
    "forecaster": "text",
    "made_at": "time",
    "probability": "number",
    "probabilities": "json",
    "quantiles": "json",
    "rationale": "text",
    "evidence": "json",
}
TEAM_COLUMNS = {"team": "text", "forecaster": "text", "joined_at": "time", "left_at": "time"}
EVIDENCE_COLUMNS = {
    "evidence_id": "text",
    "kind": "text",
    "title": "text",
    "url": "text",
    "publisher": "text",
    "published_at": "time",
    "quote": "text",
    "note": "text",
}
ARTICLE_COLUMNS = {
    "url": "text",
    "title": "text",
    "publisher": "text",
    "author": "text",
    "published_at": "time",
    "captured_at": "time",
    "text": "text",
}
FRAME_COLUMNS = {
    "questions": QUESTION_COLUMNS,
    "forecasts": FORECAST_COLUMNS,
    "teams": TEAM_COLUMNS,
    "evidence": EVIDENCE_COLUMNS,
    "articles": ARTICLE_COLUMNS,
}
TIME_DTYPE = pd.DatetimeTZDtype(unit="us", tz="UTC")


def row_number(table: str, row: int) -> str:
    """Return the words that say where a row stands that was read from no file."""
    return f"{table}, row {row + 1}"


@dataclass(frozen=True)
class Frames:
    """A ledger, or part of one.

    Texts are str (blank: ""), times datetime64[us, UTC] (blank: NaT), numbers float64 (blank:
    NaN), flags bool, and json columns hold parsed lists and mappings (blank: None). ``place`` says
    where a row of a table (0 is the first) stands in the files that it was read from.
    """

    questions: pd.DataFrame
    forecasts: pd.DataFrame
    teams: pd.DataFrame
    evidence: pd.DataFrame
    articles: pd.DataFrame
    place: Callable[[str, int], str] = row_number


def rows(frame: pd.DataFrame) -> Iterator[Any]:
    """Return the rows of a frame as named tuples."""
    return iter(frame.itertuples(index=False))


def typed_frame(columns: dict[str, Any], kinds: dict[str, str]) -> pd.DataFrame:
    """Return a frame with exactly the columns ``kinds``, each of its kind's type."""
    return pd.DataFrame({name: typed(columns[name], kind) for name, kind in kinds.items()})


def typed(values: Any, kind: str) -> pd.Series[Any]:
    """Return ``values`` as a column of that kind (see ``Frames``)."""
    if kind == "time":
        return pd.Series(pd.to_datetime(pd.Series(values, dtype=object), utc=True)).astype(
            TIME_DTYPE
        )
    if kind == "number":
        return pd.Series(values, dtype=np.float64)
    if kind == "flag":
        return pd.Series(values, dtype=bool)
    if kind == "text":
        return pd.Series(["" if v is None else v for v in values], dtype=str)
    return pd.Series(list(values), dtype=object)


def complete(
    questions: pd.DataFrame, forecasts: pd.DataFrame, teams: pd.DataFrame | None = None
) -> Frames:
    """Return ``Frames`` of tables that have some of the columns: the others are blank."""
    given = {"questions": questions, "forecasts": forecasts}
    if teams is not None:
        given["teams"] = teams
    filled = {
        name: _blank_filled(given.get(name, pd.DataFrame()), kinds)
        for name, kinds in FRAME_COLUMNS.items()
    }
    return Frames(**filled, place=row_number)


def _blank_filled(frame: pd.DataFrame, kinds: dict[str, str]) -> pd.DataFrame:
    frame = frame.reset_index(drop=True)  # blanks have no index to be aligned by
    blanks = {"text": "", "flag": False, "number": np.nan}
    return typed_frame(
        {
            name: frame[name] if name in frame else [blanks.get(kind)] * len(frame)
            for name, kind in kinds.items()
        },
        kinds,
    )


def ledger_frames(
    session: Session, *, questions: Sequence[str] | None = None, words: bool = True
) -> Frames:
    """Return the ledger as frames, or the part of it that belongs to those questions' slugs.

    Rows come in the order in which they were written, forecasts by (question, forecaster, time).
    Without ``words`` the forecasts' rationale stays blank: no number needs it.
    """
    return Frames(
        questions=_questions(session, questions),
        forecasts=forecast_frame(session, questions, words=words),
        teams=_teams(session),
        evidence=_evidence(session),
        articles=_articles(session),
    )


def revision(session: Session) -> tuple[int, ...]:
    """Return numbers that differ once anything has been written that bears on a report.

    The first is the moment at which the ledger was made: a demonstration is made anew in place.
    """
    tables = (Forecast, QuestionRevision, Resolution, Membership, Citation)
    newest = select(*(select(func.max(t.id)).scalar_subquery() for t in tables))
    made = [int(at.timestamp() * 1e6) for at in session.exec(select(Ledger.created_at))]
    return (max(made, default=0), *(number or 0 for number in session.exec(newest).one()))


def scoring_frames(
    session: Session, *, questions: Sequence[str] | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the two frames that ``scoring`` takes, and nothing that it does not need."""
    forecasts = forecast_frame(session, questions, words=False, cited=False)
    return _questions(session, questions), forecasts


def _questions(session: Session, only: Sequence[str] | None) -> pd.DataFrame:
    # The status is not read here, so the moment does not matter.
    standing = sorted(
        listing(session, now=datetime(1970, 1, 1, tzinfo=UTC), only=only), key=lambda s: s.id
    )
    first_source = _first_sources(session, [stands.id for stands in standing] if only else None)
    columns: dict[str, list[Any]] = {name: [] for name in QUESTION_COLUMNS}
    for stands in standing:
        text, resolution = stands.text, stands.resolution
        origin = first_source.get(stands.id)
        row: dict[str, Any] = {
            name: getattr(text, name) for name in columns if hasattr(text, name)
        } | {
            "question_id": stands.slug,
            "type": str(text.type),
            "resolution": resolution.outcome if resolution else None,
            "known_at": resolution.known_at if resolution else None,
            "resolved_at": resolution.resolved_at if resolution else None,
            "resolution_note": resolution.note if resolution else None,
            "resolution_source": resolution.source if resolution else None,
            "article_url": origin[0] if origin else None,
            "quote": origin[1] if origin else None,
        }
        for name, values in columns.items():
            values.append(row[name])
    return typed_frame(columns, QUESTION_COLUMNS)


def _first_sources(session: Session, questions: Sequence[int] | None) -> dict[int, tuple[str, str]]:
    """Return the address of the article and the quote that each question was first taken from."""
    every = (
        select(
            col(QuestionSource.question_id),
            col(QuestionSource.quote),
            col(Article.url),
            col(Article.content_hash),
        )
        .join(Article, col(Article.id) == col(QuestionSource.article_id))
        .order_by(col(QuestionSource.id))
    )
    statements = (
        [every]
        if questions is None
        else [every.where(col(QuestionSource.question_id).in_(some)) for some in parts(questions)]
    )
    first: dict[int, tuple[str, str]] = {}
    for statement in statements:
        for question_id, quote, url, digest in session.exec(statement):
            first.setdefault(question_id, (url or f"{DIGEST_ADDRESS}{digest}", quote))
    return first


def _spread(session: Session, slugs: Sequence[str], vectors: Sequence[Any]) -> list[Any]:
    """Return the vectors over the options as they are now; null where one was not there yet.

    Options are only ever added, so the length of a vector tells which wording it belongs to.
    """
    lists: dict[str, dict[int, Sequence[str]]] = {}
    for slug, options in session.exec(
        select(Question.slug, QuestionRevision.options)
        .join(QuestionRevision, col(QuestionRevision.question_id) == col(Question.id))
        .where(col(QuestionRevision.options).is_not(None))
        .order_by(col(QuestionRevision.number))
    ):
        lists.setdefault(slug, {})[len(options or [])] = options or []
    spread: list[Any] = []
    for slug, vector in zip(slugs, vectors, strict=True):
        known = lists.get(slug, {})
        if vector is None or len(vector) == max(known, default=0) or len(vector) not in known:
            spread.append(vector)
            continue
        given = dict(zip(known[len(vector)], vector, strict=True))
        spread.append([given.get(option) for option in known[max(known)]])
    return spread


def forecast_frame(
    session: Session, only: Sequence[str] | None, *, words: bool = True, cited: bool = True
) -> pd.DataFrame:
    """Return the forecasts of ``ledger_frames``, on every question or on those slugs'.

    Without ``cited`` their evidence stays blank.
    """
    forecast = Forecast.__table__.c  # type: ignore[attr-defined]
    every: Select[Any] = (
        select(  # type: ignore[call-overload]
            forecast.id,
            col(Question.slug),
            col(Member.handle),
            forecast.made_at,
            forecast.probability,
            forecast.probabilities,
            forecast.quantiles,
            *([forecast.rationale] if words else []),
            forecast.question_id,
        )
        .join(Question, col(Question.id) == forecast.question_id)
        .join(Member, col(Member.id) == forecast.member_id)
        .order_by(forecast.question_id, forecast.member_id, forecast.made_at, forecast.id)
    )
    statements = (
        [every] if only is None else [every.where(col(Question.slug).in_(s)) for s in parts(only)]
    )
    connection = session.connection()
    rows = [row for statement in statements for row in connection.execute(statement)]
    if len(statements) > 1:
        rows.sort(key=lambda row: row.question_id)  # each question's rows are in one part, in order
    values: list[Any] = list(zip(*rows, strict=True)) or [()] * (9 if words else 8)
    if any(vector is not None for vector in values[5]):
        values[5] = _spread(session, values[1], values[5])
    columns: dict[str, Any] = {
        "question_id": values[1],
        "forecaster": values[2],
        "made_at": values[3],
        "probability": values[4],
        "probabilities": values[5],
        "quantiles": values[6],
        "rationale": values[7] if words else [""] * len(rows),
        "evidence": [None] * len(rows),
    }
    if cited:
        citations = _cited(session)
        columns["evidence"] = [citations.get(id_) for id_ in values[0]]
    return typed_frame(columns, FORECAST_COLUMNS)


def _cited(session: Session) -> dict[int, list[dict[str, Any]]]:
    cited: dict[int, list[dict[str, Any]]] = {}
    for forecast_id, key, stance, share in session.exec(
        select(Citation.forecast_id, Evidence.key, Citation.stance, Citation.share)
        .join(Evidence, col(Evidence.id) == col(Citation.evidence_id))
        .order_by(col(Citation.id))
    ):
        entry: dict[str, Any] = {"evidence_id": key, "stance": str(stance)}
        if share is not None:
            entry["share"] = share
        cited.setdefault(forecast_id, []).append(entry)
    return cited


def _teams(session: Session) -> pd.DataFrame:
    newest = select(func.max(Membership.id)).group_by(
        col(Membership.team_id), col(Membership.member_id), col(Membership.joined_at)
    )
    rows = session.exec(
        select(Team.name, Member.handle, Membership.joined_at, Membership.left_at)
        .join(Membership, col(Membership.team_id) == col(Team.id))
        .join(Member, col(Member.id) == col(Membership.member_id))
        .where(col(Membership.id).in_(newest))
        .order_by(col(Membership.id))
    ).all()
    columns = dict(zip(TEAM_COLUMNS, list(zip(*rows, strict=True)) or [()] * 4, strict=True))
    return typed_frame(columns, TEAM_COLUMNS)


def _evidence(session: Session) -> pd.DataFrame:
    rows = session.exec(select(Evidence).order_by(col(Evidence.id))).all()
    names = {"evidence_id": "key"}
    return typed_frame(
        {c: [_plain(getattr(row, names.get(c, c))) for row in rows] for c in EVIDENCE_COLUMNS},
        EVIDENCE_COLUMNS,
    )


def _articles(session: Session) -> pd.DataFrame:
    rows = session.exec(select(Article).order_by(col(Article.id))).all()
    return typed_frame(
        {
            c: [row.address if c == "url" else getattr(row, c) for row in rows]
            for c in ARTICLE_COLUMNS
        },
        ARTICLE_COLUMNS,
    )


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, str) else value
