"""The command for the daily round: today."""

from __future__ import annotations

from forecasts.agenda.today import RECENT, SHOWN, Todo, new_results
from forecasts.agenda.today import today as agenda
from forecasts.cli.console import day
from forecasts.cli.options import Every, TextOrJson
from forecasts.cli.printing import (
    NUMBER,
    REST,
    fitted,
    print_line,
    print_lines,
    print_note,
    print_table,
    printed_json,
)
from forecasts.cli.root import app
from forecasts.cli.session import next_step, reading_as
from forecasts.documents import numbers
from forecasts.ledger.models import Forecast
from forecasts.questions.standing import QuestionState
from forecasts.values.value import format_leaders
from forecasts.views.questions import todays_question

# The things to do, with their words in the summary. Results need nothing, and are last.
_RESULT = "resolved"
_LABELS = {
    Todo.forecast: "need your forecast",
    Todo.review: "to review",
    Todo.news: "in the news",
    Todo.resolve: "to resolve",
    Todo.decide: "disputed",
    Todo.retry: "parked",
}
_ALL = 1_000_000
_COLUMNS = {
    "no.": NUMBER,
    "to do": {},
    "why": {"max_width": 19},
    "you": {"max_width": 7},
    "title": REST,
}


@app.command()
def today(
    everything: Every = False,
    format_: TextOrJson = "text",
) -> None:
    """List the questions that need you, the most urgent first."""
    many = _ALL if everything or format_ == "json" else SHOWN
    with reading_as() as (session, who, now):
        needs = agenda(session, who, now=now, shown=many)
        results = new_results(session, who, seen=needs.seen)
        items = needs.agenda[:many]
        rows = [
            *((str(one.todo), one.state, one.forecast, one.why(now)) for one in items),
            *(
                (_RESULT, one.state, None, f"score {numbers.number(one.score.score)}")
                for one in results
            ),
        ]
        documents = (todays_question(state, mine, todo, why) for todo, state, mine, why in rows)
        if printed_json(format_, documents):
            return
    if not rows:
        print_line(
            'Nothing to do today. Ask a question: forecasts ask "Will … by 31 December?" 30%'
        )
        return
    counts = [
        f"{needs.totals[todo]:,} {label}" for todo, label in _LABELS.items() if needs.totals[todo]
    ]
    limited = len(results) == RECENT
    if results:
        counts.append(f"{len(results)} {'newest results' if limited else _RESULT}")
    print_lines(fitted(" · ".join(counts)))
    print_table(_COLUMNS, (_cells(*row) for row in rows))
    if needs.total > len(items):
        print_note("Every question: forecasts today --all")
    if limited:
        print_note(f"All results: {next_step('scores')}")
    if needs.totals[Todo.retry]:
        print_note(f"Why they are parked: {next_step('run status')}")
    if items:
        what, number = items[0].todo, str(items[0].state.id)
        if what in (Todo.forecast, Todo.review, Todo.news):
            print_note(f"Next: {next_step('update', number, 'P')}")
        elif what == Todo.resolve:
            print_note(f"Next: {next_step('resolve', number, 'OUTCOME')}")


def _cells(todo: str, state: QuestionState, forecast: Forecast | None, why: str) -> tuple[str, ...]:
    mine = "" if forecast is None else format_leaders(forecast, state.text.options)
    closes = why or f"closes {day(state.text.close_time)}"
    return str(state.id), todo, closes, mine, state.text.title
