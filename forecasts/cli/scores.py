"""The commands that score: scores, score, crowd, attribute."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import chain
from typing import Annotated, get_args

import scoring
from forecasts.access.kinds import CrowdOf
from forecasts.cli import bulk_scores
from forecasts.cli.bulk_scores import Scheduler, Workers
from forecasts.cli.console import day, one_of
from forecasts.cli.dates import time_of
from forecasts.cli.options import Every, TextOrJson, argument, flag, option
from forecasts.cli.outputs import emit
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
from forecasts.cli.session import reading_as, use_own_zone
from forecasts.cli.show import print_printed
from forecasts.cli.table_output import (
    Folder,
    FolderOrParts,
    Format,
    Output,
    format_of,
    frames_of,
    table_text,
)
from forecasts.common.errors import BadInput
from forecasts.common.text import count
from forecasts.documents import numbers
from forecasts.news import feeds
from forecasts.questions import registry
from forecasts.questions.standing import QuestionState, current_state
from forecasts.reports.own_scores import own_scores
from forecasts.scores import attribution, crowds, printed_scores
from forecasts.scores.ledger_frames import crowd_frames
from forecasts.scores.scored_questions import (
    ORDERS,
    ScoredQuestion,
    matching,
    ordered,
    scored_questions,
)
from forecasts.views.scores import scored_question, unscored_question
from scoring.protocols import get_protocol


@app.command()
def scores(
    question: Annotated[
        str | None, argument("QUESTION", "Show this question with the score of each update.")
    ] = None,
    search: Annotated[str | None, option("WORDS", "Only questions with these words.")] = None,
    sort: Annotated[str, option("|".join(ORDERS), "Order of the list.")] = "resolved",
    everything: Every = False,
    format_: TextOrJson = "text",
) -> None:
    """List your scores on resolved questions.

    All of them count, also those that closed early. Scores are better near 0. "crowd" compares
    you with the others, and "earned" sums your updates: both are better above 0.
    """
    one_of("--sort", sort, tuple(ORDERS))
    alone: list[QuestionState] = []
    printed: dict[int, list[printed_scores.Printed]] = {}
    with reading_as() as (session, who, now):
        asked = None if question is None else registry.find(session, question)
        of_one = None if asked is None else asked.id
        found = [] if who is None else scored_questions(session, who, question=of_one)
        if asked is not None and not found:
            alone = [current_state(session, asked, now=now)]
        if search is not None:
            found = matching(found, search)
        if who is not None and (question is not None or format_ == "json"):
            states = [*alone, *(one.state for one in found)]
            printed = printed_scores.printed_by_question(session, states, who)
            alone = [state for state in alone if state.id in printed]
    found = ordered(found, sort)
    documents = chain(
        (unscored_question(one, printed.get(one.id, ())) for one in alone),
        (scored_question(one, printed.get(one.state.id, ())) for one in found),
    )
    if printed_json(format_, documents):
        return
    if question is not None and (found or alone):
        for one in found:
            _print_updates(one)
        print_printed([one for some in printed.values() for one in some])
    elif found:
        _print_scores(found, everything=everything)
    elif question is not None or search is not None:
        print_line("You have no score there. To see them all: forecasts scores")
    else:
        print_line("No results yet. Scores appear here once your questions resolve.")


def _print_scores(found: Sequence[ScoredQuestion], *, everything: bool) -> None:
    """Print the means, then a line for each question."""
    own = own_scores(found)
    if own.brier.mean is not None:
        parts = [f"Brier {numbers.number(own.brier.mean)}"]
        if own.brier.interval not in (None, (0.0, 1.0)):  # all scores: nothing is known yet
            parts[0] += f" (95%: {numbers.interval(own.brier.interval)})"
        parts.append(f"over {count(len(own.calls), 'resolved question')}")
        if own.against_crowd.mean is not None:
            parts.append(f"against the crowd {numbers.signed(own.against_crowd.mean)}")
        if own.points is not None:
            mean = numbers.signed(own.points)
            parts.append(f"earned by updates {mean} a question, over {own.updated:,}")
        print_lines(fitted(" · ".join(parts), lines=2))
    shown = found if everything or not sys.stdout.isatty() else found[: rows_of_a_screen(6)]
    narrow = {**NUMBER, "max_width": 9}
    columns = {"resolved": {}, **dict.fromkeys(("score", "crowd", "earned", "last"), narrow)}
    score = numbers.column(shown, lambda one: one.score.score)
    crowd = numbers.column(shown, lambda one: one.against_crowd, numbers.signed)
    earned = numbers.column(shown, lambda one: one.points, numbers.signed)
    rows = ((day(one.known_at), score(one), crowd(one), earned(one), *_ends(one)) for one in shown)
    print_table({**columns, "outcome": {"max_width": 9}, "title": REST}, rows)
    if len(shown) < len(found):
        print_note(f"… and {len(found) - len(shown):,} more: forecasts scores --all")


def _ends(one: ScoredQuestion) -> tuple[str, ...]:
    assert one.state.resolution is not None
    return one.last.value, one.state.resolution.outcome, one.state.text.title


def _print_updates(one: ScoredQuestion) -> None:
    """Print a question's score, and what each update earned."""
    assert one.state.resolution is not None
    print_lines(fitted(one.state.text.title, lines=2), style="bold")
    parts = [
        f"{'CRPS' if one.score.protocol == 'crps' else 'Brier'} {numbers.number(one.score.score)}",
        f"outcome {one.state.resolution.outcome}",
        f"coverage {numbers.percent(one.score.coverage)}",
    ]
    if one.against_crowd is not None:
        parts.append(f"against the crowd {numbers.signed(one.against_crowd)}")
    if one.points is not None:
        parts.append(f"earned by updates {numbers.signed(one.points)} in all")
    print_lines(fitted(" · ".join(parts), lines=2))
    columns = {"from": {}, "days": NUMBER, "score": NUMBER, "earned": NUMBER, "forecast": REST}
    score = numbers.column(one.forecasts, lambda each: each.score)
    earned = numbers.column(one.forecasts, lambda each: each.points, numbers.signed)
    rows = (
        (
            day(each.since),
            f"{each.duration.total_seconds() / 86_400:.1f}",
            score(each),
            earned(each),
            each.value,
        )
        for each in one.forecasts
    )
    print_table(columns, rows)


@app.command()
def score(
    folder: FolderOrParts = None,
    protocol: Annotated[
        list[str] | None, option("NAME", "Scoring protocol; repeat for more. [default: brier]")
    ] = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    format_: Format = None,
    output: Output = None,
) -> None:
    """Score each forecaster on each resolved question.

    For a folder of parts (see forecasts partition), name another folder with --output: several
    processes write the scores there. If interrupted, run the same command again to continue.
    """
    protocols = list(dict.fromkeys(protocol or ["brier"]))
    for name in protocols:
        try:
            get_protocol(name)
        except scoring.InputError:
            raise BadInput(
                f"There is no protocol {name!r}.",
                remedy=f"Use one of {', '.join(sorted(scoring.PROTOCOLS))}, or a rule at "
                "0.000001 to 3,650,000 days before the scheduled close, such as brier_lead(30).",
            ) from None
    parts = bulk_scores.parts_in(folder)
    by_workers = workers is not None or scheduler is not None
    if bulk_scores.is_folder(output, format_) and parts is not None:
        bulk_scores.score_into(parts, output, protocols, workers=workers, scheduler=scheduler)
        return
    if by_workers:
        raise bulk_scores.needs_parts(folder) if parts is None else bulk_scores.needs_folder()
    chosen = format_of(format_, output)
    if parts is not None:
        found = bulk_scores.parts_table(parts, protocols)
    else:
        frames = frames_of(folder, rationales=False)
        found = scoring.score(frames.questions, frames.forecasts, protocols)
    emit(table_text(found, chosen), output)


@app.command()
def crowd(
    folder: Folder = None,
    method: Annotated[
        str,
        option(
            "NAME", "Aggregate by mean, median, recency_weighted, geometric_odds or extremized."
        ),
    ] = "recency_weighted",
    at: Annotated[
        str | None, option("TIME", "Time of the forecast. [default: just before each close]")
    ] = None,
    of: Annotated[str, option("people|bots|both", "Count people, bots or both.")] = "both",
    each_bot: Annotated[
        bool, flag("--each-bot", "Count each bot of an owner, not all of them as one.")
    ] = False,
    format_: Format = None,
    output: Output = None,
) -> None:
    """Print the crowd's forecast on each question."""
    if folder is None:
        use_own_zone()
    chosen, moment = format_of(format_, output), time_of(at, past=True)
    if folder is None:
        with reading_as() as (session, _, _):
            frames = crowd_frames(session, at=moment)
    else:
        frames = frames_of(folder)
    table = crowds.crowd(
        frames, method, moment, of=one_of("--of", of, get_args(CrowdOf)), each_bot=each_bot
    )
    emit(table_text(table, chosen), output)


@app.command()
def attribute(
    folder: Folder = None,
    by: Annotated[
        str, option("update|evidence|publisher|author|kind|feed", "Sum by one of these.")
    ] = "update",
    protocol: Annotated[str, option("NAME", "Scoring protocol for the units.")] = "brier",
    format_: Format = None,
    output: Output = None,
) -> None:
    """Attribute scores to updates, evidence and its sources.

    This is bookkeeping, not causation: the last member to move gets the credit. All groupings but
    update also show how often each was cited late, and how long before the crowd moved the same
    way. --by feed uses your own feeds.
    """
    chosen = format_of(format_, output)
    frames, brought = frames_of(folder), None
    if by == "feed" and folder is None:
        with reading_as() as (session, who, _):
            brought = feeds.of_evidence(session, member=who)
    emit(table_text(attribution.attribute(frames, by, protocol, brought), chosen), output)
