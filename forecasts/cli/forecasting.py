"""The commands that put a probability on a question: update, withdraw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from forecasts.cli import app
from forecasts.cli.console import (
    Because,
    Database,
    Member,
    QuestionSlug,
    ledger,
    now,
    one_of,
    out,
    plain,
    settings,
)
from forecasts.errors import BadInput

if TYPE_CHECKING:
    from forecasts.updates import Cited


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
    one_of("--kind", kind, tuple(EvidenceKind))
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
