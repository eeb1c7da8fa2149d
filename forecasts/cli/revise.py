"""The commands that change a question: revise, close."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from forecasts.cli.console import (
    Because,
    Database,
    Member,
    QuestionSlug,
    acting,
    ledger,
    now,
    out,
    plain,
    settings,
)
from forecasts.cli.questions import print_changes
from forecasts.cli.root import app
from forecasts.common.errors import BadInput
from forecasts.common.times import read_time, to_minute


@app.command()
def revise(
    question: QuestionSlug,
    title: Annotated[str | None, typer.Option("--title", help="The question, anew.")] = None,
    criteria: Annotated[
        str | None, typer.Option("--criteria", help="How a stranger would decide it.")
    ] = None,
    background: Annotated[
        str | None, typer.Option("--background", help="What to know first.")
    ] = None,
    fine_print: Annotated[str | None, typer.Option("--fine-print", help="Edge cases.")] = None,
    closes: Annotated[
        str | None,
        typer.Option("--closes", metavar="TIME", help="Another last day (or time) to forecast."),
    ] = None,
    resolves: Annotated[
        str | None,
        typer.Option("--resolves", metavar="TIME", help="When it should be decided; '' for blank."),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option("--option", help="An option to add, before the last one; repeat it."),
    ] = None,
    family: Annotated[
        str | None, typer.Option("--family", help="Another family; '' for its own.")
    ] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option("--tag", help="A tag instead of those it has; repeat it; '' for none."),
    ] = None,
    outcomes: Annotated[
        Path | None,
        typer.Option("--outcomes", metavar="FILE", help="Another CSV or JSON file that will say."),
    ] = None,
    visible_to: Annotated[
        str | None,
        typer.Option("--visible-to", metavar="everyone|me|TEAM", help="Who may see it."),
    ] = None,
    hide_crowd: Annotated[
        bool | None,
        typer.Option(
            "--hide-crowd/--show-crowd",
            help="Whether what others said is hidden until one has forecast, or it has closed.",
        ),
    ] = None,
    because: Because = "",
    database: Database = None,
    member: Member = None,
) -> None:
    """Reword a question or move its close. The earlier wording stays readable, in show."""
    from forecasts.access import teams
    from forecasts.ledger.database import writing
    from forecasts.questions import registry, revisions
    from forecasts.resolution import assignments
    from forecasts.updates import wordings

    chosen, moment = settings(database, member), now()
    given: dict[str, Any] = {
        "title": title,
        "resolution_criteria": criteria,
        "background": background,
        "fine_print": fine_print,
        "scheduled_close_time": None
        if closes is None
        else read_time(closes, end_of_day=True, now=moment),
        "family": family,
        "crowd_hidden": hide_crowd,
    }
    fields = {name: value for name, value in given.items() if value is not None}
    if resolves is not None:
        fields["scheduled_resolve_time"] = (
            read_time(resolves, end_of_day=True, now=moment) if resolves else None
        )
    if tag is not None:
        fields["tags"] = [word for word in tag if word] or None
    if not fields and not option and outcomes is None and visible_to is None:
        raise BadInput("Nothing to revise was given.", remedy="See: forecasts revise --help.")
    console = out()
    with writing(ledger(chosen)) as session:
        who = acting(session, chosen, now=moment)
        found = registry.find(session, question)
        before = registry.wording(session, found)
        fields |= teams.audience(session, visible_to)
        if option:
            options = before.options or []
            fields["options"] = [*options[:-1], *option, *options[-1:]]
        if fields:
            after = revisions.revise(
                session, found, member=who, now=moment, reason=because, **fields
            )
        lacking = wordings.lacking(session, found, at=moment) if option else []
        if outcomes is not None:
            settings_of = {"path": str(outcomes)}
            assignments.attach(session, found, "outcomes_file", settings_of, member=who, now=moment)
    if fields:
        console.print(plain(f"{question}: wording {after.number}; the earlier ones stay readable"))
        print_changes(console, before, after)
    if lacking:
        stand = "forecast stands" if len(lacking) == 1 else "forecasts stand"
        last = (before.options or [""])[-1]
        console.print(
            plain(
                f"{len(lacking)} standing {stand} without what was added ({', '.join(lacking)}): "
                f"until updated, a new option has the probability given to {last!r}."
            )
        )
    if outcomes is not None:
        console.print(plain(f"{question}: {outcomes} will say how it came out"))


@app.command()
def close(
    question: QuestionSlug,
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="TIME",
            help="When it closed: forecasts from then on do not count. A day means its first "
            "instant. [default: now]",
        ),
    ] = None,
    undo: Annotated[
        bool, typer.Option("--undo", help="Take an early close back: it closes by its schedule.")
    ] = False,
    database: Database = None,
    member: Member = None,
) -> None:
    """Close a question before its schedule. Its outcome can be told later, with resolve."""
    from forecasts.ledger.database import writing
    from forecasts.questions import registry, revisions

    if undo and at is not None:
        raise BadInput("--at says when it closed, and --undo that it did not; give one of them.")
    chosen, moment = settings(database, member), now()
    time = moment if at is None else read_time(at, now=moment)
    with writing(ledger(chosen)) as session:
        who = acting(session, chosen, now=moment)
        found = registry.find(session, question)
        text = (
            revisions.reopen(session, found, member=who, now=moment)
            if undo
            else revisions.close(session, found, at=time, member=who, now=moment)
        )
    closes = "closed" if text.close_time <= moment else "closes"
    out().print(plain(f"{question}: {closes} at {to_minute(text.close_time)}"))
