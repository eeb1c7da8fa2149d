"""Import the record of another platform: compare it with the ledger, then write it.

On top of ``frames``: each question is found again by its origin, and what conflicts with the
ledger is left out with its reason, since nobody here can correct the platform. Origins, printed
scores and the kinds of new members are imported too.

Names of questions are those of ``origins``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd
from sqlmodel import Session, select

from forecasts.access.teams import visibility_fields
from forecasts.common.errors import Advice
from forecasts.common.text import count, cut, in_words
from forecasts.common.times import to_minute
from forecasts.folder.frames import Frames, rows
from forecasts.importing.accounts import as_member, doubtful_names, whose
from forecasts.importing.forecasts import withdrawals
from forecasts.importing.frames import Comparison, Imported, compare_frames, without, write_frames
from forecasts.importing.origins import (
    mapped,
    names_here,
    new_printed_scores,
    write_origins,
    write_printed_scores,
)
from forecasts.importing.questions import Progress, time_of
from forecasts.importing.undated import close_phrases, with_known_times
from forecasts.ledger.models import Member, Question, QuestionText
from forecasts.platforms.record import LeftOut, PlatformRecord, check_record
from forecasts.questions.standing import rows_with

SHOWN = 500  # rows of each list in a preview
_LONGEST = 80  # characters of a text in a detail
_FEW = 3  # forecasters that a sentence names


class Change(StrEnum):
    """The effect of an import on a question: new, other texts or outcome, or only forecasts."""

    new = "new"
    changed = "changed"
    more_forecasts = "more forecasts"


@dataclass(frozen=True)
class QuestionRow:
    """One question of the record, and what its import adds.

    ``question_id``: its name in this ledger. ``url``: its address on the platform; may be blank.
    ``details``: a clause on each change of wording, on a new outcome and on withdrawals:
    "title: … → …", "outcome: yes", "1 withdrawal". ``forecasts``: those that are new, without
    withdrawals; ``known``: those that the ledger has. ``first``, ``last``: when the first and the
    last of the new ones were made; None without any. ``closes``: its close after the import, and
    ``closes_in_words`` the words of its title that it was read from.
    """

    question_id: str
    title: str
    url: str
    change: Change
    details: Sequence[str]
    forecasts: int
    known: int
    first: datetime | None
    last: datetime | None
    closes: datetime | None
    closes_in_words: str = ""


@dataclass(frozen=True)
class Preview:
    """The rows that the import of a record writes, or has written.

    ``counts``: the new rows of each kind; without those of scores until they are written.
    ``questions``: the first ``SHOWN`` that are new, changed or have new forecasts; ``more`` such
    questions are not listed, and ``unchanged`` are as the ledger has them. ``left_out``: the first
    ``SHOWN`` places with a reason; ``more_left_out`` are not listed. ``new_members``: the handles
    that will be created. ``known_members``: members, other than the importer, who get new
    forecasts from accounts with their handles. ``printed``: new or changed scores that the platform
    printed. ``notes``: sentences on how the files were read. ``whose``: the member whose the file's
    own forecasts become; blank without any.
    """

    platform: str
    counts: Imported
    questions: Sequence[QuestionRow]
    more: int
    unchanged: int
    left_out: Sequence[LeftOut]
    more_left_out: int
    new_members: Sequence[str]
    known_members: Sequence[str]
    printed: int
    notes: Sequence[Advice]
    whose: Advice = ""

    @property
    def changes_nothing(self) -> bool:
        """Whether the ledger has everything already."""
        return not self.questions and not self.printed and not self.counts.evidence


def import_record(
    session: Session,
    record: PlatformRecord,
    *,
    member: Member,
    now: datetime,
    vouch: bool = False,
    visible_to: str | None = None,
    account: str | None = None,
    owner: str = "",
    dry_run: bool = False,
    on_progress: Progress = lambda _step, _share: None,
) -> Preview:
    """Return the new rows; everything that the ledger does not have yet is written.

    The same record again changes nothing, and a newer one adds its new questions, wordings,
    resolutions, forecasts and printed scores. A value that a question had before is not restored:
    neither an older export nor one without a member's edit undoes a change. ``account``: the
    forecaster of the record who is ``member``. ``visible_to``, for the questions of which the
    record says nothing itself, ``vouch``, ``dry_run``, permissions and the other rules are those of
    ``frames.import_frames``. BadInput names file, row, column, value and rule.
    """
    visibility_fields(session, visible_to)  # one that does not exist is refused as such
    check_record(record.frames)
    owner = owner or member.handle
    name, record = account or record.account, as_member(session, record, account, owner)
    on_progress("Questions of this ledger", 0.0)
    names, discarded = names_here(session, record, member)
    left_out = [*record.left_out, *_discarded(record.frames, discarded)]
    if record.assumed is not None:
        forecasts = record.frames.forecasts.assign(undated=record.assumed.forecasts)
        record = replace(record, frames=replace(record.frames, forecasts=forecasts))
    record, closeless, times = with_known_times(session, record, names, now)
    left_out += closeless.values()
    phrases = close_phrases(record, names)
    record = _renamed(record, names, discarded | closeless.keys())
    found = compare_frames(
        session,
        record.frames,
        member=member,
        now=now,
        vouch=vouch,
        on_progress=on_progress,
        tolerant=times,
        visible_to={
            slug: audience or visible_to or ""
            for slug, audience in rows(record.origins[["question_id", "visible_to"]])
        },
    )
    left_out += _conflicting(record.frames, found)
    printed = new_printed_scores(session, record, found.known, member)
    preview = _preview(session, record, found, left_out, len(printed), phrases)
    preview = replace(preview, whose=whose(session, found.forecasts.rows, name, owner))
    if dry_run:
        return preview
    origin = "implied" if record.implied else "import"
    counts = write_frames(session, found, on_progress=on_progress, origin=origin)
    slugs = record.frames.questions["question_id"].tolist()
    ids = dict(rows_with(session, select(Question.slug, Question.id), Question.slug, slugs))
    known = found.known.values() if found.is_limited else ()
    others = {state.id for state in known if state.question.member_id != member.id}
    write_origins(session, record, ids, others, now)
    write_printed_scores(session, printed, record.platform, ids, now)
    return replace(preview, counts=counts)


def _renamed(
    record: PlatformRecord, names: Mapping[str, str], discarded: Collection[str]
) -> PlatformRecord:
    """Return the record with this ledger's names for its questions, without the discarded ones."""
    frames = without(record.frames, discarded) if discarded else record.frames

    def named(table: pd.DataFrame) -> pd.DataFrame:
        kept = table[~table["question_id"].isin(list(discarded))]
        return kept.assign(question_id=mapped(kept["question_id"], names))

    return replace(
        record,
        frames=replace(
            frames, questions=named(frames.questions), forecasts=named(frames.forecasts)
        ),
        origins=named(record.origins),
        printed=named(record.printed),
    )


def _discarded(frames: Frames, discarded: Collection[str]) -> Iterator[LeftOut]:
    theirs = np.flatnonzero(frames.questions["question_id"].isin(list(discarded)))
    titles = frames.questions["title"].iloc[theirs].tolist()
    for number, title in zip(theirs.tolist(), titles, strict=True):
        place = frames.place("questions", number)
        yield LeftOut(place, title, "you have discarded this question here")


def _conflicting(frames: Frames, found: Comparison) -> Iterator[LeftOut]:
    for one in found.conflicts:
        yield LeftOut(one.problem.place, one.problem.value, one.problem.rule)
    for slug in sorted({one.question_id for one in found.conflicts if one.unfits}):
        many = int((frames.forecasts["question_id"] == slug).sum())
        yield LeftOut(slug, count(many, "forecast"), "for other options or another type")


def _preview(
    session: Session,
    record: PlatformRecord,
    found: Comparison,
    left_out: Sequence[LeftOut],
    printed: int,
    phrases: Mapping[str, str],
) -> Preview:
    frames, new, member = record.frames, found.forecasts.rows, found.member
    is_end = withdrawals(new)
    made = new[~is_end].groupby("question_id")["made_at"].agg(["size", "min", "max"])
    made_on = dict(zip(made.index, rows(made), strict=True))
    ended = new["question_id"][is_end].value_counts().to_dict()
    every = frames.forecasts["question_id"][~withdrawals(frames.forecasts)].value_counts()
    urls = dict(zip(record.origins["question_id"], record.origins["url"], strict=True))
    closes = found.times("close_time")
    listed: list[QuestionRow] = []
    many = 0
    for row in rows(frames.questions):
        slug = row.question_id
        change = _change(slug, found)
        if change is Change.more_forecasts and not (slug in made_on or slug in ended):
            continue
        many += 1
        if many <= SHOWN:
            fresh, first, last = made_on.get(slug, (0, pd.NaT, pd.NaT))
            listed.append(
                QuestionRow(
                    question_id=slug,
                    title=row.title,
                    url=urls.get(slug, ""),
                    change=change,
                    details=_details(slug, found, ended.get(slug, 0)),
                    forecasts=fresh,
                    known=int(every.get(slug, 0)) - fresh,
                    first=time_of(first),
                    last=time_of(last),
                    closes=closes.get(slug, time_of(row.scheduled_close_time)),
                    closes_in_words=phrases.get(slug, "") if change is Change.new else "",
                )
            )
    handles = [one for one in frames.forecasts["forecaster"].unique() if one != member.handle]
    there = set(rows_with(session, select(Member.handle), Member.handle, handles))
    new_members = [handle for handle in handles if handle not in there]
    forecasting = there & set(new["forecaster"])
    known_members = [handle for handle in handles if handle in forecasting]
    return Preview(
        platform=record.platform,
        counts=found.counts,
        questions=listed,
        more=many - len(listed),
        unchanged=len(frames.questions) - many,
        left_out=left_out[:SHOWN],
        more_left_out=max(0, len(left_out) - SHOWN),
        new_members=new_members,
        known_members=known_members,
        printed=printed,
        notes=[
            *record.notes,
            *_outside(frames.questions, found, is_sheet=record.assumed is not None),
            *doubtful_names(session, record.platform, new_members, known_members, member),
        ],
    )


def _outside(questions: pd.DataFrame, found: Comparison, *, is_sheet: bool) -> Iterator[str]:
    """Yield sentences on forecasts before the opening of their question, or after its close.

    Of those with times that somebody vouches for, on questions that the ledger has. The reader of a
    sheet counts those after the sheet's own close. Others count as made now, perhaps after the
    close.
    """
    made = found.forecasts.rows[~withdrawals(found.forecasts.rows)]
    closes = found.times("close_time")
    ends = questions["actual_close_time"].fillna(questions["scheduled_close_time"])
    in_file = dict(zip(questions["question_id"], ends, strict=True))
    if not found.vouched:
        late = made[_of_each(made, in_file | closes) <= found.now]
        outside = {"Counted as made now, after their question closed, so not scored": late}
    else:
        made = made[made["question_id"].isin(list(found.known))]
        is_late = made["made_at"] >= _of_each(made, closes)
        if is_sheet:
            is_late &= ~(made["made_at"] >= _of_each(made, in_file))
        early = made[made["made_at"] < _of_each(made, found.times("open_time"))]
        outside = {
            "Made before their question opened in this ledger, so counted only from then": early,
            "Made after their question closed in this ledger, so not counted": made[is_late],
        }
    for effect, some in outside.items():
        if len(some):
            names = in_words(some["forecaster"].unique().tolist(), _FEW)
            yield f"{effect}: {count(len(some), 'forecast')} ({names})."


def _of_each(made: pd.DataFrame, times: Mapping[str, datetime]) -> pd.Series[Any]:
    """Return the time of each forecast's question."""
    return pd.to_datetime(made["question_id"].map(times), utc=True)


def _change(slug: str, found: Comparison) -> Change:
    if slug in found.questions.new:
        return Change.new
    changed = slug in found.questions.revised or slug in found.questions.resolutions
    return Change.changed if changed else Change.more_forecasts


def _details(slug: str, found: Comparison, ended: int) -> list[str]:
    details = []
    if slug in found.questions.revised:
        old, new = found.known[slug].text, found.questions.revised[slug]
        details = [
            f"{name.replace('_', ' ')}: {_short(before)} → {_short(after)}"
            for name in QuestionText.model_fields
            if (before := getattr(old, name)) != (after := getattr(new, name))
        ]
    if slug in found.questions.resolutions:
        details.append(f"outcome: {found.questions.resolutions[slug]['outcome']}")
    if ended:
        details.append(count(ended, "withdrawal"))
    return details


def _short(value: Any) -> str:
    """Return a value of a wording in few characters."""
    if isinstance(value, datetime):
        return to_minute(value)
    text = ", ".join(value) if isinstance(value, list) else str(value or "blank")
    return cut(text, _LONGEST)
