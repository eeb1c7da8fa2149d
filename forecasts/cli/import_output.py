"""Importing another platform's record: its preview and its result, as text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlmodel import Session

from forecasts.cli.console import NUMBER, WRAPPED, day, print_line, print_note, print_table
from forecasts.cli.session import acting, previewing
from forecasts.common.errors import LedgerError, in_words
from forecasts.common.text import count, on_one_line, printable
from forecasts.importing.frames import Imported
from forecasts.importing.record import Preview, QuestionRow, import_record
from forecasts.platforms.record import PlatformRecord

_LEFT_OUT = 20  # places that a finished import lists
_NAMES = 10  # members
_COLUMNS = {
    "": {},
    "question": {"max_width": 24},
    "forecasts": NUMBER,
    "title and changes": WRAPPED,
}


def import_or_preview(
    records: Mapping[str, PlatformRecord],
    advance_to: Callable[..., None],
    *,
    dry_run: bool,
    vouch: bool = False,
    account: str | None = None,
) -> None:
    """Import platforms' records in one transaction or, in a dry run, only compare them.

    The results are printed, each under the name of its record if there are several.
    ``advance_to``: that of a progress bar.
    """

    def tell(step: str, share: float) -> None:
        advance_to(description=step, completed=int(100 * share), total=100)

    how: dict[str, Any] = {"vouch": vouch, "account": account, "dry_run": dry_run}

    def each(session: Session, **by: Any) -> list[Preview]:
        found = []
        for name, record in records.items():
            try:
                found.append(import_record(session, record, on_progress=tell, **how, **by))
            except LedgerError as error:
                if len(records) > 1:
                    error.message = f"{name}: {error.message}"
                raise
        return found

    if dry_run:
        with previewing() as (session, who, now):
            seen = each(session, member=who, now=now)
        for name, one in zip(records, seen, strict=True):
            _print_name(name, records)
            print_preview(one)
        if len(records) > 1:
            print_note("Each is compared with the ledger as it is now, without the others.")
        if not all(one.changes_nothing for one in seen):
            print_note("An import cannot be undone.")
        return
    with acting(begin=True) as (session, who, now):
        done = each(session, member=who, now=now)
        tell("Storing", 1.0)
    for name, one in zip(records, done, strict=True):
        _print_name(name, records)
        print_imported(one)


def _print_name(name: str, every: Mapping[str, PlatformRecord]) -> None:
    if len(every) > 1:
        print_line(f"{printable(on_one_line(name))}:")


def print_preview(preview: Preview) -> None:
    """Print the rows that an import would write, first whose they become and how they count."""
    if preview.whose:
        print_note(in_words(preview.whose))
    print_counted(preview.counts)
    if preview.questions:
        print_table(_COLUMNS, (_cells(row, preview.counts) for row in preview.questions))
    if preview.more:
        print_line(f"… and {preview.more:,} more.")
    if preview.unchanged:
        many = "question" if preview.unchanged == 1 else "questions"
        print_line(f"Unchanged: {preview.unchanged:,} {many}.")
    _print_left_out(preview, len(preview.left_out))
    print_line(f"An import would add {summary(preview)}.")
    print_members(preview)
    _print_notes(preview)
    print_wait(preview.counts)


def _cells(row: QuestionRow, counts: Imported) -> tuple[str, ...]:
    said = "; ".join([row.title, *_dates(row, counts), *row.details])
    return str(row.change), row.question_id, f"{row.forecasts:,}", said


def _dates(row: QuestionRow, counts: Imported) -> list[str]:
    """Return the days of a question's new forecasts, and that of its close.

    Without anyone who vouches for them, the days are only those in the file.
    """
    dates = []
    if row.first is not None and row.last is not None:
        first, last = day(row.first), day(row.last)
        dates.append(
            f"{'dated' if counts.unvouched else 'made'} {first}"
            + (f" to {last}" if last != first else "")
        )
    if row.closes is not None:
        read = f" (“{row.closes_in_words}” in the title)" if row.closes_in_words else ""
        dates.append(f"close {day(row.closes)}{read}")
    return dates


def print_imported(preview: Preview) -> None:
    """Print the numbers of imported rows, and the places left out."""
    print_line(f"Imported {summary(preview)}.")
    _print_left_out(preview, _LEFT_OUT)
    print_members(preview)
    _print_notes(preview)
    print_counted(preview.counts)


def summary(preview: Preview) -> str:
    """Return the numbers of new rows on one line."""
    counts = preview.counts
    numbers = {
        "new question": counts.questions,
        "changed question": counts.revised,
        "forecast": counts.made,
        "withdrawal": counts.withdrawals,
        "resolution": counts.resolutions,
        "score of ours": counts.scores,
        "printed score": preview.printed,
        "piece of evidence": counts.evidence,
    }
    parts = [count(n, name) for name, n in numbers.items() if n]
    return ", ".join(parts) or "nothing new"


def _print_left_out(preview: Preview, most: int) -> None:
    listed = preview.left_out[:most]
    if not listed:
        return
    print_note("Left out:")
    for one in listed:
        print_note(f"  {one.place}: {on_one_line(one.value)[:80]!r} — {one.reason}")
    more = len(preview.left_out) - len(listed) + preview.more_left_out
    if more:
        print_note(f"  … and {more:,} more; forecasts import --dry-run lists them.")


def print_members(preview: Preview) -> None:
    """Print the members besides the importer who get forecasts."""
    for names, said in (
        (preview.new_members, "New members"),
        (preview.known_members, "Existing members with these handles, who get forecasts"),
    ):
        if names:
            rest = len(names) - _NAMES
            more = f" and {rest:,} more" if rest > 0 else ""
            print_note(f"{said}: {', '.join(names[:_NAMES])}{more}.")


def _print_notes(preview: Preview) -> None:
    for note in preview.notes:
        print_note(in_words(note))


def print_wait(counts: Imported) -> None:
    """Print how long others wait for the import, if that is worth a sentence."""
    if counts.wait_note:
        print_note(counts.wait_note)


def print_counted(counts: Imported) -> None:
    """Print the changed memberships, the audience of new questions and the times of forecasts."""
    if counts.memberships:
        print_note("Memberships:")
    for one in counts.memberships[:_LEFT_OUT]:
        print_note(f"  {on_one_line(one)}")
    if (more := len(counts.memberships) - _LEFT_OUT) > 0:
        print_note(f"  … and {more:,} more.")
    if counts.private_note:
        print_note(in_words(counts.private_note))
    if counts.unvouched:
        print_note(
            f"{counts.unvouched:,} of the forecasts count as made now, because nobody vouches for "
            "the imported times. An admin of the ledger can: forecasts import --vouch"
        )
