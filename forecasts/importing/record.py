"""Import the record of another platform: compare it with the ledger, then write it.

On top of ``import_``: each question is found again by its origin, and what conflicts with the
ledger is left out with its reason, since nobody here can correct the platform. Origins, printed
scores and the kinds of new members are imported too.

Names of questions are those of ``question_names``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sqlmodel import Session, col, select

from forecasts.common.errors import Advice
from forecasts.common.memory import release_memory
from forecasts.common.text import cut
from forecasts.common.times import to_minute
from forecasts.folder.frames import Frames, rows
from forecasts.importing.accounts import as_member, doubtful_names, whose
from forecasts.importing.forecasts import question_ids, withdrawals
from forecasts.importing.frames import (
    Comparison,
    Imported,
    compare_frames,
    without,
    write_frames,
)
from forecasts.importing.origins import write_origins
from forecasts.importing.printed_scores import new_printed_scores, write_printed_scores
from forecasts.importing.question_names import mapped, names_here
from forecasts.importing.questions import Progress, time_of
from forecasts.importing.undated import close_phrases, with_known_times
from forecasts.importing.windows import outside_notes
from forecasts.ledger.models import Member, QuestionText
from forecasts.platforms.record import LeftOut, PlatformRecord, check_record
from forecasts.questions.standing import in_batches

SHOWN = 500  # rows of each list in a preview
_LONGEST = 80  # characters of a text in a detail


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


def preview(
    session: Session,
    record: PlatformRecord,
    *,
    member: Member,
    now: datetime,
    vouch: bool = False,
    account: str | None = None,
    owner: str = "",
    on_progress: Progress = lambda _step, _share: None,
) -> Preview:
    """Return the preview of ``import_record``; nothing is written. It has the same errors."""
    return _compared(session, record, member, now, vouch, account, owner, on_progress).preview


def import_record(
    session: Session,
    record: PlatformRecord,
    *,
    member: Member,
    now: datetime,
    vouch: bool = False,
    account: str | None = None,
    owner: str = "",
    on_progress: Progress = lambda _step, _share: None,
) -> Preview:
    """Return the new rows; everything that the ledger does not have yet is written.

    The same record again changes nothing, and a newer one adds its new questions, wordings,
    resolutions, forecasts and printed scores. A value that a question had before is not restored:
    neither an older export nor one without a member's edit undoes a change. ``account``: the
    forecaster of the record who is ``member``. ``vouch``, permissions and the other rules are those
    of ``frames.import_frames``. BadInput names file, row, column, value and rule.
    """
    found = _compared(session, record, member, now, vouch, account, owner, on_progress)
    counts = write_frames(
        session,
        found.record.frames,
        found.comparison,
        member=member,
        now=now,
        origin="implied" if record.implied else "import",
        on_progress=on_progress,
    )
    ids = question_ids(session, found.record.frames.questions["question_id"].tolist())
    is_limited, known = found.comparison.is_limited, found.comparison.known.values()
    others = {state.id for state in known if is_limited and state.member_id != member.id}
    write_origins(session, found.record, ids, others, now)
    write_printed_scores(session, found.printed, record.platform, ids, now)
    return replace(found.preview, counts=counts)


class _Compared(NamedTuple):
    """A record with this ledger's names for its questions, and its differences from the ledger."""

    record: PlatformRecord
    comparison: Comparison
    printed: pd.DataFrame
    preview: Preview


def _compared(
    session: Session,
    record: PlatformRecord,
    member: Member,
    now: datetime,
    vouch: bool,
    account: str | None,
    owner: str,
    on_progress: Progress,
) -> _Compared:
    check_record(record.frames)
    owner = owner or member.handle
    name, record = account or record.account, as_member(session, record, account, owner)
    on_progress("Questions of this ledger", 0.0)
    names, discarded = names_here(session, record, member)
    left_out = [*record.left_out, *_discarded(record.frames, discarded)]
    record, closeless, times = with_known_times(session, record, names, now)
    left_out += closeless.values()
    phrases = close_phrases(record, names)
    record = _renamed(record, names, discarded | closeless.keys())
    comparison = compare_frames(
        session,
        record.frames,
        member=member,
        now=now,
        vouch=vouch,
        on_progress=on_progress,
        tolerant=times,
    )
    left_out += _conflicting(record.frames, comparison)
    is_sheet = record.assumed is not None
    outside = outside_notes(record.frames.questions, comparison, now, is_sheet=is_sheet)
    record = replace(record, notes=[*record.notes, *outside])
    known = {slug: state.id for slug, state in comparison.known.items()}
    printed = new_printed_scores(session, record, known, member)
    preview = _preview(session, record, comparison, left_out, len(printed), member, phrases)
    of = whose(session, comparison.forecasts.rows, name, owner)
    release_memory()  # of the sums over all forecasts
    return _Compared(record, comparison, printed, replace(preview, whose=of))


def _renamed(
    record: PlatformRecord, names: Mapping[str, str], discarded: Collection[str]
) -> PlatformRecord:
    """Return the record with this ledger's names for its questions, without the discarded ones."""
    frames = without(record.frames, discarded) if discarded else record.frames
    tables = {
        name: table.assign(question_id=mapped(table["question_id"], names))
        for name, table in (
            ("questions", frames.questions),
            ("forecasts", frames.forecasts),
            ("origins", record.origins[~record.origins["question_id"].isin(discarded)]),
            ("printed", record.printed[~record.printed["question_id"].isin(discarded)]),
        )
    }
    frames = replace(
        frames,
        questions=tables["questions"].astype({"question_id": "str"}),
        forecasts=tables["forecasts"],
    )
    return replace(record, frames=frames, origins=tables["origins"], printed=tables["printed"])


def _discarded(frames: Frames, discarded: Collection[str]) -> Iterator[LeftOut]:
    theirs = np.flatnonzero(frames.questions["question_id"].isin(list(discarded)))
    titles = frames.questions["title"].iloc[theirs].tolist()
    for number, title in zip(theirs.tolist(), titles, strict=True):
        place = frames.place("questions", number)
        yield LeftOut(place, title, "you have discarded this question here")


def _conflicting(frames: Frames, comparison: Comparison) -> Iterator[LeftOut]:
    for one in comparison.conflicts:
        yield LeftOut(one.problem.place, one.problem.value, one.problem.rule)
    for slug in sorted({one.question_id for one in comparison.conflicts if one.unfits}):
        many = int((frames.forecasts["question_id"] == slug).sum())
        yield LeftOut(
            slug,
            f"{many:,} forecast{'' if many == 1 else 's'}",
            "for other options or another type",
        )


def _preview(
    session: Session,
    record: PlatformRecord,
    comparison: Comparison,
    left_out: Sequence[LeftOut],
    printed: int,
    member: Member,
    phrases: Mapping[str, str],
) -> Preview:
    frames = record.frames
    new, ended = _by_question(comparison.forecasts.rows)
    every, _ = _by_question(frames.forecasts)
    made = _made_between(comparison.forecasts.rows)
    urls = dict(zip(record.origins["question_id"], record.origins["url"], strict=True))
    listed: list[QuestionRow] = []
    many, known_here = 0, comparison.known
    for row in rows(frames.questions):
        slug = row.question_id
        change = _change(slug, comparison)
        if change is Change.more_forecasts and not (slug in new or slug in ended):
            continue
        many += 1
        if many <= SHOWN:
            fresh = new.get(slug, 0)
            known = every.get(slug, 0) - fresh
            details = _details(slug, comparison, ended.get(slug, 0))
            first, last = map(time_of, made.loc[slug]) if slug in made.index else (None, None)
            listed.append(
                QuestionRow(
                    question_id=slug,
                    title=row.title,
                    url=urls.get(slug, ""),
                    change=change,
                    details=details,
                    forecasts=fresh,
                    known=known,
                    first=first,
                    last=last,
                    closes=(
                        known_here[slug].closes
                        if slug in known_here
                        else time_of(row.scheduled_close_time)
                    ),
                    closes_in_words=phrases.get(slug, "") if change is Change.new else "",
                )
            )
    handles = [str(handle) for handle in frames.forecasts["forecaster"].unique()]
    there = {
        handle
        for some in in_batches(handles)
        for handle in session.exec(select(Member.handle).where(col(Member.handle).in_(some)))
    }
    forecasting = {str(handle) for handle in comparison.forecasts.rows["forecaster"].unique()}
    others = [handle for handle in handles if handle != member.handle]
    new_members = [handle for handle in others if handle not in there]
    getting = there & forecasting
    known_members = [handle for handle in others if handle in getting]
    doubts = doubtful_names(session, record.platform, new_members, known_members, member)
    return Preview(
        platform=record.platform,
        counts=comparison.counts,
        questions=listed,
        more=many - len(listed),
        unchanged=len(frames.questions) - many,
        left_out=left_out[:SHOWN],
        more_left_out=max(0, len(left_out) - SHOWN),
        new_members=new_members,
        known_members=known_members,
        printed=printed,
        notes=[*record.notes, *doubts],
    )


def _by_question(forecasts: pd.DataFrame) -> tuple[dict[str, int], dict[str, int]]:
    """Return the number of forecasts on each question that has any, and that of withdrawals."""
    is_end = withdrawals(forecasts)
    made, ended = (
        {str(slug): count for slug, count in slugs.value_counts().items() if count}
        for slugs in (forecasts["question_id"][~is_end], forecasts["question_id"][is_end])
    )
    return made, ended


def _made_between(forecasts: pd.DataFrame) -> pd.DataFrame:
    """Return when the first and the last forecast on each question were made, not withdrawals."""
    made = forecasts.loc[~withdrawals(forecasts), ["question_id", "made_at"]]
    return made.groupby("question_id", observed=True)["made_at"].agg(["min", "max"])


def _change(slug: str, comparison: Comparison) -> Change:
    found = comparison.questions
    if slug in found.new:
        return Change.new
    changed = slug in found.revised or slug in found.resolutions
    return Change.changed if changed else Change.more_forecasts


def _details(slug: str, comparison: Comparison, ended: int) -> list[str]:
    details = []
    if slug in comparison.questions.revised:
        old, new = comparison.known[slug].text, comparison.questions.revised[slug]
        details = [
            f"{name.replace('_', ' ')}: {_short(before)} → {_short(after)}"
            for name in QuestionText.model_fields
            if (before := getattr(old, name)) != (after := getattr(new, name))
        ]
    if slug in comparison.questions.resolutions:
        details.append(f"outcome: {comparison.questions.resolutions[slug]['outcome']}")
    if ended:
        details.append("1 withdrawal" if ended == 1 else f"{ended:,} withdrawals")
    return details


def _short(value: Any) -> str:
    """Return a value of a wording in few characters."""
    if isinstance(value, datetime):
        return to_minute(value)
    text = ", ".join(value) if isinstance(value, list) else str(value or "blank")
    return cut(text, _LONGEST)
