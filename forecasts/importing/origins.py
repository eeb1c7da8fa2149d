"""The origins of imported questions, and the scores that their platform printed for them.

An origin is a question's id and address on its platform. A question is found again by it, whatever
its name here, or else by the platform's id, which is the name of a new one ("metaculus-3672"). In a
shared ledger a new question without criteria is visible to its importer only, and its name ends
with their number ("metaculus-3672.7"): another importer of the same question gets a question of
their own, and learns nothing of the first.

In a shared ledger another member's question is meant only while its title and type are those of the
record: otherwise someone could give a question the platform's id and the opposite title, and
collect the forecasts of others on it.
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy
from sqlmodel import Session, col, select

from forecasts.access.roles import is_shared
from forecasts.access.visibility import question_visible
from forecasts.folder.frames import rows
from forecasts.importing.forecasts import or_none
from forecasts.ledger.append import append
from forecasts.ledger.current import is_newest_wording
from forecasts.ledger.models import (
    Discard,
    Member,
    PrintedScore,
    Question,
    QuestionOrigin,
    QuestionRevision,
    QuestionText,
    Visibility,
)
from forecasts.platforms.record import PlatformRecord
from forecasts.questions.standing import QuestionState, rows_with


def write_origins(
    session: Session,
    record: PlatformRecord,
    ids: Mapping[str, int],
    others: Collection[int],
    now: datetime,
) -> None:
    """Write the origins that the ledger does not have yet.

    Not those of ``others``, since everyone would see on them an address that an importer made up.
    """
    known = select(QuestionOrigin.question_id).where(QuestionOrigin.platform == record.platform)
    with_origin = rows_with(session, known, QuestionOrigin.question_id, list(ids.values()))
    # And no origin of a question that the record does not have.
    there = {0, *others, *with_origin}
    new = [row for row in rows(record.origins) if ids.get(row.question_id, 0) not in there]
    if new:
        append(
            session,
            "question_origin",
            {
                "question_id": [ids[row.question_id] for row in new],
                "platform": [record.platform] * len(new),
                "platform_id": [row.platform_id for row in new],
                "url": [row.url for row in new],
                "recorded_at": [now] * len(new),
            },
        )


def new_printed_scores(
    session: Session, record: PlatformRecord, known: Mapping[str, QuestionState], member: Member
) -> pd.DataFrame:
    """Return the rows of ``record.printed`` that the ledger does not have and never had.

    An older export does not bring back a score that the platform has changed since.
    ``known``: the questions that the ledger has. Scores of accounts without a forecast in
    the record are left out, unless they are the member's.
    """
    every = record.printed
    who = {*record.frames.forecasts["forecaster"].unique(), member.handle}
    is_theirs = every["forecaster"].isin(list(who)) & np.isfinite(every["score"])
    is_here = every["question_id"].isin(record.frames.questions["question_id"])
    printed: pd.DataFrame = every[is_theirs & is_here]
    printed = printed.drop_duplicates(["question_id", "forecaster", "name"], keep="last")
    every_stored = (
        select(Question.slug, Member.handle, PrintedScore)
        .join(PrintedScore, col(PrintedScore.question_id) == col(Question.id))
        .join(Member, col(Member.id) == col(PrintedScore.member_id))
        .where(PrintedScore.platform == record.platform)
    )
    slugs = [slug for slug in printed["question_id"] if slug in known]
    stored = {
        (slug, handle, row.name, row.score, row.coverage)
        for slug, handle, row in rows_with(session, every_stored, Question.slug, slugs)
    }
    columns = printed[["question_id", "forecaster", "name", "score", "coverage"]]
    is_new = [(*cells, or_none(share)) not in stored for *cells, share in rows(columns)]
    return printed.iloc[np.flatnonzero(is_new)]


def write_printed_scores(
    session: Session,
    printed: pd.DataFrame,
    platform: str,
    questions: Mapping[str, int],
    now: datetime,
) -> None:
    """Write these scores; their members and ``questions``, by their names, are in the ledger."""
    handles, count = printed["forecaster"].tolist(), len(printed)
    by_handle = select(Member.handle, Member.id)
    members = dict(rows_with(session, by_handle, Member.handle, handles))
    if count:
        append(
            session,
            "printed_score",
            {
                "question_id": [questions[slug] for slug in printed["question_id"]],
                "member_id": [members[handle] for handle in handles],
                "platform": [platform] * count,
                "name": printed["name"].tolist(),
                "score": printed["score"].tolist(),
                "coverage": list(map(or_none, printed["coverage"].tolist())),
                "recorded_at": [now] * count,
            },
        )


_HASHED = re.compile(r"-[0-9a-f]{16}$")  # see platforms.handles.hashed_id


def names_here(
    session: Session, record: PlatformRecord, member: Member
) -> tuple[dict[str, str], set[str]]:
    """Return the name of each question by its id in the record, and the ids of discarded ones.

    Of several questions with the same origin the member's own is meant, then the oldest that others
    see too. Discarded: by the member; anyone's in an unshared ledger.
    """
    shared = is_shared(session)
    candidates = _candidates(session, record, member)
    names: dict[str, str] = {}
    discarded: set[str] = set()
    own: list[str] = []
    questions = record.frames.questions
    columns = ("question_id", "resolution_criteria", "title", "type")
    for id_, criteria, *asked in zip(*(questions[one].tolist() for one in columns), strict=True):
        found = candidates.get(id_, [])
        seen = [
            one
            for one in found
            if one.visible and (one.member_id == member.id or not shared or _is_same(one, *asked))
        ]
        if seen:
            names[id_] = min(seen, key=lambda one: (one.member_id != member.id, one.id)).slug
        elif any(one.discarded and (one.member_id == member.id or not shared) for one in found):
            discarded.add(id_)
        elif (shared and not _has_criteria(criteria)) or any(one.slug == id_ for one in found):
            own.append(id_)
        else:
            names[id_] = id_
    return names | _own_names(session, own, member), discarded


def _is_same(one: Any, title: str, type_: str) -> bool:
    """Return whether another member's question, which others see too, has this title and type."""
    return one.visibility != Visibility.author and (one.title.strip(), one.type) == (
        title.strip(),
        type_,
    )


def _has_criteria(criteria: str) -> bool:
    return QuestionText.model_construct(title="", resolution_criteria=criteria).has_criteria


def _candidates(
    session: Session, record: PlatformRecord, member: Member
) -> Mapping[str, Sequence[Any]]:
    """Return the questions with the origin or the id of each of the record's, hidden ones too.

    The member's own with their number too, if its id is a hash of the file: a pull has the
    platform's id as the origin of the same question.
    """
    found: defaultdict[str, list[Any]] = defaultdict(list)
    if session.scalar(select(col(Question.id)).limit(1)) is None:
        return found
    every = (
        sqlalchemy.select(
            col(Question.id),
            col(Question.slug),
            col(Question.member_id),
            col(QuestionRevision.visibility),
            col(QuestionRevision.title),
            col(QuestionRevision.type),
            question_visible(session).label("visible"),
            col(Question.id).in_(select(col(Discard.question_id))).label("discarded"),
        )
        .join(QuestionRevision, col(QuestionRevision.question_id) == col(Question.id))
        .where(is_newest_wording())
    )
    ids = dict(zip(record.origins["platform_id"], record.origins["question_id"], strict=True))
    with_origin = (
        every.add_columns(col(QuestionOrigin.platform_id))
        .join(QuestionOrigin, col(QuestionOrigin.question_id) == col(Question.id))
        .where(col(QuestionOrigin.platform) == record.platform)
    )
    given = [one for one in ids if one]
    for row in rows_with(session, with_origin, QuestionOrigin.platform_id, given):
        found[ids[row.platform_id]].append(row)
    every_id = record.frames.questions["question_id"].tolist()
    for row in rows_with(session, every, Question.slug, every_id):
        # A name with its member's number is of the id before the dot; but our exports in
        # Metaculus's shape have names as ids.
        if record.platform == "metaculus" or not row.slug.endswith(f".{row.member_id}"):
            found[row.slug].append(row)
    own = {_own_name(id_, member): id_ for id_ in every_id if _HASHED.search(id_)}
    named = every.where(col(Question.member_id) == member.id)
    for row in rows_with(session, named, Question.slug, list(own)):
        found[own[row.slug]].append(row)
    return found


def _own_name(id_: str, member: Member) -> str:
    return f"{id_}.{member.id or 0}"


def _own_names(session: Session, ids: Sequence[str], member: Member) -> dict[str, str]:
    """Return names for new questions of the member, which say nothing about others' questions."""
    names = {id_: _own_name(id_, member) for id_ in ids}
    slugs = select(Question.slug)
    taken = set(rows_with(session, slugs, Question.slug, list(names.values())))
    for id_, name in names.items():
        if name in taken:  # someone has chosen it for a question of theirs
            numbered = (f"{name}.{number}" for number in itertools.count(2))
            names[id_] = next(
                one for one in numbered if not list(rows_with(session, slugs, Question.slug, [one]))
            )
    return names


def mapped(column: pd.Series[Any], names: Mapping[str, str]) -> pd.Series[Any]:
    """Return a column of names with these ones replaced."""
    return pd.Series([names.get(one, one) for one in column], index=column.index, dtype="str")
