"""The commands that end a question: resolve, run."""

from __future__ import annotations

from typing import Annotated

import typer

from forecasts.cli import app
from forecasts.cli.console import (
    Because,
    Database,
    Member,
    QuestionSlug,
    ledger,
    now,
    out,
    plain,
    settings,
)
from forecasts.times import iso, read_time


@app.command()
def resolve(
    question: QuestionSlug,
    outcome: Annotated[
        str, typer.Argument(help="yes, no, an option, a number, a date, annulled or ambiguous.")
    ],
    known_at: Annotated[
        str | None,
        typer.Option(
            "--known-at",
            metavar="TIME",
            help="When the outcome became known: forecasts after it do not count. A day means its "
            "first instant. [default: now; for a correction, as before]",
        ),
    ] = None,
    because: Because = "",
    source: Annotated[str, typer.Option("--source", help="What says so: a URL.")] = "",
    database: Database = None,
    member: Member = None,
) -> None:
    """Resolve a question and score every forecast on it; again with another outcome to correct."""
    from forecasts import questions, resolutions, scores
    from forecasts.access import member_or_new
    from forecasts.database import writing

    chosen, moment = settings(database, member), now()
    known = moment if known_at is None else read_time(known_at)
    with writing(ledger(chosen)) as session:
        who = member_or_new(session, chosen.member, now=moment)
        found = questions.find(session, question)
        standing = questions.as_it_stands(session, found, now=moment).resolution
        if known_at is None and standing is not None and standing.known_at is not None:
            known = standing.known_at  # a correction keeps the time, unless it is told another
        resolution = resolutions.confirm(
            session,
            found,
            outcome,
            known_at=known,
            now=moment,
            member=who,
            note=because,
            source=source,
        )
        scored = [
            (handle, score.score, score.coverage)
            for score, handle in scores.of_question(session, resolution)
            if score.protocol == "brier"
        ]
        superseded = resolution.supersedes_id is not None
    console = out()
    console.print(
        plain(
            f"{question}: {resolution.outcome}, known at {iso(known)}"
            + (" (supersedes the earlier resolution, which stays readable)" if superseded else "")
        )
    )
    for handle, score, coverage in scored:
        console.print(plain(f"  {handle}: Brier {score:.4f} (0–1), coverage {coverage:.0%}"))
    if not scored:
        console.print("  No scores.")


@app.command()
def run(database: Database = None) -> None:
    """Resolve what is due by the resolvers that the questions carry. Safe to run twice."""
    from forecasts import runs
    from forecasts.models import RunState

    console = out()
    summary = runs.run(
        ledger(settings(database)),
        now=now(),
        tell=lambda looked: (
            console.print(
                plain(f"{looked.state.replace('_', ' ')}: {looked.slug}: {looked.message}")
            )
            if looked.state != RunState.not_yet
            else None
        ),
    )
    console.print(
        f"{summary.count(RunState.confirmed)} resolved, "
        f"{summary.count(RunState.not_yet)} not known yet, "
        f"{summary.count(RunState.failed)} failed"
    )
    if summary.count(RunState.failed):
        raise typer.Exit(3)
