"""The commands that change a question: revise, close, discard, same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from forecasts.cli.console import (
    confirm,
    next_step,
    print_json,
    print_line,
    print_note,
    time_of,
    when,
)
from forecasts.cli.options import (
    Because,
    Database,
    Member,
    OutcomesFile,
    QuestionSlug,
    TextOrJson,
    VisibleTo,
    Yes,
)
from forecasts.cli.root import app
from forecasts.cli.session import acting, acting_on, reading_as
from forecasts.cli.show import print_changes
from forecasts.common.errors import BadInput
from forecasts.common.text import count
from forecasts.common.times import iso

if TYPE_CHECKING:
    from sqlmodel import Session

    from forecasts.questions.families import Joined
    from forecasts.questions.same_questions import SamePair


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
    database: Database = None,
    member: Member = None,
) -> None:
    """Reword a question or change its dates. Earlier wordings are kept."""
    from forecasts.access import teams
    from forecasts.questions import registry, revisions
    from forecasts.resolution import assignments
    from forecasts.updates import updates

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
    with acting(database, member) as (session, who, now):
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
    database: Database = None,
    member: Member = None,
) -> None:
    """Close a question early. Resolve it once the outcome is known."""
    from forecasts.questions import revisions

    if undo and at is not None:
        raise BadInput("--at closes the question, and --undo reopens it; give only one of them.")
    with acting_on(question, database, member) as (session, found, who, now):
        if undo:
            text = revisions.reopen(session, found, member=who, now=now)
        else:
            time = time_of(at, past=True, moment=now) or now
            text = revisions.close(session, found, at=time, member=who, now=now)
    closes = "closed" if text.close_time <= now else "closes"
    print_line(f"{question}: {closes} at {when(text.close_time)}")


@app.command()
def discard(
    question: QuestionSlug, yes: Yes = False, database: Database = None, member: Member = None
) -> None:
    """Discard your own question within a day of asking it.

    Only while nobody else has forecast it and it has no outcome. It disappears from every list,
    score and export; its rows stay in the history, which forecasts verify checks.
    """
    from forecasts.questions import discards, registry

    with reading_as(database, member) as (session, _, _):
        text = registry.newest_wording(session, registry.find(session, question))
    confirm(f"Discard {text.title!r}?", yes=yes)
    with acting_on(question, database, member) as (session, found, who, now):
        discards.discard(session, found, member=who, now=now)
        slug = found.slug
    closes = iso(text.scheduled_close_time)
    again = next_step("ask", text.title, database=database, member=member, closes=closes)
    print_line(f"{slug}: discarded")
    print_note(f"To ask it again: {again}")


@app.command()
def same(
    questions: Annotated[
        list[str] | None,
        Argument(metavar="QUESTION", help="The questions that are the same."),
    ] = None,
    different: Annotated[
        bool, Option("--different", help="They are not the same: do not propose the pair again.")
    ] = False,
    identical: Annotated[
        bool,
        Option("--identical", help="Join all pairs with the same title, type and scheduled close."),
    ] = False,
    yes: Yes = False,
    format_: TextOrJson = "text",
    database: Database = None,
    member: Member = None,
) -> None:
    """List questions that may be the same, or make them a family.

    Reports count a family once. Nothing is joined until you name the questions, or confirm the
    list that --identical prints.
    """
    from forecasts.questions import families

    if identical:
        if questions or different:
            raise BadInput(
                "--identical joins all pairs that are identical: it takes no question, and not "
                "--different.",
                remedy="To decide on one pair, leave out --identical.",
            )
        _join_identical(yes, database, member)
        return
    if not questions:
        if different:
            raise BadInput(
                "--different needs two questions.",
                remedy="List the proposed pairs with: forecasts same",
            )
        _print_pairs(format_, database, member)
        return
    with acting(database, member) as (session, who, now):
        if not different:
            joined = families.join_family(session, questions, member=who, now=now)
        elif len(questions) == 2:
            families.tell_apart(session, questions[0], questions[1], member=who, now=now)
        else:
            raise BadInput(
                f"--different takes two questions, got {len(questions)}.",
                remedy="Name one pair at a time.",
            )
    if different:
        print_line(f"{' and '.join(questions)}: not proposed again")
        return
    _print_joined([joined], database, member)


def _join_identical(yes: bool, database: str | None, member: str | None) -> None:
    """List the pairs that are identical, and join them once confirmed."""
    from forecasts.questions import families, same_questions

    with reading_as(database, member) as (session, _, now):
        pairs = [one for one in same_questions.same_pairs(session, now=now) if one.is_identical]
        listed = _lines(session, pairs)
    if not pairs:
        print_line("No two questions have the same title, type and scheduled close.")
        print_note(f"To list similar ones: {next_step('same', database=database, member=member)}")
        return
    for line in listed:
        print_line(line)
    confirm(f"Join {count(len(pairs), 'pair')}?", yes=yes)
    with acting(database, member) as (session, who, now):
        joined = families.join_pairs(session, pairs, member=who, now=now)
    _print_joined(joined, database, member)


def _print_joined(joined: Sequence[Joined], database: str | None, member: str | None) -> None:
    """Print the families with the questions that are new in them, and how to take one out."""
    for one in joined:
        print_line(f"In the family {one.family}: {', '.join(one.before)}")
    last = list(joined[-1].before)[-1]
    back = next_step("revise", last, database=database, member=member, family="")
    print_note(f"To take one out: {back}")


def _lines(session: Session, pairs: Sequence[SamePair]) -> list[str]:
    """Return the lines that show the pairs."""
    from forecasts.questions.origins import origins, platform_name

    found = origins(session, [state.id for pair in pairs for state in (pair.one, pair.other)])
    lines = []
    for pair in pairs:
        for state in (pair.one, pair.other):
            where = ", ".join(platform_name(one.platform) for one in found.get(state.id, ()))
            lines.append(f"{state.slug}  {where or 'this ledger'}: {state.text.title}")
        closes = when(pair.one.text.close_time), when(pair.other.text.close_time)
        lines.append(f"  closes {' and '.join(closes)}")
    return lines


def _print_pairs(format_: str, database: str | None, member: str | None) -> None:
    """Print the pairs of questions that may be the same, and how to decide on them."""
    from forecasts.questions.same_questions import same_pairs
    from forecasts.views.questions import same_questions

    with reading_as(database, member) as (session, _, now):
        pairs = same_pairs(session, now=now)
        if format_ == "json":
            print_json([same_questions(pair) for pair in pairs])
            return
        listed = _lines(session, pairs)
    if not pairs:
        print_line("No two questions of different platforms look the same.")
        return
    for line in listed:
        print_line(line)
    first = pairs[0].slugs
    join = next_step("same", *first, database=database, member=member)
    apart = next_step("same", *first, database=database, member=member, different=True)
    print_note(f"If they are the same: {join}")
    print_note(f"If not: {apart}")
    if (many := sum(pair.is_identical for pair in pairs)) > 1:
        every = next_step("same", database=database, member=member, identical=True)
        print_note(f"To join the {many:,} with the same title, type and close: {every}")
