"""The commands for news: inbox, accept, dismiss, threshold."""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import Annotated

from forecasts.articles.library import find_article
from forecasts.cli.console import one_of
from forecasts.cli.forecast import typed_value
from forecasts.cli.options import (
    Because,
    QuestionSlug,
    TakesNegativeValues,
    TextOrJson,
    argument,
    flag,
    option,
)
from forecasts.cli.printing import print_line, print_note, printed_json
from forecasts.cli.root import app
from forecasts.cli.session import acting, acting_on, next_step, reading_as
from forecasts.common.errors import BadInput
from forecasts.common.text import count
from forecasts.ledger.models import Stance
from forecasts.news import inbox as news
from forecasts.questions import registry
from forecasts.updates.updates import current_forecast
from forecasts.values.value import format_change, format_leaders, value_of
from forecasts.views import news as views

SHOWN = 10  # articles
_USUAL = "usual"

ArticleNumber = Annotated[int, argument("ARTICLE", "The article's number in the inbox.")]


@app.command()
def inbox(
    everything: Annotated[
        bool, flag("--all", "List every article of the last 30 days, not only the first ones.")
    ] = False,
    limit: Annotated[
        int | None,
        option("N", f"List at most N articles. [default: {SHOWN}; JSON: every one]", min=1),
    ] = None,
    format_: TextOrJson = "text",
) -> None:
    """List new articles and the questions they bear on.

    Questions that you forecast come first.
    """
    if everything and limit is not None:
        raise BadInput("--all and --limit exclude each other.", remedy="Give one of them.")
    most = limit or (None if everything or format_ == "json" else SHOWN)
    with reading_as() as (session, who, now):
        items = news.inbox(session, who, now=now, most=most)
        if printed_json(format_, lambda: views.inbox(session, items, now=now)):
            return
        moves = views.moves_since(session, items, now=now)
    if not items:
        print_line("No articles in the last 30 days. Capture one: forecasts capture URL")
        return
    for item in items:
        by = f", {item.article.publisher}" if item.article.publisher else ""
        print_line(f"{item.article.id}. {item.article.title}{by}", style="bold")
        for one in item.suggestions:
            if one.answer is not None:
                continue
            text, move = one.state.text, moves.get(one.state.id)
            mine = "" if one.forecast is None else f" ({format_leaders(one.forecast, text.options)}"
            mine += "" if move is None else f"; crowd {move.before} → {move.now}"
            print_line(f"   {one.state.id} {text.title}{mine and f'{mine})'}")
            print_line(f"      {one.score:.2f} {', '.join(one.words)}: {one.passage}", style="dim")
            if one.told:
                print_line(f"      seems to say yes: {one.told}")
        for number, draft in islice(item.drafts, 2):
            print_line(f"   new, draft {number}: {draft.question}")
    waiting = [
        (item.article.id, one.state.id)
        for item in items
        for one in item.suggestions
        if one.answer is None
    ]
    if waiting:
        article, question = map(str, waiting[0])
        print_note(f"To update with it: {next_step('accept', article, question, 'P')}")
        print_note(f"If it does not matter: {next_step('dismiss', article, question)}")
    decided = [one.state.slug for item in items for one in item.suggestions if one.told]
    if decided:
        propose = next_step("propose", decided[0], "yes", source="URL")
        print_note(f"To propose that outcome: {propose}")
    if most is not None and len(items) == most:
        print_note("Every article: forecasts inbox --all")


@app.command(cls=TakesNegativeValues)
def accept(
    article: ArticleNumber,
    question: QuestionSlug,
    value: Annotated[
        str | None, argument("P", "Your new forecast. [default: unchanged, with the article cited]")
    ] = None,
    stance: Annotated[
        str | None,
        option(
            "|".join(Stance),
            "Whether the article makes yes likelier. [default: as your forecast moves]",
        ),
    ] = None,
    because: Because = "",
) -> None:
    """Update a forecast and cite an article of the inbox."""
    chosen = None if stance is None else Stance(one_of("--stance", stance, [*Stance]))
    with acting_on(question) as (session, found, who, now):
        text = registry.newest_wording(session, found)
        before = current_forecast(session, found, who, at=now)
        again = partial(next_step, "accept", str(article), found.slug)
        current = None if before is None else value_of(before)
        given = None
        if value is not None:
            given = typed_value(value, text, current, now=now, again=again)
        saved = news.accept(
            session,
            found,
            find_article(session, article),
            given,
            member=who,
            now=now,
            stance=chosen,
            rationale=because,
        )
        change = format_change(saved.before, value_of(saved.forecast), text.options)
        [cited] = saved.cited
        slug = found.slug
    print_line(f"{who.handle}: {change} on {slug} (article {article}: {cited.stance})")


@app.command()
def dismiss(
    article: ArticleNumber,
    question: QuestionSlug,
    kind: Annotated[
        bool,
        flag("--kind", "Nor suggest articles that share only the same words with the question."),
    ] = False,
    undo: Annotated[bool, flag("--undo", "Undo your dismissal.")] = False,
) -> None:
    """Dismiss an article that the inbox suggests for a question."""
    with acting_on(question) as (session, found, who, now):
        row = find_article(session, article)
        if undo:
            news.reopen(session, found, row, member=who, now=now)
            print_line(f"{found.slug}: article {article} is back in the inbox")
            return
        answer = news.dismiss(session, found, row, member=who, now=now, kind=kind)
        slug, words = found.slug, answer.words
    muted = f", and others that share only: {', '.join(words)}" if kind and words else ""
    print_line(f"{slug}: article {article} dismissed{muted}")


@app.command()
def threshold(
    question: QuestionSlug,
    score: Annotated[
        str | None,
        argument("SCORE|usual", "Your own, such as 0.4; usual: learned from your answers."),
    ] = None,
) -> None:
    """Show or set the lowest score that the inbox suggests.

    Each question has its own.
    """
    if score is None:
        with reading_as() as (session, reader, now):
            if reader is None:
                raise BadInput("A threshold is a member's.", remedy="Name one: --as HANDLE.")
            found = registry.find(session, question)
            held = news.threshold(session, found, member=reader, now=now)
    else:
        own = None if score.strip().casefold() == _USUAL else _score(score)
        with acting() as (session, who, now):
            found = registry.find(session, question)
            held = news.set_threshold(session, found, own, member=who, now=now)
    how = "your own" if held.is_own else "learned"
    counts = f"{count(held.accepted, 'suggestion')} accepted, {held.dismissed} dismissed"
    print_line(f"{question}: {held.score:g} ({how}; {counts})")


def _score(typed: str) -> float:
    try:
        return float(typed)
    except ValueError:
        raise BadInput(
            f"{typed!r} is not a score.", remedy=f"Give a number such as 0.4, or: {_USUAL}."
        ) from None
