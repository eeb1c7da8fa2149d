"""The commands for operators: migrate, check, move, verify, backup, restore."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Engine
from sqlmodel import Session

from forecasts.access.members import handles
from forecasts.access.roles import is_shared
from forecasts.cli.console import now, when
from forecasts.cli.options import CHOSEN, OnLedger, TextOrJson, argument, flag, option
from forecasts.cli.outputs import progress_bar
from forecasts.cli.printing import listed, print_line, print_lines, print_note, printed_json
from forecasts.cli.root import app
from forecasts.cli.session import (
    ledger,
    ledger_to_read,
    note_if_moved,
    opened,
    print_migrated,
    settings,
)
from forecasts.common.errors import BadInput, DatabaseError, command
from forecasts.common.text import count
from forecasts.ledger import head, models, schema, verification
from forecasts.ledger.database import reading, writing
from forecasts.ledger.moved import moved_to
from forecasts.ledger.receipts import Finding, Receipt, read_receipts
from forecasts.ledger.receipts import check as check_receipts
from forecasts.ledger.urls import is_embedded, place, sqlite_path
from forecasts.operations import grants, health, stamps, transfer, upkeep
from forecasts.operations.backup import back_up
from forecasts.operations.backup import restore as restore_backup
from forecasts.operations.digests import read_digests
from forecasts.publication import forecast_proofs
from forecasts.questions.registry import newest_wording
from forecasts.scores.scores import compare
from forecasts.scores.stored_scores import Compared
from forecasts.values.value import format_value
from forecasts.views import runs as views

_MOST = 20  # receipts and differences that are named; the others are counted
_SAMPLE = 20  # resolutions with scores that each verification recomputes


@app.command(cls=OnLedger)
def migrate(
    grant: Annotated[
        str | None,
        option("ROLE", "Also grant this database role the rights that members' work needs."),
    ] = None,
) -> None:
    """Create a ledger on a server, or update its schema.

    A ledger in a file is created and updated by the app and by every command; one on a server,
    which others use too, only by this command.
    """
    engine = opened(settings(), begin=True)
    migrated = schema.migrate(engine)
    if migrated is not None:
        print_migrated(engine, migrated)
    if grant is not None:
        grants.grant(engine, grant)
        print_line(f"The role {grant} has the rights that members' work needs.")
    print_line(
        f"The ledger {place(engine)} has schema {schema.schema_revision(engine)}, the newest."
    )
    _note_if_open(engine)


@app.command(cls=OnLedger)
def check(format_: TextOrJson = "text") -> None:
    """Check a ledger: schema, permissions, clock, rows and sign-in.

    Nothing is changed. Exit code 0: all is well; 1: something is not, with the remedy below it;
    2: the ledger could not be opened.
    """
    chosen, error = settings(), None
    try:
        found = health.check(opened(chosen), now)
    except DatabaseError as raised:
        error, found = raised, health.check_unopened(chosen.database_url, raised)
    found = [*found, health.check_sign_in()]
    documents = [views.HealthCheck.of(one, check=one.about) for one in found]
    for one in [] if printed_json(format_, documents) else found:
        if error is not None and one.about == "connection":
            continue  # it is printed last, as an error
        print_line(f"{'✓' if one.passed else '✗'} {one.about}: {one.result}")
        if not one.passed:
            print_line(f"  {one.remedy}")
    if error is not None:
        raise error
    failed = sum(not one.passed for one in found)
    if failed:
        print_note(f"{failed} of {len(found)} checks failed.")
        raise typer.Exit(1)
    print_note("All is well.")


@app.command(cls=OnLedger)
def move(
    to: Annotated[
        str | None, option("URL|FILE", "The target: an empty database or a new SQLite file.")
    ] = None,
    reopen: Annotated[
        bool, flag("--reopen", "Let a file that was moved take acts again, and move nothing.")
    ] = False,
) -> None:
    """Move the ledger to another database and compare every row.

    Nobody can write to the original meanwhile. To continue an interrupted move, run the same
    command again. Afterwards a ledger in a file can be read, but refuses every act with a sentence
    that names the new place.
    """
    if (to is None) is not reopen:
        raise BadInput(
            "A move needs either --to or --reopen.",
            remedy="Name the target: forecasts move --to postgresql://me@host/forecasts",
        )
    source = opened(settings())
    if to is None:
        there = transfer.reopen(source)
        print_line(f"The ledger {place(source)} takes acts again.")
        print_note(
            f"{there} is not changed, and what is stored there is not stored here: let everyone "
            "use one of the two."
        )
        return
    target = opened(settings(database_url=to), begin=True, unfinished=True)
    try:
        with progress_bar("", "rows") as show:

            def tell(step: transfer.Step) -> None:
                show(step.done, step.rows, f"{step.act} {step.table.replace('_', ' ')}")

            moved = transfer.move(source, target, on_step=tell)
    except KeyboardInterrupt:
        print_note("Stopped. To continue, run the same command again.")
        raise typer.Exit(130) from None
    rows = sum(moved.rows.values())
    resumed = " (resumed)" if moved.resumed else ""
    print_line(
        f"Moved {rows:,} rows of {len(moved.rows)} tables to {place(target)}{resumed}, and "
        "compared each with its original."
    )
    print_note(
        f"The ledger at {place(source)} can be read, and takes no more acts."
        if is_embedded(source)
        else f"The ledger at {place(source)} still takes acts. To refuse them, its owner runs: "
        f"ALTER DATABASE {source.url.database} SET default_transaction_read_only = on"
    )
    print_note("To use the new one, set FORECASTS_DATABASE_URL to it for everyone.")
    _note_stamps(source, target, settings().proofs_folder)
    _note_if_open(target)


def _note_stamps(source: Engine, target: Engine, chosen: Path | None) -> None:
    """Tell the operator where the stamps are, if they are looked for elsewhere from now on."""
    with reading(source) as session, reading(target) as moved:
        here, there = (stamps.folder_of_proofs(one, chosen) for one in (session, moved))
    if here != there and (kept := stamps.later_than(here, -1)):
        print_note(
            f"Stamps are not moved: copy {count(kept, 'stamp')} from {here} to {there}, where "
            "forecasts verify looks for them."
        )


def _note_if_open(engine: Engine) -> None:
    """Tell the operator if a ledger on a server has no admin."""
    if is_embedded(engine):
        return
    with reading(engine) as session:
        shared = is_shared(session)
    if not shared:
        print_note(
            "It has no admin yet, so anyone who can open it may do anything in it. To appoint one: "
            "forecasts team appoint HANDLE admin (docs/teams.md). Where members sign in, "
            "the first to do so becomes the admin."
        )


@app.command(cls=OnLedger)
def verify(
    against: Annotated[
        str | None,
        option(
            "DIGEST|FILE",
            "Compare with an earlier digest, or with all in a file: prove that nothing before "
            "them has changed.",
        ),
    ] = None,
    all_scores: Annotated[
        bool, flag("--scores", "Recompute all scores, instead of those of 20 resolutions.")
    ] = False,
    receipt: Annotated[
        Path | None,
        option(
            "FILE", "Prove the forecasts of these receipts: one, a list, or one a line, in JSON."
        ),
    ] = None,
    proofs: Annotated[
        str | None,
        option(
            "FOLDER|DIGEST",
            "Check receipts without the ledger, against a folder exported with proofs, a "
            "published record, or the digest of their entry.",
        ),
    ] = None,
    accept: Annotated[
        bool,
        flag("--accept", "Go on from the ledger's last entry, though later ones are missing."),
    ] = False,
    format_: TextOrJson = "text",
) -> None:
    """Check that history and scores are unchanged; print the digest.

    Every row is hashed again and compared with its entry in the chain, and scores are computed
    again. Exit code 0: the chain is intact; 1: the altered, removed, inserted or reordered rows and
    entries are named, or differences from the ledger's schema that weaken its protection.
    """
    receipts = [] if receipt is None else read_receipts(receipt)
    database = CHOSEN["database_url"]
    if receipts and database is not None and Path(database).is_dir():
        proofs = proofs or database
    if proofs is not None:
        if not receipts or against is not None or all_scores:
            raise BadInput(
                f"{proofs!r} can only be compared with receipts: it is not a ledger.",
                remedy="Give --receipt FILE without --against and --scores, or name the ledger or "
                "a backup with --database.",
            )
        _verify_apart(proofs, receipts, format_)
        return
    chosen = settings()
    digests = [] if against is None else read_digests(against)
    engine = ledger_to_read(chosen)
    if accept:
        head.accept(engine)
    with progress_bar("verify", "entries") as tell, reading(engine) as session:
        folder = stamps.folder_of_proofs(session, chosen.proofs_folder)
        stamped = stamps.stamps(folder, roots=chosen.stamp_roots)
        digests += [one.digest for one in stamped if not one.fault]
        found = verification.verify(session, against=digests, tell=tell)
        # Scores of altered rows would differ for that reason.
        scores = None if found.broken else compare(session, sample=None if all_scores else _SAMPLE)
        checked = check_receipts(session, found, receipts)
        proved = [one.receipt for one in checked if one.finding is Finding.proved]
        forecasts = _proved_forecasts(session, proved) if proved else []
    differ = _differences(scores) if scores else []
    differ += [f"{one[0].upper()}{one[1:]}." for one in found.derived]
    document = views.Verification.of(
        found,
        whole=found.broken is None and not differ and not found.weakened,
        scores=scores,
        receipts=[views.CheckedReceipt.of(one, finding=one.finding.name) for one in checked],
        stamps=stamped,
    )
    if not printed_json(format_, document):
        if scores is not None:
            print_lines([*_intact(found, scores), *_stamped(stamped)])
        print_lines(forecasts)
    unproved = [one.said for one in checked if one.finding is not Finding.proved]
    unproved += [f"The stamp {s.file} proves nothing: {s.fault}." for s in stamped if s.fault]
    print_note(*listed(unproved, _MOST, indent=""))
    _exit_if_broken(found)
    weakened = [f"The protection of history is weakened: {one}." for one in found.weakened]
    print_note(*listed(weakened, _MOST, indent=""))
    print_note(*listed([f"Harmless: {one}." for one in found.added], _MOST, indent=""))
    if differ:
        again = "Recompute them: forecasts rescore. They are a cache, and history is intact."
        print_note(*differ, again)
    if differ or unproved or found.weakened:
        raise typer.Exit(1)


def _verify_apart(proofs: str, receipts: Sequence[Receipt], format_: str) -> None:
    """Print the findings on receipts without a ledger; exit code 1 unless each is proved."""
    folder = Path(proofs)
    known = folder if folder.is_dir() else read_digests(proofs)
    found = forecast_proofs.compare(known, receipts)
    proved = [one.said for one in found if one.finding == "proved"]
    unproved = [one.said for one in found if one.finding != "proved"]
    if not printed_json(format_, views.CheckedReceipts(receipts=found)):
        print_lines(listed(proved, _MOST, indent=""))
    print_note(*listed(unproved, _MOST, indent=""))
    if unproved:
        raise typer.Exit(1)


def _proved_forecasts(session: Session, proved: Sequence[Receipt]) -> list[str]:
    """Return a sentence on each forecast whose receipt is proved."""

    def sentence(one: Receipt) -> str:
        forecast = session.get_one(models.Forecast, one.row_id)
        question = session.get_one(models.Question, one.question)
        value = format_value(forecast, newest_wording(session, question).options)
        return (
            f"Proved: {named[forecast.member_id]}, {value} on {question.slug}, "
            f"{when(forecast.made_at)}: entry {one.place:,}, unchanged since."
        )

    named = handles(session)
    first = [sentence(one) for one in proved[:_MOST]]
    return listed(first, _MOST, of=len(proved), indent="")


def _stamped(stamped: Sequence[stamps.Stamp]) -> list[str]:
    """Return a sentence on the newest valid stamp, if there is one."""
    valid = [one for one in stamped if one.at is not None]
    if not valid:
        return []
    last = valid[-1]
    assert last.at is not None
    entry = int(last.digest.partition("-")[0])
    number = "" if len(valid) == 1 else f" {len(valid):,} stamps agree with the chain."
    return [
        f"Stamped: everything up to entry {entry:,} existed at {when(last.at)}, says "
        f"{last.authority}.{number}"
    ]


def _differences(scores: Compared) -> list[str]:
    """Return a sentence on each score that history does not give, and one on outdated ones."""
    said = [f"Scores were altered: {one}." for one in scores.altered]
    if scores.outdated:
        differ = count(scores.outdated, "stored score differs", "stored scores differ")
        said.append(
            f"{differ} from the result of this release: an earlier release computed them, or they "
            "were altered."
        )
    return said


def _exit_if_broken(found: verification.Verified) -> None:
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


@app.command(cls=OnLedger)
def backup(
    file: Annotated[Path, argument("FILE", "The backup to write.")],
    force: Annotated[bool, flag("--force", "Replace an existing file.")] = False,
) -> None:
    """Back up a ledger file while it is in use, and verify the copy.

    For a ledger on a server, the command to use instead is printed (exit code 2).
    """
    engine = ledger(settings())
    note_if_moved(engine)
    with progress_bar("verify", "entries") as tell:
        found = back_up(engine, file, force=force, on_progress=tell)
    # A ledger that takes no acts remembers none.
    with suppress(DatabaseError), writing(engine) as session:
        target = str(file.absolute())
        upkeep.record(session, models.UpkeepAct.backup, target, now=now(), digest=found.digest)
    if found.broken is not None:
        print_note(f"{file} is an exact copy of the ledger, but the ledger's history is broken:")
    _exit_if_broken(found)
    print_line(f"{file} has {_entries(found)}, and its history is intact.")
    print_line(found.digest)


@app.command(cls=OnLedger)
def restore(file: Annotated[Path, argument("FILE", "The backup to restore.")]) -> None:
    """Restore a ledger from a verified backup. The old ledger is kept beside it.

    The ledger must not be open anywhere: stop the app first.
    """
    chosen = settings()
    engine = opened(chosen, begin=True, damaged=True)
    with progress_bar("verify", "entries") as tell:
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


def _entries(found: verification.Verified) -> str:
    return count(found.entries, "entry", "entries")


def _intact(found: verification.Verified, scores: Compared) -> list[str]:
    """Return the sentences on an intact history, and its digest."""
    plurals = {"evidence": "evidence", "policy": "policies", "identity": "identities"}
    rows = ", ".join(
        count(many, kind, plurals.get(kind, f"{kind}s")).replace("_", " ")
        for kind, many in found.rows.items()
        if kind != "ledger"
    )
    lines = [f"History is intact: {_entries(found)} for {rows or 'no rows yet'}."]
    if found.forgotten:
        refer = count(found.forgotten, "entry refers", "entries refer")
        lines.append(f"{refer} to text that was removed with its member.")
    if scores.resolutions and not _differences(scores):
        of = "" if scores.resolutions == scores.of else f"{scores.resolutions:,} of "
        resolutions = f"{of}{count(scores.of, 'resolution')}"
        lines.append(f"The scores of {resolutions} were computed again, and are as stored.")
    if found.against is not None:
        lines.append(f"Nothing up to entry {found.against:,} has changed since that digest.")
    return [*lines, "", "Digest (keep it where nobody can change it):", found.digest]
