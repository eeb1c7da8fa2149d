"""The commands for the ledger's history: verify, backup, restore."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated

import typer
from sqlmodel import Session
from typer import Argument, Option

from forecasts.access.members import handles
from forecasts.cli.console import now, print_json, print_line, print_lines, print_note, when
from forecasts.cli.options import CHOSEN, OnLedger, TextOrJson
from forecasts.cli.outputs import progress_bar
from forecasts.cli.root import app
from forecasts.cli.session import ledger, ledger_to_read, note_if_moved, opened, settings
from forecasts.common.errors import BadInput, DatabaseError, command
from forecasts.ledger.database import reading, writing
from forecasts.ledger.models import Forecast, Question, UpkeepAct
from forecasts.ledger.moved import moved_to
from forecasts.ledger.receipts import Finding, Receipt, check, read_receipts
from forecasts.ledger.urls import place, sqlite_path
from forecasts.ledger.verification import Verified
from forecasts.ledger.verification import verify as verify_chain
from forecasts.operations import stamps, upkeep
from forecasts.operations.backup import back_up
from forecasts.operations.backup import restore as restore_backup
from forecasts.operations.digests import read_digests
from forecasts.publication import forecast_proofs
from forecasts.questions.registry import newest_wording
from forecasts.scores.scores import compare
from forecasts.scores.stored_scores import Compared
from forecasts.values.value import format_value
from forecasts.views import runs as views

_MOST_RECEIPTS = 20  # that are named; the others are counted
_SAMPLE = 20  # resolutions with scores that each verification recomputes


@app.command(cls=OnLedger)
def verify(
    against: Annotated[
        str | None,
        Option(
            metavar="DIGEST|FILE",
            help="Compare with an earlier digest, or with all in a file: prove that nothing before "
            "them has changed.",
        ),
    ] = None,
    all_scores: Annotated[
        bool, Option("--scores", help="Recompute all scores, instead of those of 20 resolutions.")
    ] = False,
    receipt: Annotated[
        Path | None,
        Option(
            metavar="FILE",
            help="Prove the forecasts of these receipts: one, a list, or one a line, in JSON.",
        ),
    ] = None,
    format_: TextOrJson = "text",
) -> None:
    """Check that history and scores are unchanged; print the digest.

    Every row is hashed again and compared with its entry in the chain, and scores are computed
    again. Exit code 0: the chain is intact; 1: the altered, removed, inserted or reordered rows and
    entries are named, or tables, views and triggers that are not of the ledger's schema.
    """
    receipts = [] if receipt is None else read_receipts(receipt)
    database = CHOSEN["database_url"]
    if receipts and database is not None and Path(database).is_dir():
        if against is not None or all_scores:
            raise BadInput(
                f"{database!r} is a ledger folder, which has no chain and no scores.",
                remedy="Leave out --against and --scores, or name the ledger or a backup.",
            )
        _verify_folder(Path(database), receipts, as_json=format_ == "json")
        return
    chosen = settings()
    digests = [] if against is None else read_digests(against)
    with _verify_bar() as tell, reading(ledger_to_read(chosen)) as session:
        proofs = stamps.folder_of_proofs(session, chosen.proofs_folder)
        stamped = stamps.stamps(proofs, roots=chosen.stamp_roots)
        digests += [one.digest for one in stamped if not one.fault]
        found = verify_chain(session, against=digests, tell=tell)
        # Scores of altered rows would differ for that reason.
        scores = None if found.broken else compare(session, sample=None if all_scores else _SAMPLE)
        checked = check(session, found, receipts)
        proved = [one.receipt for one in checked if one.finding is Finding.proved]
        forecasts = _proved_forecasts(session, proved) if proved else []
    differ = _differences(scores) if scores else []
    if format_ == "json":
        whole = found.broken is None and not differ and not found.added
        receipts_checked = [
            views.CheckedReceipt.of(one, finding=one.finding.name) for one in checked
        ]
        print_json(
            views.Verification.of(
                found, whole=whole, scores=scores, receipts=receipts_checked, stamps=stamped
            )
        )
    else:
        if scores is not None:
            print_line(_intact(found, scores))
            print_lines(_stamped(stamped))
        print_lines(forecasts)
    unproved = [one.said for one in checked if one.finding is not Finding.proved]
    unproved += [f"The stamp {s.file} proves nothing: {s.fault}." for s in stamped if s.fault]
    if unproved:
        print_note("\n".join(_listed(unproved, len(unproved))))
    _exit_if_broken(found)
    if found.added:
        print_note(
            "\n".join(f"{one[0].upper()}{one[1:]}: find out who added it." for one in found.added)
        )
    if differ:
        again = "Recompute them: forecasts rescore. They are a cache, and history is intact."
        print_note("\n".join([*differ, again]))
    if differ or unproved or found.added:
        raise typer.Exit(1)


def _verify_folder(folder: Path, receipts: Sequence[Receipt], *, as_json: bool) -> None:
    """Print the findings on receipts in a ledger folder; exit code 1 unless each is proved."""
    found = forecast_proofs.compare(folder, receipts)
    proved = [one.said for one in found if one.finding == "proved"]
    unproved = [one.said for one in found if one.finding != "proved"]
    if as_json:
        print_json(views.CheckedReceipts(receipts=found))
    else:
        print_lines(_listed(proved, len(proved)))
    if unproved:
        print_note("\n".join(_listed(unproved, len(unproved))))
        raise typer.Exit(1)


def _proved_forecasts(session: Session, proved: Sequence[Receipt]) -> list[str]:
    """Return a sentence on each forecast whose receipt is proved."""

    def sentence(one: Receipt) -> str:
        forecast = session.get_one(Forecast, one.row_id)
        question = session.get_one(Question, one.question)
        value = format_value(forecast, newest_wording(session, question).options)
        return (
            f"Proved: {named[forecast.member_id]}, {value} on {question.slug}, "
            f"{when(forecast.made_at)}: entry {one.place:,}, unchanged since."
        )

    named = handles(session)
    return _listed([sentence(one) for one in proved[:_MOST_RECEIPTS]], len(proved))


def _stamped(stamped: Sequence[stamps.Stamp]) -> list[str]:
    """Return a sentence on the newest valid stamp, if there is one."""
    valid = [one for one in stamped if one.at is not None]
    if not valid:
        return []
    last = valid[-1]
    assert last.at is not None
    place = int(last.digest.partition("-")[0])
    number = "" if len(valid) == 1 else f" {len(valid):,} stamps agree with the chain."
    return [
        f"Stamped: everything up to entry {place:,} existed at {when(last.at)}, says "
        f"{last.authority}.{number}"
    ]


def _listed(said: Sequence[str], of: int) -> list[str]:
    """Return the first sentences, and the number of the others."""
    more = [f"… and {of - _MOST_RECEIPTS:,} more."] if of > _MOST_RECEIPTS else []
    return [*said[:_MOST_RECEIPTS], *more]


def _differences(scores: Compared) -> list[str]:
    """Return a sentence on each score that history does not give, and one on outdated ones."""
    said = [f"Scores were altered: {one}." for one in scores.altered]
    if scores.outdated:
        differ = "score differs" if scores.outdated == 1 else "scores differ"
        said.append(
            f"{scores.outdated:,} stored {differ} from the result of this release: an earlier "
            "release computed them, or they were altered."
        )
    return said


def _exit_if_broken(found: Verified) -> None:
    """Print the fault in history, if there is one, and exit with code 1."""
    broken = found.broken
    if broken is None:
        return
    where = []
    if broken.entry is not None:
        where.append(f"entry {broken.entry:,}")
    if broken.kind is not None:
        where.append(f"{broken.kind.replace('_', ' ')} {broken.row}")
    if broken.question is not None:
        number = "" if broken.number is None else f", entry {broken.number:,} of its chain"
        where.append(f"question {broken.question!r}{number}")
    at = f", first at {'; '.join(where)}" if where else ""
    print_note(
        f"History was {broken.fault}{at}: {broken.said}.\n"
        + "".join(f"It was {one.fault} too where {one.said}.\n" for one in found.more)
        + f"Everything before it is intact, with the digest {found.digest}\n"
        "Do not change the ledger. Find out who could write to its database, and compare it with "
        "the newest backup that forecasts verify finds intact."
    )
    raise typer.Exit(1)


@contextmanager
def _verify_bar() -> Iterator[Callable[[int, int], None]]:
    """Yield a function that shows how many entries of how many were verified."""
    with progress_bar("verify", "entries") as advance_to:
        yield lambda done, entries: advance_to(completed=done, total=entries)


@app.command(cls=OnLedger)
def backup(
    file: Annotated[Path, Argument(metavar="FILE", help="The backup to write.")],
    force: Annotated[bool, Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Back up a ledger file while it is in use, and verify the copy.

    For a ledger on a server, the command to use instead is printed (exit code 2).
    """
    engine = ledger(settings())
    note_if_moved(engine)
    with _verify_bar() as tell:
        found = back_up(engine, file, force=force, on_progress=tell)
    # A ledger that takes no acts remembers none.
    with suppress(DatabaseError), writing(engine) as session:
        place = str(file.absolute())
        upkeep.record(session, UpkeepAct.backup, place, now=now(), digest=found.digest)
    if found.broken is not None:
        print_note(f"{file} is an exact copy of the ledger, but the ledger's history is broken:")
    _exit_if_broken(found)
    print_line(f"{file} has {_entries(found)}, and its history is intact.")
    print_line(found.digest)


@app.command(cls=OnLedger)
def restore(file: Annotated[Path, Argument(metavar="FILE", help="The backup to restore.")]) -> None:
    """Restore a ledger from a verified backup. The old ledger is kept beside it.

    The ledger must not be open anywhere: stop the app first.
    """
    chosen = settings()
    engine = opened(chosen, begin=True, damaged=True)
    with _verify_bar() as tell:
        done = restore_backup(engine, file, now=now(), on_progress=tell)
    print_line(
        f"Restored {place(engine)} from {file}: {_entries(done.found)}, and its history is intact."
    )
    print_line(done.found.digest)
    if done.aside is not None:
        print_note(f"The old ledger is now at {done.aside}.")
    if there := moved_to(engine):
        print_note(
            f"The backup was made after the move to {there}, so it takes no acts until you run: "
            + command("move", reopen=True, database=place(engine))
        )
    restored = sqlite_path(engine)
    folder = chosen.proofs_folder or (None if restored is None else stamps.beside(restored))
    if folder is not None and (later := stamps.later_than(folder, done.found.entries)):
        print_note(
            f"Stamps of entries after this backup: {later}. forecasts verify will name them until "
            f"you move them out of {folder}."
        )


def _entries(found: Verified) -> str:
    return f"{found.entries:,} {'entry' if found.entries == 1 else 'entries'}"


def _intact(found: Verified, scores: Compared) -> str:
    plurals = {"evidence": "evidence", "policy": "policies", "identity": "identities"}
    rows = ", ".join(
        f"{count:,} {kind if count == 1 else plurals.get(kind, f'{kind}s')}".replace("_", " ")
        for kind, count in found.rows.items()
        if kind != "ledger"
    )
    lines = [f"History is intact: {_entries(found)} for {rows or 'no rows yet'}."]
    if found.forgotten:
        refer = "entry refers" if found.forgotten == 1 else "entries refer"
        lines.append(f"{found.forgotten:,} {refer} to text that was removed with its member.")
    if scores.resolutions and not _differences(scores):
        of = "" if scores.resolutions == scores.of else f" of {scores.of:,}"
        plural = "" if scores.of == 1 else "s"
        lines.append(
            f"The scores of {scores.resolutions:,}{of} resolution{plural} were computed again, and "
            "are as stored."
        )
    if found.against is not None:
        lines.append(f"Nothing up to entry {found.against:,} has changed since that digest.")
    return "\n".join([*lines, "", "Digest (keep it where nobody can change it):", found.digest])
