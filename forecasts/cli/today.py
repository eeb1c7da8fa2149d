"""The command for the daily round: today."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from forecasts.agenda.today import RECENT, SHOWN, Today
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
_LABELS = {
    "forecast": "need your forecast",
    "review": "to review",
    "news": "in the news",
    "decide": "disputed",
    "resolve": "to resolve",
    "retry": "parked",
    "resolved": "resolved",
}
_ALL = 1_000_000
_COLUMNS = {
    "no.": NUMBER,
    "to do": {},
    "why": {"max_width": 19},
    "you": {"max_width": 7},
    "title": REST,
}


@dataclass(frozen=True)
class _Item:
    """A question with something to do, the member's forecast on it, and the reason."""

    todo: str
    state: QuestionState
    forecast: Forecast | None = None
    why: str = ""


@app.command()
def today(
    everything: Every = False,
    format_: TextOrJson = "text",
) -> None:
    """List today's questions to forecast, review and resolve."""
    many = _ALL if everything or format_ == "json" else SHOWN
    with reading_as() as (session, who, now):
        needs = agenda(session, who, now=now, shown=many)
        items = list(_items(needs, many, now))
        totals = {
            "forecast": needs.to_forecast.total,
            "review": len(needs.overdue) + len(needs.moved),
            "news": len(needs.news),
            "decide": needs.disputed.total,
            "resolve": needs.awaiting.total,
            "retry": needs.parked.total,
            "resolved": len(needs.resolved),
        }
        documents = (todays_question(one.state, one.forecast, one.todo, one.why) for one in items)
        if printed_json(format_, documents):
            return
    if not items:
        print_line(
            'Nothing to do today. Ask a question: forecasts ask "Will … by 31 December?" 30%'
        )
        return
    labels = dict(_LABELS)
    if limited := totals["resolved"] == RECENT:
        labels["resolved"] = "newest results"
    print_lines(fitted(" · ".join(f"{n:,} {labels[todo]}" for todo, n in totals.items() if n)))
    print_table(_COLUMNS, map(_cells, items))
    if not everything and any(n > SHOWN for n in totals.values()):
        print_note("Every question: forecasts today --all")
    if limited:
        print_note(f"All results: {next_step('scores')}")
    if needs.parked.total:
        print_note(f"Why they are parked: {next_step('run status')}")
    first = items[0]
    if first.todo in ("forecast", "review", "news"):
        print_note(f"Next: {next_step('update', str(first.state.id), 'P')}")


def _items(needs: Today, many: int, now: datetime) -> Iterator[_Item]:
    """Yield at most so many questions for each thing to do, in the order of the page Today."""
    for state in needs.to_forecast.first:
        yield _Item("forecast", state)
    for review in [*needs.overdue[:many], *needs.moved[:many]]:
        why = f"{(now - review.forecast.made_at).days} days old" if review.overdue else ""
        if (move := review.crowd_move) is not None:
            why = f"crowd {move.before} → {move.now}"
        yield _Item("review", review.state, review.forecast, why)
    for one in needs.news[:many]:
        yield _Item("news", one.state, one.forecast, f"article {one.mention.article.id}")
    for state in needs.disputed.first:
        yield _Item("decide", state, None, "disputed")
    for state in needs.awaiting.first:
        yield _Item("resolve", state, None, str(state.status.name))
    for state in needs.parked.first:
        yield _Item("retry", state, None, "parked")
    for scored in needs.resolved[:many]:
        score = numbers.number(scored.score.score)
        yield _Item("resolved", scored.state, None, f"score {score}")


def _cells(item: _Item) -> tuple[str, ...]:
    text = item.state.text
    why = item.why or f"closes {day(text.close_time)}"
    mine = "" if item.forecast is None else format_leaders(item.forecast, text.options)
    return str(item.state.id), item.todo, why, mine, text.title
