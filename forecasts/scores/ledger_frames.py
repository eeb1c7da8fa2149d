"""The ledger as ``Frames``, from which it is scored, reported and exported."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import pandas as pd
from sqlmodel import Session, col, func, select, true

from forecasts.access import visibility
from forecasts.access.kinds import accounts
from forecasts.common.times import iso
from forecasts.folder.frames import (
    ARTICLE_COLUMNS,
    EVIDENCE_COLUMNS,
    FORECAST_COLUMNS,
    FRAME_COLUMNS,
    LINK_COLUMNS,
    MEMBER_COLUMNS,
    MODEL_COLUMNS,
    QUESTION_COLUMNS,
    TEAM_COLUMNS,
    Frames,
    complete,
    typed_frame,
)
from forecasts.ledger.current import (
    close_time,
    forecast_at,
    is_among,
    is_newest_wording,
    newest_memberships,
)
from forecasts.ledger.models import (
    DIGEST_ADDRESS,
    Appointment,
    Article,
    BotOwner,
    Citation,
    Condition,
    CurrentForecast,
    Discard,
    Dispute,
    Evidence,
    Forecast,
    GroupPlace,
    Ledger,
    Member,
    Membership,
    Question,
    QuestionGroup,
    QuestionLink,
    QuestionRevision,
    QuestionSource,
    Removal,
    Resolution,
    ResolutionState,
    Team,
)
from forecasts.questions import finality
from forecasts.questions.conditions import condition_rows
from forecasts.questions.groups import counted_kinds, group_rows
from forecasts.questions.links import linked_at, links
from forecasts.questions.revisions import counted_families, earlier_closes
from forecasts.questions.same_questions import likely_same
from forecasts.questions.standing import QuestionState, in_batches, listing
from forecasts.scores import forecast_columns
from scoring.input_frames import QUESTION_COLUMNS as SCORED

# The columns that scoring needs: a question is scored as it resolves, so reading must be fast.
SCORED_COLUMNS = {name: QUESTION_COLUMNS[name] for name in SCORED}
_ANY_TIME = datetime(1970, 1, 1, tzinfo=UTC)  # where no status is read
BATCH = 1000  # rows of evidence, or articles with their texts, read at a time


def ledger_frames(
    session: Session,
    *,
    questions: Sequence[str] | None = None,
    rationales: bool = True,
    counted: bool = True,
) -> Frames:
    """Return the ledger as frames, as far as the session's reader may see it.

    ``questions`` restricts it to those slugs. Rows are in the order written, forecasts sorted by
    (question, forecaster, time). Without ``rationales``, as reports need it, that column is blank,
    and there are the questions that are likely the same. ``counted``: as in ``ledger_questions``.
    """
    columns = forecast_columns.columns(
        session, questions, rationales=rationales, cited=True, models=True
    )
    return Frames(
        questions=ledger_questions(session, questions, counted=counted),
        forecasts=typed_frame(columns, FORECAST_COLUMNS),
        teams=_teams(session),
        evidence=_whole("evidence", _sources(session)),
        articles=_whole("articles", _sources(session)),
        links=link_frame(session, questions, counted=counted),
        provisional=_provisional(session),
        members=_members(session),
        models=typed_frame(columns, MODEL_COLUMNS),
        imported=columns["imported"].to_numpy(dtype=bool),
        resolved_alone=_resolved_alone(session),
        likely_same=frozenset() if rationales else likely_same(session),
    )


def crowd_frames(
    session: Session, *, questions: Sequence[str] | None = None, at: datetime | None = None
) -> Frames:
    """Return as much of the ledger as ``crowds.crowd`` needs, with each member's last forecasts.

    ``at``: the crowd's time, by default each question's close; the cost depends on the number of
    members, not on that of their forecasts.
    """
    text, held = QuestionRevision, CurrentForecast
    its_own = is_newest_wording() & (col(text.question_id) == col(held.question_id))
    close = select(close_time()).where(its_own).correlate(held).scalar_subquery()
    last = forecast_at(close, before=True) if at is None else forecast_at(at)
    which = is_among(session, select(last))
    columns = forecast_columns.columns(
        session, questions, which=which, rationales=False, cited=False
    )
    return replace(
        complete({}, {}),
        questions=ledger_questions(session, questions, SCORED_COLUMNS),
        forecasts=typed_frame(columns, FORECAST_COLUMNS),
        members=_members(session),
    )


def table_batches(session: Session, *, counted: bool = True) -> dict[str, Iterator[pd.DataFrame]]:
    """Return the tables of ``ledger_frames`` but the forecasts, each a frame of rows at a time."""
    visible = select(Question.id, Question.slug).where(visibility.question_visible(session))
    slugs = dict(session.exec(visible.order_by(col(Question.id))).all())
    batches = in_batches(list(slugs.values()))
    return {
        "questions": (
            ledger_questions(session, some, among=slugs, counted=counted) for some in batches
        ),
        "teams": iter([_teams(session)]),
        "links": iter([link_frame(session, counted=counted)]),
        **_sources(session),
    }


def _resolved_alone(session: Session) -> frozenset[str]:
    """Return the questions whose current outcome comes from their only forecaster."""
    made, told = CurrentForecast, Resolution
    alone = (
        select(made.question_id, func.min(made.member_id).label("member_id"))
        .group_by(col(made.question_id))
        .having(func.count() == 1)
        .subquery()
    )
    superseded = select(told.supersedes_id).where(col(told.supersedes_id).is_not(None))
    rows = (
        select(Question.slug)
        .join(told, col(told.question_id) == col(Question.id))
        .join(
            alone,
            (alone.c.question_id == col(told.question_id))
            & (alone.c.member_id == col(told.member_id)),
        )
        .where(
            col(told.state) == ResolutionState.confirmed,
            col(told.resolver_id).is_(None),
            col(told.id).not_in(superseded),
        )
    )
    return frozenset(session.exec(rows))


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
        *(QuestionGroup, GroupPlace, Condition, QuestionLink),
        *(Membership, Appointment, Removal, BotOwner),
    )
    newest = (select(func.max(t.id)).scalar_subquery() for t in (Forecast, Citation, *at_once))
    made = [int(at.timestamp() * 1e6) for at in session.exec(select(Ledger.created_at))]
    forecast, citation, *others = (number or 0 for number in session.exec(select(*newest)).one())
    rounded = [rounded_down(number) for number in (forecast, citation)]
    # An import may include resolved questions; earlier ones are covered by the rounded number.
    imported = session.exec(
        select(func.max(Forecast.id)).where(
            col(Forecast.id) >= rounded[0], col(Forecast.import_key).is_not(None)
        )
    ).one()
    return (max(made, default=0), visibility.reader_id(session), *rounded, imported or 0, *others)


def rounded_down(number: int) -> int:
    """Return the number rounded down to three digits."""
    step: int = 10 ** max(0, len(str(number)) - 3)
    return number - number % step


def scoring_frames(
    session: Session, *, questions: Sequence[str] | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the two frames that ``scoring`` takes, with the columns it needs."""
    forecasts = forecast_frame(session, questions, rationales=False, cited=False)
    return ledger_questions(session, questions, SCORED_COLUMNS), forecasts


def ledger_questions(
    session: Session,
    only: Sequence[str] | None,
    kinds: dict[str, str] = QUESTION_COLUMNS,
    *,
    among: Mapping[int, str] | None = None,
    counted: bool = True,
) -> pd.DataFrame:
    """Return the visible questions, or these, with all columns of a folder or some of them.

    ``among``: the questions of the whole folder, by id, if these are not all of it. ``counted``:
    with the families in which reports count them, else with their newest ones.
    """
    states = sorted(listing(session, now=_ANY_TIME, only=only), key=lambda state: state.id)
    sources: dict[int, tuple[str, str]] = {}
    earlier: dict[int, dict[str, str]] = {}
    dependence: dict[int, dict[str, Any]] = {}
    if kinds is QUESTION_COLUMNS:
        few = [each.id for each in states] if only else None
        sources = _first_sources(session, few)
        families = counted_families(session) if counted else {}
        earlier = {
            id_: {iso(at): iso(close) for at, close in one.items()}
            for id_, one in earlier_closes(session, few).items()
        }
        slugs = {each.id: each.slug for each in states} if among is None else among
        dependence = _dependence(session, slugs, counted=counted)
        for id_, family in families.items():
            dependence[id_] = dependence.get(id_, {}) | {"family": family}
    return question_frame(states, kinds, sources, earlier, dependence)


def question_frame(
    states: Sequence[QuestionState],
    kinds: dict[str, str] = SCORED_COLUMNS,
    sources: Mapping[int, tuple[str, str]] = MappingProxyType({}),
    earlier_closes: Mapping[int, dict[str, str]] = MappingProxyType({}),
    dependence: Mapping[int, Mapping[str, Any]] = MappingProxyType({}),
) -> pd.DataFrame:
    """Return questions with these columns, by default those that ``scoring`` reads.

    ``sources``: the article address and quote of each question, ``earlier_closes`` its replaced
    closes by the time of the change, ``dependence`` its group and condition, and the family in
    which it counts if that is not its newest; all by its id.
    """
    worded = [name for name in kinds if hasattr(QuestionRevision, name)]
    rows: list[dict[str, Any]] = []
    for state in states:
        text, resolution = state.text, state.resolution
        url, quote = sources.get(state.id, (None, None))
        row = {name: getattr(text, name) for name in worded} | {
            "question_id": state.slug,
            "type": str(text.type),
            "resolution": resolution and resolution.outcome,
            "known_at": resolution and resolution.known_at,
            "resolved_at": resolution and resolution.resolved_at,
            "resolution_note": resolution and resolution.note,
            "resolution_source": resolution and resolution.source,
            "article_url": url,
            "quote": quote,
            "earlier_closes": earlier_closes.get(state.id),
            **_INDEPENDENT,
            **dependence.get(state.id, {}),
        }
        rows.append(row)
    return typed_frame({name: [row[name] for row in rows] for name in kinds}, kinds)


_INDEPENDENT = dict.fromkeys(
    ("group", "group_kind", "group_title", "group_label", "group_place", "condition")
)


def _dependence(
    session: Session, slugs: Mapping[int, str], *, counted: bool
) -> dict[int, dict[str, Any]]:
    """Return the columns on the group and the condition of each question that has one, by its id.

    ``slugs``: the questions, by id; a condition on another is left out. ``counted``: with the
    kinds in which reports count groups, else with their newest ones.
    """
    found: defaultdict[int, dict[str, Any]] = defaultdict(dict)
    groups = group_rows(session)
    kinds = counted_kinds(session) if groups and counted else {}
    for group in groups:
        for place, (label, id_) in enumerate(group.places, start=1):
            found[id_] |= {
                "group": group.slug,
                "group_kind": str(kinds.get(group.id, group.kind)),
                "group_title": group.title,
                "group_label": label,
                "group_place": float(place),
            }
    for one in condition_rows(session):
        if one.parent_id in slugs:
            condition = {"question": slugs[one.parent_id], "outcome": one.outcome}
            found[one.question_id]["condition"] = condition
    return found


def link_frame(
    session: Session, only: Sequence[str] | None = None, *, counted: bool = True
) -> pd.DataFrame:
    """Return the links between visible questions, or between these, as a ledger folder has them.

    ``counted``: only those that reports count, without the ones that were made too late.
    """
    named = None if only is None else set(only)
    rows = [
        (
            *(one.one.slug, one.other.slug, str(one.row.kind), str(one.row.strength)),
            *(one.row.reason, linked_at(one.row)),
        )
        for one in links(session, now=_ANY_TIME)
        if named is None or {one.one.slug, one.other.slug} <= named
        if not (counted and one.is_late)
    ]
    return _frame(rows, LINK_COLUMNS)


def _limits(column: Any, ids: Sequence[int] | None) -> list[Any]:
    """Return conditions that together hold for these ids, or for all."""
    return [true()] if ids is None else [col(column).in_(some) for some in in_batches(ids)]


def _first_sources(session: Session, questions: Sequence[int] | None) -> dict[int, tuple[str, str]]:
    """Return the article address and quote that each question was first taken from."""
    every = (
        select(QuestionSource.question_id, QuestionSource.quote, Article.url, Article.content_hash)
        .join(Article, col(Article.id) == col(QuestionSource.article_id))
        .order_by(col(QuestionSource.id))
    )
    first: dict[int, tuple[str, str]] = {}
    for limit in _limits(QuestionSource.question_id, questions):
        for question_id, quote, url, digest in session.exec(every.where(limit)):
            first.setdefault(question_id, (url or f"{DIGEST_ADDRESS}{digest}", quote))
    return first


def forecast_frame(
    session: Session,
    only: Sequence[str] | None,
    *,
    member: int | None = None,
    rationales: bool = True,
    cited: bool = True,
) -> pd.DataFrame:
    """Return the forecasts of ``ledger_frames``, on all questions or those with the slugs.

    ``member``: only those of the member with this id. Without ``cited`` the evidence is blank.
    """
    whose = None if member is None else col(Forecast.member_id) == member
    columns = forecast_columns.columns(
        session, only, which=whose, rationales=rationales, cited=cited
    )
    return typed_frame(columns, FORECAST_COLUMNS)


def _teams(session: Session) -> pd.DataFrame:
    rows = session.exec(
        select(Team.name, Member.handle, Membership.joined_at, Membership.left_at)
        .join(Membership, col(Membership.team_id) == col(Team.id))
        .join(Member, col(Member.id) == col(Membership.member_id))
        .where(col(Membership.id).in_(newest_memberships()))
        .order_by(col(Membership.id))
    ).all()
    return _frame(rows, TEAM_COLUMNS)


def _members(session: Session) -> pd.DataFrame:
    rows = [(one.handle, str(one.kind), one.owner) for one in accounts(session)]
    return _frame(rows, MEMBER_COLUMNS)


def _frame(rows: Sequence[Sequence[Any]], kinds: dict[str, str]) -> pd.DataFrame:
    columns = list(zip(*rows, strict=True)) or [()] * len(kinds)
    return typed_frame(dict(zip(kinds, columns, strict=True)), kinds)


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
    every = select(model).where(*where).order_by(model.id).limit(BATCH)
    while found := session.exec(every.where(model.id > last)).all():
        read = {c: [_plain(getattr(row, names.get(c, c))) for row in found] for c in kinds}
        yield typed_frame(read, kinds)
        last = found[-1].id


def _whole(table: str, batches: dict[str, Iterator[pd.DataFrame]]) -> pd.DataFrame:
    nothing = typed_frame({}, FRAME_COLUMNS[table])
    return pd.concat(list(batches[table]) or [nothing], ignore_index=True)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, str) else value
