"""The ledger as data frames, from which it is scored, reported, imported and exported.

``Frames`` holds the files of a ledger folder (``ledger-folder.md``) as frames with the same
columns, parsed. ``ledger_frames`` reads them from the database, ``exchange.folder.read_folder``
from a folder, so code that takes ``Frames`` gives the same numbers for both.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
from sqlmodel import Session, col, func, select, true

from forecasts.access import visibility
from forecasts.access.kinds import accounts
from forecasts.ledger.current import newest_memberships
from forecasts.ledger.models import (
    DIGEST_ADDRESS,
    Appointment,
    Article,
    BotOwner,
    Citation,
    Discard,
    Dispute,
    Evidence,
    Forecast,
    Ledger,
    Member,
    Membership,
    Question,
    QuestionRevision,
    QuestionSource,
    Removal,
    Resolution,
    Team,
)
from forecasts.questions import finality
from forecasts.questions.standing import in_batches, listing
from forecasts.scores import forecast_columns
from forecasts.scores.forecast_lines import Lines
from scoring.input_frames import QUESTION_COLUMNS as SCORED

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
MEMBER_COLUMNS = {"forecaster": "text", "kind": "text", "owner": "text"}
MODEL_COLUMNS = {"model": "text", "version": "text", "cost": "number"}
FRAME_COLUMNS = {
    "questions": QUESTION_COLUMNS,
    "forecasts": FORECAST_COLUMNS,
    "teams": TEAM_COLUMNS,
    "evidence": EVIDENCE_COLUMNS,
    "articles": ARTICLE_COLUMNS,
}
TIME_DTYPE = pd.DatetimeTZDtype(unit="us", tz="UTC")
_TOGETHER = 2_000  # rows
# The columns that scoring needs: a question is scored as it resolves, so reading must be fast.
_SCORED = {name: QUESTION_COLUMNS[name] for name in SCORED}
_BATCH = 1000  # rows of evidence, or articles with their texts, read at a time
_READY = {"text": pd.StringDtype(na_value=np.nan), "time": TIME_DTYPE}


def row_number(table: str, row: int) -> str:
    """Return the location of a row that was not read from a file."""
    return f"{table}, row {row + 1}"


@dataclass(frozen=True)
class Frames:
    """A ledger, or part of one.

    Texts are str (blank: ""), times datetime64[us, UTC] (blank: NaT), numbers float64 (blank:
    NaN), flags bool, and json columns hold parsed lists and mappings (blank: None). ``place``
    returns the location of a table's row (from 0) in the files it was read from. ``provisional``
    maps question_id to the end of its dispute window, None while a dispute is open.

    ``members`` has the kind of each member, and the owner of each bot; ``models`` the model behind
    each row of ``forecasts``, blank where none is recorded. Both are None in a ledger folder, which
    has neither.
    """

    questions: pd.DataFrame
    forecasts: pd.DataFrame
    teams: pd.DataFrame
    evidence: pd.DataFrame
    articles: pd.DataFrame
    place: Callable[[str, int], str] = row_number
    provisional: Mapping[str, datetime | None] = field(default_factory=dict)
    members: pd.DataFrame | None = None
    models: pd.DataFrame | None = None


def rows(frame: pd.DataFrame) -> Iterator[Any]:
    """Yield the rows of a frame as named tuples.

    By many at a time: ``itertuples`` takes the texts one by one, and six times as long.
    """
    row = namedtuple("row", map(str, frame), rename=True)  # type: ignore[misc]
    for start in range(0, len(frame), _TOGETHER):
        some = frame.iloc[start : start + _TOGETHER]
        yield from map(row._make, zip(*(some[name].tolist() for name in some), strict=True))


def typed_frame(columns: dict[str, Any], kinds: dict[str, str]) -> pd.DataFrame:
    """Return a frame with exactly the columns of ``kinds``, each of that type."""
    return pd.DataFrame({name: typed(columns[name], kind) for name, kind in kinds.items()})


def typed(values: Any, kind: str) -> pd.Series[Any]:
    """Return ``values`` as a column of that type (see ``Frames``)."""
    if isinstance(values, pd.Series) and kind in _READY and values.dtype == _READY[kind]:
        return values  # converting half a million values takes a second
    if kind == "time":
        return pd.to_datetime(pd.Series(values, dtype=object), utc=True).astype(TIME_DTYPE)
    if kind in ("number", "flag"):
        return pd.Series(values, dtype=np.float64 if kind == "number" else bool)
    if kind == "text":
        return pd.Series(["" if v is None else v for v in values], dtype=str)
    return pd.Series(list(values), dtype=object)


def complete(
    questions: pd.DataFrame, forecasts: pd.DataFrame, teams: pd.DataFrame | None = None
) -> Frames:
    """Return ``Frames`` from tables with some of the columns; the others are blank."""
    given = {"questions": questions, "forecasts": forecasts}
    if teams is not None:
        given["teams"] = teams
    filled = {
        name: _blank_filled(given.get(name, pd.DataFrame()), kinds)
        for name, kinds in FRAME_COLUMNS.items()
    }
    return Frames(**filled, place=row_number, provisional={})


def _blank_filled(frame: pd.DataFrame, kinds: dict[str, str]) -> pd.DataFrame:
    frame = frame.reset_index(drop=True)  # the blank columns have no index to align with
    blanks = {"text": "", "flag": False, "number": np.nan}
    columns = {
        name: frame[name] if name in frame else [blanks.get(kind)] * len(frame)
        for name, kind in kinds.items()
    }
    return typed_frame(columns, kinds)


def ledger_frames(
    session: Session,
    *,
    questions: Sequence[str] | None = None,
    rationales: bool = True,
    lines: Callable[[], Lines] | None = None,
) -> Frames:
    """Return the ledger as frames, as far as the session's reader may see it.

    ``questions`` restricts it to those slugs. Rows are in the order written, forecasts sorted by
    (question, forecaster, time). Without ``rationales`` that column is blank: no number needs it.
    ``lines`` as in ``forecast_columns.columns``.
    """
    columns = forecast_columns.columns(
        session, questions, rationales=rationales, cited=True, models=True, lines=lines
    )
    return Frames(
        questions=_questions(session, questions),
        forecasts=typed_frame(columns, FORECAST_COLUMNS),
        teams=_teams(session),
        evidence=_whole("evidence", _sources(session)),
        articles=_whole("articles", _sources(session)),
        provisional=_provisional(session),
        members=_members(session),
        models=typed_frame(columns, MODEL_COLUMNS),
    )


def table_batches(session: Session) -> dict[str, Iterator[pd.DataFrame]]:
    """Return the tables of ``ledger_frames`` but the forecasts, each a frame of rows at a time."""
    visible = select(Question.slug).where(visibility.question_visible(session))
    slugs = session.exec(visible.order_by(col(Question.id))).all()
    return {
        "questions": (_questions(session, some) for some in in_batches(slugs)),
        "teams": iter([_teams(session)]),
        **_sources(session),
    }


def _provisional(session: Session) -> dict[str, datetime | None]:
    until = finality.dispute_deadlines(session)
    if not until:
        return {}
    slugs = session.exec(select(Question.id, Question.slug).where(col(Question.id).in_(until)))
    return {slug: until[id_] for id_, slug in slugs}


def revision(session: Session) -> tuple[int, ...]:
    """Return numbers that change whenever something relevant to a report is written.

    They also depend on the session's reader, as reports do. The first is the creation time of the
    ledger, because a demonstration is rebuilt in place.

    In a long ledger they change after a few per mille more forecasts and citations, not after each:
    a forecast on an open question hardly affects a report, and otherwise every update by anyone
    would make every report stale. Resolutions and imports count at once.
    """
    at_once = (
        *(QuestionRevision, Discard, Resolution, Dispute),
        *(Membership, Appointment, Removal, BotOwner),
    )
    newest = (select(func.max(t.id)).scalar_subquery() for t in (Forecast, Citation, *at_once))
    made = [int(at.timestamp() * 1e6) for at in session.exec(select(Ledger.created_at))]
    forecast, citation, *others = (number or 0 for number in session.exec(select(*newest)).one())
    rounded = [_rounded(number) for number in (forecast, citation)]
    # An import may include resolved questions; earlier ones are covered by the rounded number.
    imported = session.exec(
        select(func.max(Forecast.id)).where(
            col(Forecast.id) >= rounded[0], col(Forecast.import_key).is_not(None)
        )
    ).one()
    return (max(made, default=0), visibility.reader_id(session), *rounded, imported or 0, *others)


def _rounded(number: int) -> int:
    """Return the number rounded down to three digits."""
    step: int = 10 ** max(0, len(str(number)) - 3)
    return number - number % step


def scoring_frames(
    session: Session, *, questions: Sequence[str] | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the two frames that ``scoring`` takes, with the columns it needs."""
    forecasts = forecast_frame(session, questions, rationales=False, cited=False)
    return _questions(session, questions, _SCORED), forecasts


def _questions(
    session: Session, only: Sequence[str] | None, kinds: dict[str, str] = QUESTION_COLUMNS
) -> pd.DataFrame:
    # The status is not read, so any time will do.
    now = datetime(1970, 1, 1, tzinfo=UTC)
    standing = sorted(listing(session, now=now, only=only), key=lambda state: state.id)
    first_source: dict[int, tuple[str, str]] = {}
    if "quote" in kinds:
        first_source = _first_sources(session, [each.id for each in standing] if only else None)
    worded = [name for name in kinds if hasattr(QuestionRevision, name)]
    rows: list[dict[str, Any]] = []
    for state in standing:
        text, resolution = state.text, state.resolution
        url, quote = first_source.get(state.id, (None, None))
        row = {name: getattr(text, name) for name in worded} | {
            "question_id": state.slug,
            "type": str(text.type),
            "resolution": resolution.outcome if resolution else None,
            "known_at": resolution.known_at if resolution else None,
            "resolved_at": resolution.resolved_at if resolution else None,
            "resolution_note": resolution.note if resolution else None,
            "resolution_source": resolution.source if resolution else None,
            "article_url": url,
            "quote": quote,
        }
        rows.append(row)
    return typed_frame({name: [row[name] for row in rows] for name in kinds}, kinds)


def _first_sources(session: Session, questions: Sequence[int] | None) -> dict[int, tuple[str, str]]:
    """Return the article address and quote that each question was first taken from."""
    every = (
        select(QuestionSource.question_id, QuestionSource.quote, Article.url, Article.content_hash)
        .join(Article, col(Article.id) == col(QuestionSource.article_id))
        .order_by(col(QuestionSource.id))
    )
    limits: list[Any] = [true()]
    if questions is not None:
        limits = [col(QuestionSource.question_id).in_(some) for some in in_batches(questions)]
    first: dict[int, tuple[str, str]] = {}
    for limit in limits:
        for question_id, quote, url, digest in session.exec(every.where(limit)):
            first.setdefault(question_id, (url or f"{DIGEST_ADDRESS}{digest}", quote))
    return first


def forecast_frame(
    session: Session,
    only: Sequence[str] | None,
    *,
    rationales: bool = True,
    cited: bool = True,
) -> pd.DataFrame:
    """Return the forecasts of ``ledger_frames``, on all questions or those with the slugs.

    Without ``cited`` the evidence is blank.
    """
    columns = forecast_columns.columns(session, only, rationales=rationales, cited=cited)
    return typed_frame(columns, FORECAST_COLUMNS)


def _teams(session: Session) -> pd.DataFrame:
    rows = session.exec(
        select(Team.name, Member.handle, Membership.joined_at, Membership.left_at)
        .join(Membership, col(Membership.team_id) == col(Team.id))
        .join(Member, col(Member.id) == col(Membership.member_id))
        .where(col(Membership.id).in_(newest_memberships()))
        .order_by(col(Membership.id))
    ).all()
    columns = dict(zip(TEAM_COLUMNS, list(zip(*rows, strict=True)) or [()] * 4, strict=True))
    return typed_frame(columns, TEAM_COLUMNS)


def _members(session: Session) -> pd.DataFrame:
    rows = [(one.handle, str(one.kind), one.owner) for one in accounts(session)]
    columns = dict(zip(MEMBER_COLUMNS, list(zip(*rows, strict=True)) or [()] * 3, strict=True))
    return typed_frame(columns, MEMBER_COLUMNS)


def _sources(session: Session) -> dict[str, Iterator[pd.DataFrame]]:
    key, visible = {"evidence_id": "key"}, visibility.evidence_visible(session)
    return {
        "evidence": _rows_of(session, Evidence, EVIDENCE_COLUMNS, key, visible),
        "articles": _rows_of(session, Article, ARTICLE_COLUMNS, {"url": "address"}),
    }


def _rows_of(
    session: Session, model: Any, kinds: dict[str, str], names: dict[str, str], *where: Any
) -> Iterator[pd.DataFrame]:
    """Yield the rows of a table in the order written; ``names`` are of the model's attributes."""
    last = 0
    every = select(model).where(*where).order_by(model.id).limit(_BATCH)
    while found := session.exec(every.where(model.id > last)).all():
        read = {c: [_plain(getattr(row, names.get(c, c))) for row in found] for c in kinds}
        yield typed_frame(read, kinds)
        last = found[-1].id


def _whole(table: str, batches: dict[str, Iterator[pd.DataFrame]]) -> pd.DataFrame:
    nothing = _blank_filled(pd.DataFrame(), FRAME_COLUMNS[table])
    return pd.concat(list(batches[table]) or [nothing], ignore_index=True)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, str) else value
