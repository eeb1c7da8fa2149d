"""The commands along the journey: capture, ask, update, withdraw, show, resolve, run."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from forecasts.cli import app
from forecasts.cli.console import (
    Database,
    Member,
    json_text,
    ledger,
    messages,
    now,
    out,
    plain,
    settings,
)
from forecasts.errors import BadInput
from forecasts.times import iso, iso_day_or_time, read_time

if TYPE_CHECKING:
    from forecasts.articles.capture import CapturedArticle
    from forecasts.updates import Cited

QuestionSlug = Annotated[str, typer.Argument(metavar="QUESTION", help="The question's slug.")]
Because = Annotated[str, typer.Option("--because", help="Your reason, in a line.")]


@app.command()
def capture(
    source: Annotated[
        str, typer.Argument(metavar="URL|FILE|-", help="A web address, a file, or - for input.")
    ],
    captured_at: Annotated[
        str | None,
        typer.Option(
            "--captured-at",
            metavar="DATE",
            help='When the page was seen; "2 days ago" counts from it. [default: now]',
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Store nothing; show what would be stored.")
    ] = False,
    format_: Annotated[
        str, typer.Option("--format", metavar="text|json", help="How to print it.")
    ] = "text",
    database: Database = None,
    member: Member = None,
) -> None:
    """Store the articles of a page, and show the sentences that could become questions."""
    from forecasts.articles.capture import capture as capture_source
    from forecasts.articles.capture import capture_bytes

    _one_of(format_, "text", "json")
    chosen = settings(database, member)
    moment = now()
    seen = moment if captured_at is None else read_time(captured_at)
    if source == "-":
        captured = capture_bytes(sys.stdin.buffer.read(), captured_at=seen)
    else:
        captured = capture_source(
            source, captured_at=seen, allow_private=chosen.allow_private_addresses
        )
    if not dry_run:
        _store(captured, chosen, seen)
    if format_ == "json":
        sys.stdout.write(
            json_text({"articles": [_captured(article, seen) for article in captured]})
        )
        return
    for article in captured:
        _print_captured(article, seen)
    if dry_run:
        messages().print("Dry run: nothing was stored.")


def _store(captured: list[CapturedArticle], chosen: Any, seen: datetime) -> None:
    from forecasts.access import member_or_new
    from forecasts.articles.library import store
    from forecasts.database import writing

    moment = now()
    with writing(ledger(chosen)) as session:
        who = member_or_new(session, chosen.member, now=moment)
        stored = store(session, captured, member=who, captured_at=seen)
        lines = [
            f"{'Stored' if new else 'Already there'}: article {article.id}, {article.title}"
            for article, new in stored
        ]
    for line in lines:
        messages().print(plain(line))


def _captured(article: CapturedArticle, seen: datetime) -> dict[str, Any]:
    from forecasts.articles.drafts import draft_questions

    published = article.published_at
    return {
        "title": article.title,
        "publisher": article.publisher,
        "author": article.author,
        "published_at": None if published is None else iso_day_or_time(published),
        "url": article.url,
        "text": article.text,
        "drafts": [
            {
                "quote": draft.quote,
                "start": draft.start,
                "end": draft.end,
                "question": draft.question,
                "close_date": None if draft.close_date is None else draft.close_date.isoformat(),
            }
            for draft in draft_questions(article.text, published_at=(published or seen).date())
        ],
    }


def _print_captured(article: CapturedArticle, seen: datetime) -> None:
    shown = _captured(article, seen)
    console = out()
    known = [article.publisher, article.author, shown["published_at"], article.url]
    console.print(plain(article.title), style="bold")
    console.print(plain(" · ".join(part for part in known if part)), style="dim")
    console.print(f"{len(article.text.split())} words", style="dim")
    for number, draft in enumerate(shown["drafts"], 1):
        closes = f" (closes {draft['close_date']})" if draft["close_date"] else ""
        console.print(f"  {number}. {plain(draft['question'])}{closes}")
        console.print(f"     “{plain(' '.join(draft['quote'].split()))}”", style="dim")
    if not shown["drafts"]:
        console.print("  No sentence here looks ahead.", style="dim")
    console.print()


@app.command()
def ask(
    title: Annotated[str, typer.Argument(help="The question, as one sentence.")],
    closes: Annotated[
        str, typer.Option("--closes", metavar="TIME", help="Last day (or time) to forecast.")
    ],
    criteria: Annotated[
        str, typer.Option("--criteria", help="How a stranger would decide it.")
    ] = "",
    background: Annotated[str, typer.Option("--background", help="What to know first.")] = "",
    fine_print: Annotated[str, typer.Option("--fine-print", help="Edge cases.")] = "",
    type_: Annotated[
        str,
        typer.Option("--type", metavar="binary|multiple_choice|numeric|date"),
    ] = "binary",
    option: Annotated[
        list[str] | None, typer.Option("--option", help="An option; repeat it. Implies the type.")
    ] = None,
    ordered: Annotated[bool, typer.Option("--ordered", help="The options have an order.")] = False,
    lower: Annotated[str | None, typer.Option("--lower", help="Lower bound.")] = None,
    upper: Annotated[str | None, typer.Option("--upper", help="Upper bound.")] = None,
    unit: Annotated[str | None, typer.Option("--unit", help="Unit of a number.")] = None,
    opens: Annotated[
        str | None, typer.Option("--opens", metavar="TIME", help="[default: now]")
    ] = None,
    resolves: Annotated[
        str | None, typer.Option("--resolves", metavar="TIME", help="When it should be decided.")
    ] = None,
    family: Annotated[
        str, typer.Option("--family", help="Questions whose outcomes hang together share one.")
    ] = "",
    tag: Annotated[list[str] | None, typer.Option("--tag", help="A tag; repeat it.")] = None,
    slug: Annotated[str | None, typer.Option("--slug", help="[default: made of the title]")] = None,
    article: Annotated[
        int | None, typer.Option("--article", metavar="N", help="The article it comes from.")
    ] = None,
    quote: Annotated[str, typer.Option("--quote", help="The exact passage of it.")] = "",
    outcomes: Annotated[
        Path | None,
        typer.Option("--outcomes", metavar="FILE", help="A CSV or JSON file that will say."),
    ] = None,
    database: Database = None,
    member: Member = None,
) -> None:
    """Register a question."""
    from forecasts import questions, runs
    from forecasts.access import member_or_new
    from forecasts.articles.library import passage
    from forecasts.database import writing

    chosen, moment = settings(database, member), now()
    text = questions.question_text(
        title=title,
        type="multiple_choice" if option else type_,
        options=option,
        ordered=ordered,
        lower_bound=lower,
        upper_bound=upper,
        unit=unit,
        open_time=read_time(opens) if opens else moment,
        scheduled_close_time=read_time(closes, end_of_day=True),
        scheduled_resolve_time=read_time(resolves, end_of_day=True) if resolves else None,
        family=family,
        tags=tag,
        background=background,
        resolution_criteria=criteria,
        fine_print=fine_print,
    )
    if quote and article is None:
        raise BadInput("A --quote needs its --article.", remedy="See: forecasts articles.")
    with writing(ledger(chosen)) as session:
        who = member_or_new(session, chosen.member, now=moment)
        sources = [passage(session, article, quote)] if article is not None else []
        question = questions.register(
            session, text, member=who, now=moment, slug=slug, sources=sources
        )
        if outcomes is not None:
            runs.attach(
                session,
                question,
                "outcomes_file",
                {"path": str(outcomes)},
                member=who,
                now=moment,
            )
        name = question.slug
    out().print(name)
    messages().print(
        plain(f"Registered {title!r}; it closes at {iso(text.scheduled_close_time)}.")
        + ("" if criteria else " It has no resolution criteria yet.")
    )


@app.command()
def update(
    question: QuestionSlug,
    value: Annotated[
        str,
        typer.Argument(
            metavar="P",
            help="71%, 0.71 or odds in favour 5:2; with options: 'Busan=60%, Other=40%'; "
            "with numbers: '10%=120, 50%=140, 90%=170'.",
        ),
    ],
    because: Because = "",
    evidence: Annotated[
        list[str] | None,
        typer.Option("--evidence", metavar="URL|TEXT", help="What moved you; repeat it."),
    ] = None,
    supports: Annotated[
        bool, typer.Option("--supports", help="The evidence speaks for it. [default]")
    ] = False,
    opposes: Annotated[bool, typer.Option("--opposes", help="It speaks against it.")] = False,
    context: Annotated[bool, typer.Option("--context", help="It does neither.")] = False,
    kind: Annotated[
        str,
        typer.Option("--kind", metavar="news|data|base_rate|expert|model|other"),
    ] = "news",
    database: Database = None,
    member: Member = None,
) -> None:
    """Put a probability on a question, with the evidence that it leans on."""
    from forecasts import questions, updates
    from forecasts.access import member_or_new
    from forecasts.database import writing
    from forecasts.values import read_value, say_value

    chosen, moment = settings(database, member), now()
    cited = _cited(evidence or [], supports, opposes, context, kind)
    with writing(ledger(chosen)) as session:
        who = member_or_new(session, chosen.member, now=moment)
        found = questions.find(session, question)
        text = questions.wording(session, found)
        before = updates.standing(session, found, who, at=moment)
        forecast = updates.update(
            session,
            found,
            read_value(value, text),
            member=who,
            now=moment,
            rationale=because,
            evidence=cited,
        )
        said = say_value(forecast, text.options)
        earlier = "" if before is None else f" (before: {say_value(before, text.options)})"
    out().print(plain(f"{who.handle}: {said} on {question}{earlier}"))


def _cited(
    evidence: list[str], supports: bool, opposes: bool, context: bool, kind: str
) -> list[Cited]:
    from forecasts.models import EvidenceKind, Stance
    from forecasts.updates import Cited

    if supports + opposes + context > 1:
        raise BadInput("Evidence supports, opposes or is context; it cannot do two at once.")
    if (supports or opposes or context) and not evidence:
        raise BadInput("A stance needs evidence.", remedy="Add --evidence URL or --evidence TEXT.")
    _one_of(kind, *EvidenceKind)
    stance = Stance.opposes if opposes else Stance.context if context else Stance.supports
    return [
        Cited(
            url=item if item.startswith(("http://", "https://")) else None,
            note="" if item.startswith(("http://", "https://")) else item,
            kind=EvidenceKind(kind),
            stance=stance,
        )
        for item in evidence
    ]


@app.command()
def withdraw(
    question: QuestionSlug,
    because: Because = "",
    database: Database = None,
    member: Member = None,
) -> None:
    """Withdraw your standing forecast; its history stays."""
    from forecasts import questions, updates
    from forecasts.access import member_or_new
    from forecasts.database import writing

    chosen, moment = settings(database, member), now()
    with writing(ledger(chosen)) as session:
        who = member_or_new(session, chosen.member, now=moment)
        updates.withdraw(
            session,
            questions.find(session, question),
            member=who,
            now=moment,
            rationale=because,
        )
    out().print(plain(f"{who.handle}: withdrawn from {question}"))


@app.command()
def resolve(
    question: QuestionSlug,
    outcome: Annotated[
        str, typer.Argument(help="yes, no, an option, a number, a date, annulled or ambiguous.")
    ],
    known_at: Annotated[
        str | None,
        typer.Option(
            "--known-at",
            metavar="TIME",
            help="When the outcome became known: forecasts after it do not count. A day means its "
            "first instant. [default: now; for a correction, as before]",
        ),
    ] = None,
    because: Because = "",
    source: Annotated[str, typer.Option("--source", help="What says so: a URL.")] = "",
    database: Database = None,
    member: Member = None,
) -> None:
    """Resolve a question and score every forecast on it; again with another outcome to correct."""
    from forecasts import questions, resolutions, scores
    from forecasts.access import member_or_new
    from forecasts.database import writing

    chosen, moment = settings(database, member), now()
    known = moment if known_at is None else read_time(known_at)
    with writing(ledger(chosen)) as session:
        who = member_or_new(session, chosen.member, now=moment)
        found = questions.find(session, question)
        standing = questions.as_it_stands(session, found, now=moment).resolution
        if known_at is None and standing is not None and standing.known_at is not None:
            known = standing.known_at  # a correction keeps the time, unless it is told another
        resolution = resolutions.confirm(
            session,
            found,
            outcome,
            known_at=known,
            now=moment,
            member=who,
            note=because,
            source=source,
        )
        scored = [
            (handle, score.score, score.coverage)
            for score, handle in scores.of_question(session, resolution)
            if score.protocol == "brier"
        ]
        superseded = resolution.supersedes_id is not None
    console = out()
    console.print(
        plain(
            f"{question}: {resolution.outcome}, known at {iso(known)}"
            + (" (supersedes the earlier resolution, which stays readable)" if superseded else "")
        )
    )
    for handle, score, coverage in scored:
        console.print(plain(f"  {handle}: Brier {score:.4f} (0–1), coverage {coverage:.0%}"))
    if not scored:
        console.print("  No scores.")


@app.command()
def run(database: Database = None) -> None:
    """Resolve what is due by the resolvers that the questions carry. Safe to run twice."""
    from forecasts import runs
    from forecasts.models import RunState

    console = out()
    summary = runs.run(
        ledger(settings(database)),
        now=now(),
        tell=lambda looked: (
            console.print(
                plain(f"{looked.state.replace('_', ' ')}: {looked.slug}: {looked.message}")
            )
            if looked.state != RunState.not_yet
            else None
        ),
    )
    console.print(
        f"{summary.count(RunState.confirmed)} resolved, "
        f"{summary.count(RunState.not_yet)} not known yet, "
        f"{summary.count(RunState.failed)} failed"
    )
    if summary.count(RunState.failed):
        raise typer.Exit(3)


def _one_of(given: str, *possible: str) -> None:
    if given not in possible:
        raise BadInput(f"{given!r} is not possible here.", remedy=f"Use {', '.join(possible)}.")
