"""The command ``same``: questions that may be the same, and their families."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from sqlmodel import Session

from forecasts.cli.console import confirm, when
from forecasts.cli.options import TextOrJson, Yes, argument, flag
from forecasts.cli.printing import print_line, print_lines, print_note, printed_json
from forecasts.cli.root import app
from forecasts.cli.session import acting, next_step, reading_as
from forecasts.common.errors import BadInput
from forecasts.common.text import count
from forecasts.questions import families
from forecasts.questions.families import Joined
from forecasts.questions.origins import origins, platform_name
from forecasts.questions.same_questions import SamePair, same_pairs
from forecasts.views.questions import same_questions
from forecasts.views.ties import if_late


@app.command()
def same(
    questions: Annotated[
        list[str] | None, argument("QUESTION", "The questions that are the same.")
    ] = None,
    different: Annotated[
        bool, flag("--different", "They are not the same: do not propose the pair again.")
    ] = False,
    identical: Annotated[
        bool, flag("--identical", "Join all pairs with the same title, type and scheduled close.")
    ] = False,
    yes: Yes = False,
    format_: TextOrJson = "text",
) -> None:
    """List questions that may be the same, or make them a family.

    Reports count a family once. Nothing is joined until you name the questions, or confirm the
    list that --identical prints.
    """
    if identical:
        if questions or different:
            raise BadInput(
                "--identical joins all pairs that are identical: it takes no question, and not "
                "--different.",
                remedy="To decide on one pair, leave out --identical.",
            )
        _join_identical(yes)
        return
    if not questions:
        if different:
            raise BadInput(
                "--different needs two questions.",
                remedy="List the proposed pairs with: forecasts same",
            )
        _print_pairs(format_)
        return
    with acting() as (session, who, now):
        if not different:
            joined = families.join_family(session, questions, member=who, now=now)
            said = _joined(session, [joined], now)
        elif len(questions) == 2:
            families.tell_apart(session, questions[0], questions[1], member=who, now=now)
            late = if_late(session, questions, now=now)
        else:
            raise BadInput(
                f"--different takes two questions, got {len(questions)}.",
                remedy="Name one pair at a time.",
            )
    if different:
        print_line(f"{' and '.join(questions)}: not proposed again")
        print_lines([late] if late else [])
        return
    _print_joined([joined], said)


def _join_identical(yes: bool) -> None:
    """List the pairs that are identical, and join them once confirmed."""
    with reading_as() as (session, _, now):
        pairs = [one for one in same_pairs(session, now=now) if one.is_identical]
        listed = _lines(session, pairs)
    if not pairs:
        print_line("No two questions have the same title, type and scheduled close.")
        print_note(f"To list similar ones: {next_step('same')}")
        return
    print_lines(listed)
    confirm(f"Join {count(len(pairs), 'pair')}?", yes=yes)
    with acting() as (session, who, now):
        joined = families.join_pairs(session, pairs, member=who, now=now)
        said = _joined(session, joined, now)
    _print_joined(joined, said)


def _joined(session: Session, joined: Sequence[Joined], now: datetime) -> list[str]:
    """Return the lines on the families with their new questions, and on those that come late."""
    every = {slug for one in joined for slug in one.before}
    late = if_late(session, every, now=now)
    said = [f"In the family {one.family}: {', '.join(one.before)}" for one in joined]
    return [*said, late] if late else said


def _print_joined(joined: Sequence[Joined], said: Sequence[str]) -> None:
    """Print the lines on the families, and how to take a question out."""
    print_lines(said)
    last = list(joined[-1].before)[-1]
    print_note(f"To take one out: {next_step('revise', last, family='')}")


def _lines(session: Session, pairs: Sequence[SamePair]) -> list[str]:
    """Return the lines that show the pairs."""
    found = origins(session, [state.id for pair in pairs for state in (pair.one, pair.other)])
    lines = []
    for pair in pairs:
        for state in (pair.one, pair.other):
            where = ", ".join(platform_name(one.platform) for one in found.get(state.id, ()))
            lines.append(f"{state.slug}  {where or 'this ledger'}: {state.text.title}")
        closes = when(pair.one.text.close_time), when(pair.other.text.close_time)
        lines.append(f"  closes {' and '.join(closes)}")
    return lines


def _print_pairs(format_: str) -> None:
    """Print the pairs of questions that may be the same, and how to decide on them."""
    with reading_as() as (session, _, now):
        pairs = same_pairs(session, now=now)
        if printed_json(format_, map(same_questions, pairs)):
            return
        listed = _lines(session, pairs)
    if not pairs:
        print_line("No two questions look the same.")
        return
    print_lines(listed)
    first = pairs[0].slugs
    print_note(f"If they are the same: {next_step('same', *first)}")
    print_note(f"If not: {next_step('same', *first, different=True)}")
    if (many := sum(pair.is_identical for pair in pairs)) > 1:
        every = next_step("same", identical=True)
        print_note(f"To join the {many:,} with the same title, type and close: {every}")
