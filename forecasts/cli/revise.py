"""The commands that change a question: revise, close, discard."""

from __future__ import annotations

from typing import Annotated, Any

from typer import Option

from forecasts.access import teams
from forecasts.cli.console import confirm, print_line, print_note, when
from forecasts.cli.dates import time_of
from forecasts.cli.options import Because, OutcomesFile, QuestionSlug, VisibleTo, Yes
from forecasts.cli.root import app
from forecasts.cli.session import acting, acting_on, next_step, reading_as
from forecasts.cli.show import print_changes
from forecasts.common.errors import BadInput
from forecasts.common.text import count
from forecasts.common.times import iso
from forecasts.questions import discards, registry, revisions
from forecasts.resolution import assignments
from forecasts.updates import updates


@app.command()
def revise(
    question: QuestionSlug,
    title: Annotated[str | None, Option(metavar="TEXT", help="New title.")] = None,
    criteria: Annotated[str | None, Option(metavar="TEXT", help="New resolution criteria.")] = None,
    background: Annotated[str | None, Option(metavar="TEXT", help="New background.")] = None,
    fine_print: Annotated[str | None, Option(metavar="TEXT", help="New fine print.")] = None,
    closes: Annotated[
        str | None, Option(metavar="TIME", help="New last day (or time) to forecast.")
    ] = None,
    resolves: Annotated[
        str | None, Option(metavar="TIME", help="When the outcome should be known; '' clears it.")
    ] = None,
    option: Annotated[
        list[str] | None,
        Option(metavar="TEXT", help="Option to add before the last one; repeat for each."),
    ] = None,
    family: Annotated[
        str | None, Option(metavar="NAME", help="New family; '' for its own.")
    ] = None,
    tag: Annotated[
        list[str] | None,
        Option(metavar="TAG", help="Replace the tags; repeat for each; '' for none."),
    ] = None,
    outcomes: OutcomesFile = None,
    visible_to: VisibleTo = None,
    hide_crowd: Annotated[
        bool | None,
        Option(
            "--hide-crowd/--show-crowd",
            help="Hide or show others' forecasts before a member forecasts or the question closes.",
        ),
    ] = None,
    because: Because = "",
) -> None:
    """Reword a question or change its dates. Earlier wordings are kept."""
    given: dict[str, Any] = {
        "title": title,
        "resolution_criteria": criteria,
        "background": background,
        "fine_print": fine_print,
        "family": family,
        "crowd_hidden": hide_crowd,
    }
    fields = {name: value for name, value in given.items() if value is not None}
    if tag is not None:
        fields["tags"] = [word for word in tag if word] or None
    if not fields and not option and (closes, resolves, outcomes, visible_to) == (None,) * 4:
        raise BadInput("There is nothing to change.", remedy="See: forecasts revise --help.")
    with acting() as (session, who, now):
        if closes is not None:
            fields["scheduled_close_time"] = time_of(closes, end_of_day=True, moment=now)
        if resolves is not None:
            fields["scheduled_resolve_time"] = time_of(
                resolves or None, end_of_day=True, moment=now
            )
        found = registry.find(session, question)
        before = registry.newest_wording(session, found)
        fields |= teams.visibility_fields(session, visible_to)
        if option:
            options = before.options or []
            fields["options"] = [*options[:-1], *option, *options[-1:]]
        if fields:
            after = revisions.revise(session, found, member=who, now=now, reason=because, **fields)
        lacking = updates.members_lacking_options(session, found, at=now) if option else []
        if outcomes is not None:
            path = {"path": str(outcomes)}
            assignments.attach(session, found, "outcomes_file", path, member=who, now=now)
    if fields:
        print_line(f"{question}: now wording {after.number}; earlier wordings are kept")
        print_changes(before, after)
    if lacking:
        forecasts = count(len(lacking), "current forecast predates", "current forecasts predate")
        last = (before.options or [""])[-1]
        print_line(
            f"{forecasts} a new option ({', '.join(lacking)}): until updated, the option has the "
            f"probability given to {last!r}."
        )
    if outcomes is not None:
        print_line(f"{question}: resolves from {outcomes}")


@app.command()
def close(
    question: QuestionSlug,
    at: Annotated[
        str | None,
        Option(
            metavar="TIME",
            help="Close as of this time: later forecasts do not count. A day means its start. "
            "[default: now]",
        ),
    ] = None,
    undo: Annotated[
        bool, Option("--undo", help="Undo an early close and return to the schedule.")
    ] = False,
) -> None:
    """Close a question early. Resolve it once the outcome is known."""
    if undo and at is not None:
        raise BadInput("--at closes the question, and --undo reopens it; give only one of them.")
    with acting_on(question) as (session, found, who, now):
        if undo:
            text = revisions.reopen(session, found, member=who, now=now)
        else:
            time = time_of(at, past=True, moment=now) or now
            text = revisions.close(session, found, at=time, member=who, now=now)
    closes = "closed" if text.close_time <= now else "closes"
    print_line(f"{question}: {closes} at {when(text.close_time)}")


@app.command()
def discard(question: QuestionSlug, yes: Yes = False) -> None:
    """Discard your own question within a day of asking it.

    Only while nobody else has forecast it and it has no outcome. It disappears from every list,
    score and export; its rows stay in the history, which forecasts verify checks.
    """
    with reading_as() as (session, _, _):
        text = registry.newest_wording(session, registry.find(session, question))
    confirm(f"Discard {text.title!r}?", yes=yes)
    with acting_on(question) as (session, found, who, now):
        discards.discard(session, found, member=who, now=now)
        slug = found.slug
    closes = iso(text.scheduled_close_time)
    again = next_step("ask", text.title, closes=closes)
    print_line(f"{slug}: discarded")
    print_note(f"To ask it again: {again}")
