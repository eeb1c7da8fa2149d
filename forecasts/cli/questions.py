"""The command that lists questions: questions."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from forecasts.cli.console import day, one_of
from forecasts.cli.options import Every, TextOrJson, option
from forecasts.cli.printing import (
    NUMBER,
    REST,
    fitted,
    print_line,
    print_lines,
    print_note,
    print_table,
    printed_json,
    rows_of_a_screen,
)
from forecasts.cli.root import app
from forecasts.cli.session import reading_as
from forecasts.common.text import count, on_one_line
from forecasts.questions.standing import QuestionState, Status, listing, with_proposals
from forecasts.updates.updates import current_forecasts
from forecasts.values.value import format_leaders
from forecasts.views.questions import question

if TYPE_CHECKING:
    from forecasts.questions.search import Passage

# The order of the list. Within a status the soonest close is first; of past ones, the latest.
_ORDER = ("open", "upcoming", "awaiting", "resolved", "ambiguous", "annulled")
_PAST = ("resolved", "ambiguous", "annulled")


@app.command()
def questions(
    status: Annotated[
        str | None,
        option(
            "NAME",
            "Filter by status: upcoming, open, awaiting (a resolution), resolved, annulled or "
            "ambiguous; or proposed: with a proposed outcome that awaits a decision.",
        ),
    ] = None,
    tag: Annotated[str | None, option("TAG", "Filter by tag.")] = None,
    search: Annotated[
        str | None,
        option(
            "WORDS",
            "Find words in titles, criteria, background, reasons and comments; a typo finds "
            "similar words.",
        ),
    ] = None,
    everything: Every = False,
    format_: TextOrJson = "text",
) -> None:
    """List questions, open ones first, with your forecasts.

    A terminal gets one screen of numbered titles; a pipe gets every question, one per line with
    tabs: ID, title, status, close, your forecast, proposed outcomes that await a decision and,
    after a search, the passage found.
    """
    if status is not None:
        one_of("--status", status, [*(known.name for known in Status), "proposed"])
    with reading_as() as (session, who, now):
        current = {} if who is None else current_forecasts(session, who, at=now)
        rows = _in_order(
            [
                state
                for state in listing(session, now=now)
                if status in (None, state.status.name, "proposed" if state.proposals else None)
                and (tag is None or tag in (state.text.tags or []))
            ]
        )
        found: Mapping[int, Passage | None] = {}
        if search is not None:
            from forecasts.questions.search import Filter, find, passages  # loads pandas

            slugs, similar = find(session, Filter(words=search), member=who, now=now)
            by_slug = {state.slug: state for state in rows}
            rows = [by_slug[slug] for slug in slugs if slug in by_slug]
            found = passages(session, rows, f"{search} {' '.join(similar)}")
            if similar:
                print_note(f"No question has these words; similar ones: {', '.join(similar)}.")
        if printed_json(
            format_, (question(state, current.get(state.id), found.get(state.id)) for state in rows)
        ):
            return
        mine = {
            state.id: format_leaders(current[state.id], state.text.options)
            for state in rows
            if state.id in current
        }
    if not rows and (status or tag or search):
        print_line("No question matches. To see them all: forecasts questions --all")
    elif not rows:
        print_line('No questions yet. Ask one: forecasts ask "Will … by 31 December?" 30%')
        print_note("To look around first: forecasts demo")
    elif sys.stdout.isatty():
        shown = rows if everything else rows[: rows_of_a_screen(5)]
        print_questions(shown, mine)
        open_ones = [one for one in shown if one.resolution is None]
        without = [str(one.id) for one in open_ones if not one.text.has_criteria]
        if without:
            print_lines(fitted(f"No criteria yet: {', '.join(without)}"), style="dim")
        for one in shown:
            if passage := found.get(one.id):
                print_lines(fitted(f"{one.id} {passage}"), style="dim")
        if len(shown) < len(rows):
            print_note(f"… and {len(rows) - len(shown):,} more: forecasts questions --all")
    else:
        for state in rows:
            closes = f"{state.text.close_time:%F}"
            yours = mine.get(state.id, "")
            cells = [state.slug, state.text.title, state.status.name, closes, yours]
            cells.append(count(state.proposals, "proposal") if state.proposals else "")
            cells += [] if search is None else [str(found.get(state.id) or "")]
            # Not through the console, which turns tabs into spaces.
            typer.echo("\t".join(map(on_one_line, cells)))


def _in_order(rows: Sequence[QuestionState]) -> list[QuestionState]:
    """Return the questions by status, each status with the closest to today first."""

    def place(state: QuestionState) -> tuple[int, float]:
        closes, status = state.text.close_time.timestamp(), state.status.name
        return _ORDER.index(status), -closes if status in _PAST else closes

    return sorted(rows, key=place)


def print_questions(rows: Sequence[QuestionState], mine: Mapping[int, str]) -> None:
    """Print a line for each question. ``mine``: the member's forecasts by question id."""
    columns = {
        "no.": NUMBER,
        "closes": {},
        "you": {"max_width": 10},
        "status": {"max_width": 16},
        "title": REST,
    }
    print_table(columns, (_cells(state, mine) for state in rows))


def _cells(state: QuestionState, mine: Mapping[int, str]) -> tuple[str, ...]:
    status = state.status.name
    if status == "resolved" and state.resolution is not None:
        status += f": {state.resolution.outcome}"
    status = with_proposals(status, state.proposals)
    closes = day(state.text.close_time)
    return str(state.id), closes, mine.get(state.id, ""), status, state.text.title
