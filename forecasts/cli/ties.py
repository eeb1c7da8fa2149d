"""The commands for questions that hang together: group, condition, link, unlink, coherence."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Annotated, Any

from sqlmodel import Session

from forecasts.access import teams
from forecasts.cli.console import day, now, one_of, zone
from forecasts.cli.forecast import typed_value
from forecasts.cli.options import (
    Because,
    QuestionSlug,
    TakesNegativeValues,
    TextOrJson,
    VisibleTo,
    argument,
    option,
)
from forecasts.cli.printing import (
    REST,
    print_line,
    print_note,
    print_table,
    printed_json,
)
from forecasts.cli.root import app, group
from forecasts.cli.session import acting, next_step, reading_as, use_own_zone
from forecasts.ledger.models import (
    GroupKind,
    LinkKind,
    LinkStrength,
    Question,
    QuestionText,
)
from forecasts.questions import conditions, groups, links, registry
from forecasts.questions.revisions import reworded
from forecasts.questions.standing import current_state
from forecasts.updates.ask_together import (
    First,
    NewMember,
    ask_conditional,
    ask_members,
    member_close,
)
from forecasts.values.typed_dates import last_moment
from forecasts.values.value import format_leaders, format_probability
from forecasts.views import ties as views

grouped = group("group", help="Manage groups: questions under one title, such as deadlines.")
_KINDS = (
    "independent; exclusive: at most one is yes; exhaustive: exactly one is yes; nested: each yes "
    "makes the later ones yes, as with deadlines."
)
GroupSlug = Annotated[str, argument("GROUP", "The group's ID.")]
Kind = Annotated[str | None, option("|".join(GroupKind), _KINDS, "--kind")]
Closes = Annotated[
    str | None,
    option("TIME", "Last day (or time) to forecast. [default: the day that the words name]"),
]
Criteria = Annotated[str, option("TEXT", "Resolution criteria that a stranger could apply.")]
Background = Annotated[str, option("TEXT", "Context a forecaster needs.")]
Tags = Annotated[list[str] | None, option("TAG", "A tag; repeat for each.")]
Label = Annotated[str, option("TEXT", "Its label in the group, such as June.")]
LinkedKind = Annotated[str, argument("|".join(LinkKind), "The effect of the first on the second.")]
One = Annotated[str, argument("QUESTION", "The ID of the first question.")]
Other = Annotated[str, argument("OTHER", "The ID of the second question.")]


@grouped.command("new")
def new_group(
    title: Annotated[str, argument("TITLE", "The question that the members share.")],
    members: Annotated[
        list[str],
        argument(
            "LABEL[=P]…",
            "The members: each a label (a country, a level, a deadline) with or without your "
            "forecast, such as 'March 2027=10%'. A label that is a date is its last day.",
        ),
    ],
    kind: Kind = None,
    closes: Closes = None,
    criteria: Criteria = "",
    background: Background = "",
    tag: Tags = None,
    slug: Annotated[
        str | None, option("ID", "ID for links and commands. [default: made from the title]")
    ] = None,
    visible_to: VisibleTo = None,
) -> None:
    """Ask several questions under one title, and forecast them.

    forecasts group new "Will Brenholt open its bridge?" "March 2027=10%" "June 2027=30%"
    --kind nested
    """
    use_own_zone()
    moment = now()
    fields = {"resolution_criteria": criteria, "background": background, "tags": tag}
    chosen = _kind(kind)
    read = []
    for given in members:
        label, typed = _apart(given)
        close = member_close(closes or "", title, label, now=moment, zone=zone())
        text = _wording(groups.member_title(title, label), close, moment, **fields)
        again = partial(_again, "group new", title, label)
        read.append(NewMember(label, text, _first(typed, text, moment, again)))
    with acting(begin=True) as (session, who, at):
        audience = teams.visibility_fields(session, visible_to)
        made = ask_members(
            session,
            title,
            [one._replace(text=reworded(one.text, open_time=at, **audience)) for one in read],
            kind=chosen or GroupKind.independent,
            member=who,
            now=at,
            slug=slug,
            audience_chosen=visible_to is not None,
        )
        found = views.group(session, made, now=at)
    print_line(found.id)
    _print_group(found)
    print_note(f"Next: {next_step('group show', found.id)}")


@grouped.command("show")
def show_group(slug: GroupSlug, format_: TextOrJson = "text") -> None:
    """Show a group with its questions and your forecasts."""
    with reading_as() as (session, _, at):
        found = views.group(session, groups.find_group(session, slug, now=at), now=at)
    if not printed_json(format_, found):
        print_line(found.title, style="bold")
        print_line(f"{found.id} · {found.kind}", style="dim")
        _print_group(found)


@grouped.command("list")
def list_groups(format_: TextOrJson = "text") -> None:
    """List the groups."""
    with reading_as() as (session, _, at):
        every = groups.groups(session, now=at)
        if printed_json(format_, lambda: views.groups_of(session, every, now=at)):
            return
    if not every:
        print_line("No groups yet.")
    rows = [(one.slug, one.kind, str(len(one.members)), one.title) for one in every]
    print_table({"group": {}, "kind": {}, "questions": {}, "title": REST}, rows)


@grouped.command("change")
def change_group(
    slug: GroupSlug,
    title: Annotated[str | None, option("TEXT", "New title.")] = None,
    kind: Kind = None,
) -> None:
    """Change a group's title or kind."""
    chosen = _kind(kind)
    with acting() as (session, who, at):
        made = groups.change_group(session, slug, title=title, kind=chosen, member=who, now=at)
        counted = groups.counted_kinds(session).get(made.id)
    print_line(f"{made.slug}: {made.kind}, {made.title}")
    if counted is not None:
        why = "because an outcome may already be known"
        print_note(f"Reports still count it as {counted}, {why}.")


@grouped.command("add")
def add_to_group(
    slug: GroupSlug,
    question: QuestionSlug,
    label: Label,
    before: Annotated[
        str | None, option("QUESTION", "Place it before this one. [default: last]")
    ] = None,
) -> None:
    """Add a question to a group."""
    with acting() as (session, who, at):
        made = groups.add_to_group(
            session,
            slug,
            registry.find(session, question),
            label,
            before=None if before is None else registry.find(session, before),
            member=who,
            now=at,
        )
    print_line(f"{made.slug}: {', '.join(one.label for one in made.members)}")


@grouped.command("take-out")
def take_out(question: QuestionSlug) -> None:
    """Take a question out of its group. It stays in the family."""
    with acting() as (session, who, at):
        slug = groups.take_out(session, registry.find(session, question), member=who, now=at)
    print_line(f"{question}: no longer in the group {slug}")


@app.command(cls=TakesNegativeValues)
def condition(
    question: Annotated[str, argument("QUESTION", "The ID of the question it depends on.")],
    title: Annotated[
        str | None,
        argument("TITLE", "The question to ask. [default: list those asked]"),
    ] = None,
    outcomes: Annotated[
        list[str] | None,
        argument(
            "OUTCOME[=P]…",
            "The outcomes with or without your forecast, such as yes=60% no=20%; of a number or "
            "date ranges, such as ..10 and 10.. [default: yes and no, or each option]",
        ),
    ] = None,
    closes: Closes = None,
    criteria: Criteria = "",
    background: Background = "",
    tag: Tags = None,
    visible_to: VisibleTo = None,
    format_: TextOrJson = "text",
) -> None:
    """Ask a question under each outcome of another.

    Without a title, list those asked. When the other question resolves, those under the outcomes
    that did not happen are annulled.

    forecasts condition summit "Will tariffs fall by March 2027?" yes=60% no=20%
    """
    use_own_zone()
    moment = now()
    if title is None:
        with reading_as() as (session, _, at):
            found = _conditional(session, registry.find(session, question), at)
    else:
        close = last_moment(closes or "", title, now=moment, zone=zone())
        fields = {"resolution_criteria": criteria, "background": background, "tags": tag}
        text = _wording(title, close, moment, **fields)
        firsts: dict[str, First | None] = {}
        for given in outcomes or ():
            outcome, typed = _apart(given)
            again = partial(_again, "condition", question, title, outcome)
            firsts[outcome] = _first(typed, text, moment, again)
        with acting() as (session, who, at):
            audience = teams.visibility_fields(session, visible_to)
            parent = registry.find(session, question)
            ask_conditional(
                session,
                parent,
                reworded(text, open_time=at, **audience),
                firsts,
                member=who,
                now=at,
                audience_chosen=visible_to is not None,
            )
            found = _conditional(session, parent, at)
    if printed_json(format_, found):
        return
    print_line(f"{found.parent.title} {_said(found.parent)}".strip(), style="bold")
    if not found.branches:
        print_line("No question is asked under its outcomes.")
        return
    rows = [(one.condition, _said(one), one.question, one.title) for one in found.branches]
    print_table({"if": {}, "you": {}, "question": {}, "title": REST}, rows)


def _conditional(session: Session, parent: Question, at: datetime) -> views.Conditional:
    state = current_state(session, parent, now=at)
    branches = conditions.branches_of(session, parent, now=at)
    return views.conditional(session, state, branches, now=at)


@app.command()
def link(
    question: One,
    kind: LinkedKind,
    other: Other,
    strength: Annotated[
        str,
        option(
            "|".join(LinkStrength),
            "How sure it is. Forecasts that contradict a certain link are shown. [default: strong]",
        ),
    ] = LinkStrength.strong,
    because: Because = "",
) -> None:
    """Link two questions, or change a link. To list links, use show.

    forecasts link summit implies talks --strength certain
    """
    chosen = _link_kind(kind)
    sure = LinkStrength(one_of("--strength", strength, [*LinkStrength]))
    with acting() as (session, who, at):
        ends = registry.find(session, question), registry.find(session, other)
        row = links.link(session, *ends, chosen, strength=sure, reason=because, member=who, now=at)
        made = views.link(session, row)
    print_line(f"{made.question} {views.in_words(made.kind)} {made.other} ({made.strength})")


@app.command()
def unlink(question: One, kind: LinkedKind, other: Other) -> None:
    """Remove a link."""
    chosen = _link_kind(kind)
    with acting() as (session, who, at):
        ends = registry.find(session, question), registry.find(session, other)
        made = views.link(session, links.unlink(session, *ends, chosen, member=who, now=at))
    print_line(f"{made.question} {views.in_words(made.kind)} {made.other}: removed")


@app.command()
def coherence(
    questions: Annotated[
        list[str] | None,
        argument("QUESTION", "Only contradictions with forecasts on these questions."),
    ] = None,
    format_: TextOrJson = "text",
) -> None:
    """List your forecasts that contradict each other.

    Beside them are the nearest coherent ones.
    """
    from forecasts.updates.coherence import own_contradictions  # loads SciPy
    from forecasts.values.worlds import LEAST

    with reading_as() as (session, who, at):
        ids = [registry.find(session, slug).id for slug in questions or ()]
        sets = (
            []
            if who is None
            else own_contradictions(session, who, now=at, questions=ids if questions else None)
        )
        found = views.contradictions(sets)
    if printed_json(format_, found):
        return
    if not found.contradictions:
        print_line("None of your forecasts contradict each other.")
    for one in found.contradictions:
        rows = [
            (
                move.question,
                "" if move.outcome == "yes" else move.outcome,
                format_probability(move.said),
                format_probability(move.coherent)
                if abs(move.coherent - move.said) >= LEAST
                else "stays",
                move.title,
            )
            for move in one.moves
        ]
        columns = {"question": {}, "outcome": {}, "you": {}, "coherent": {}, "title": REST}
        print_table(columns, rows)
    if found.contradictions:
        print_note(f"To change one: {next_step('update', 'QUESTION', 'P')}")


def _print_group(found: views.QuestionGroup) -> None:
    rows = [(one.label, _said(one), day(one.close_time), one.question) for one in found.members]
    print_table({"label": {}, "you": {}, "closes": {}, "question": REST}, rows)


def _said(one: views.TiedQuestion) -> str:
    """Return the outcome, or your forecast."""
    if one.outcome is not None:
        return f"resolved: {one.outcome}"
    return "" if one.forecast is None else format_leaders(one.forecast, one.options)


def _apart(given: str) -> tuple[str, str]:
    """Return a label or an outcome, and the forecast after its last equals sign."""
    before, _, after = given.rpartition("=")
    return (before.strip(), after.strip()) if before else (given.strip(), "")


def _again(name: str, *given: str) -> str:
    """Return a command with its last argument, a value, as part of the one before it."""
    *first, label, value = given
    return next_step(name, *first, f"{label}={value}")


def _first(typed: str, text: QuestionText, at: datetime, again: Any) -> First | None:
    return First(typed_value(typed, text, now=at, again=again)) if typed else None


def _wording(title: str, close: datetime, at: datetime, **fields: Any) -> QuestionText:
    return registry.question_text(title=title, open_time=at, scheduled_close_time=close, **fields)


def _kind(name: str | None) -> GroupKind | None:
    return None if name is None else GroupKind(one_of("--kind", name, [*GroupKind]))


def _link_kind(name: str) -> LinkKind:
    return LinkKind(one_of("A link", name, [*LinkKind]))
