"""Importing another platform's record: its preview and its result, as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session

from forecasts.cli.console import day
from forecasts.cli.outputs import Show
from forecasts.cli.printing import NUMBER, WRAPPED, listed, print_line, print_note, print_table
from forecasts.cli.session import acting, previewing
from forecasts.common.errors import FILL_IN, LedgerError, Remedy, in_words
from forecasts.common.text import count, on_one_line
from forecasts.common.text import in_words as names_in_words
from forecasts.importing.frames import Imported
from forecasts.importing.record import Preview, QuestionRow, import_record
from forecasts.platforms.record import PlatformRecord
from forecasts.questions.origins import platform_name

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
    show: Show,
    *,
    dry_run: bool,
    vouch: bool = False,
    visible_to: str | None = None,
    account: str | None = None,
) -> None:
    """Import platforms' records in one transaction or, in a dry run, only compare them.

    The results are printed, each under the name of its record if there are several.
    ``show``: that of a progress bar.
    """

    def tell(step: str, share: float) -> None:
        show(int(100 * share), 100, step)

    how: dict[str, Any] = {"vouch": vouch, "account": account, "dry_run": dry_run}
    how |= {"visible_to": visible_to, "on_progress": tell}

    def each(session: Session, **by: Any) -> list[Preview]:
        found = []
        for name, record in records.items():
            try:
                found.append(import_record(session, record, **how, **by))
            except LedgerError as error:
                if len(records) > 1:
                    error.message = f"{name}: {error.message}"
                raise
        return found

    with previewing() if dry_run else acting(begin=True) as (session, who, now):
        found = each(session, member=who, now=now)
        if not dry_run:
            tell("Storing", 1.0)
    for name, one in zip(records, found, strict=True):
        if len(records) > 1:
            print_line(f"{on_one_line(name)}:")
        if dry_run:
            _print_preview(one)
        else:
            _print_imported(one)
    if dry_run and len(records) > 1:
        print_note("Each is compared with the ledger as it is now, without the others.")
    if dry_run and not all(one.changes_nothing for one in found):
        print_note("An import cannot be undone.")


def _print_preview(preview: Preview) -> None:
    """Print the rows that an import would write, first whose they become and how they count."""
    if preview.whose:
        print_note(in_words(preview.whose))
    print_counted(preview.counts)
    if preview.questions:
        print_table(_COLUMNS, (_cells(row, preview.counts) for row in preview.questions))
    if preview.more:
        print_line(f"… and {preview.more:,} more.")
    if preview.unchanged:
        print_line(f"Unchanged: {count(preview.unchanged, 'question')}.")
    _print_left_out(preview, len(preview.left_out))
    print_line(f"An import would add {_summary(preview)}.")
    _print_members(preview)
    print_note(*map(in_words, preview.notes))
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
        until = f" to {last}" if last != first else ""
        dates.append(f"{'dated' if counts.unvouched else 'made'} {first}{until}")
    if row.closes is not None:
        read = f" (“{row.closes_in_words}” in the title)" if row.closes_in_words else ""
        dates.append(f"close {day(row.closes)}{read}")
    return dates


def _print_imported(preview: Preview) -> None:
    """Print the numbers of imported rows, and the places left out."""
    print_line(f"Imported {_summary(preview)}.")
    _print_left_out(preview, _LEFT_OUT)
    _print_members(preview)
    print_note(*map(in_words, preview.notes))
    print_counted(preview.counts, f"platform={platform_name(preview.platform).lower()}")


def _summary(preview: Preview) -> str:
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
    if not preview.left_out:
        return
    print_note("Left out:")
    for one in preview.left_out[:most]:
        print_note(f"  {one.place}: {on_one_line(one.value)[:80]!r} — {one.reason}")
    if more := max(0, len(preview.left_out) - most) + preview.more_left_out:
        print_note(f"  … and {more:,} more; forecasts import --dry-run lists them.")


def _print_members(preview: Preview) -> None:
    """Print the members besides the importer who get forecasts."""
    known = "Existing members with these handles, who get forecasts"
    for said, names in (("New members", preview.new_members), (known, preview.known_members)):
        if names:
            print_note(f"{said}: {names_in_words(names, _NAMES)}.")


def print_wait(counts: Imported) -> None:
    """Print how long others wait for the import, if that is worth a sentence."""
    if counts.wait_note:
        print_note(counts.wait_note)


def print_counted(counts: Imported, all_of: str = "") -> None:
    """Print the changed memberships, the audience of new questions and the times of forecasts.

    ``all_of``: what ``revise --all-of`` takes for the questions; blank before the import.
    """
    if counts.memberships:
        changed = [on_one_line(one) for one in counts.memberships]
        print_note("Memberships:", *listed(changed, _LEFT_OUT))
    show = "To show them to others: {}"
    way = Remedy(show, "", visible_to="TEAM")
    if all_of:
        way = Remedy(show, "revise", all_of=all_of, criteria=FILL_IN, visible_to="TEAM")
    if audiences := counts.audience_note():
        print_note(audiences)
    if note := counts.private_note(way):
        print_note(in_words(note))
    if counts.unvouched:
        print_note(
            f"{counts.unvouched:,} of the forecasts count as made now, because nobody vouches for "
            "the imported times. An admin of the ledger can: forecasts import --vouch"
        )
