"""The commands that put a probability on a question: update, withdraw."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from forecasts.cli.console import (
    Because,
    Database,
    Member,
    QuestionSlug,
    acting,
    ledger,
    messages,
    now,
    one_of,
    out,
    plain,
    settings,
)
from forecasts.cli.negative_values import TakesMinus
from forecasts.cli.next_step import next_step
from forecasts.cli.root import app
from forecasts.common.errors import BadInput

if TYPE_CHECKING:
    from sqlmodel import Session

    from forecasts.ledger.models import Forecast
    from forecasts.updates.evidence import Cited
    from forecasts.updates.values import Value


@app.command(cls=TakesMinus)
def update(
    question: QuestionSlug,
    value: Annotated[
        str,
        typer.Argument(
            metavar="P",
            help="71%, 0.71 or odds in favour 5:2; with options: 'Busan=60%, Other=40%'; "
            "with numbers or days: '10%=120, 50%=140, 90%=170'.",
        ),
    ],
    because: Because = "",
    evidence: Annotated[
        list[str] | None,
        typer.Option(
            "--evidence",
            metavar="URL|TEXT",
            help="What moved you: a web address, a note, or 'article 3' of this ledger. Repeat it "
            "for each piece. What holds for one of several stands before it, with a colon: "
            "'opposes data 30%: https://…' (stance, kind, share of the update).",
        ),
    ] = None,
    supports: Annotated[
        bool,
        typer.Option(
            "--supports",
            help="The evidence speaks for yes: it makes it likelier, whichever way you move. With "
            "options it is the one that you move most, with numbers a higher one, with days a "
            "later one. [default]",
        ),
    ] = False,
    opposes: Annotated[
        bool, typer.Option("--opposes", help="The evidence speaks against yes.")
    ] = False,
    context: Annotated[
        bool, typer.Option("--context", help="The evidence speaks neither for yes nor against it.")
    ] = False,
    kind: Annotated[
        str | None,
        typer.Option(
            "--kind",
            metavar="news|data|base_rate|expert|model|other",
            help="Where the evidence comes from. [default: news]",
        ),
    ] = None,
    look_again: Annotated[
        int | None,
        typer.Option(
            "--look-again",
            metavar="DAYS",
            help="After how long Today brings the question back. [default: as it is]",
        ),
    ] = None,
    database: Database = None,
    member: Member = None,
) -> None:
    """Put a probability on a question, with the evidence that it leans on."""
    from forecasts.agenda import revisits
    from forecasts.ledger.database import writing
    from forecasts.questions import registry
    from forecasts.updates import updates
    from forecasts.updates.evidence import say_cited, spoken_for
    from forecasts.updates.typed_values import as_typed
    from forecasts.updates.values import read_value, say_change, value_of

    chosen, moment = settings(database, member), now()
    with writing(ledger(chosen)) as session:
        who = acting(session, chosen, now=moment)
        found = registry.find(session, question)
        text = registry.wording(session, found)
        before = updates.standing(session, found, who, at=moment)
        given = read_value(value, text, None if before is None else value_of(before))
        citing = _cited(session, evidence or [], supports, opposes, context, kind)
        updates.update(
            session, found, given, member=who, now=moment, rationale=because, evidence=citing
        )
        if look_again is not None:
            revisits.revisit_every(session, look_again, member=who, now=moment, question=found)
        said = say_change(before, given, text.options)
        outcome = spoken_for(text, before, given)
        back = as_typed(before, text)
    leaning = f" (evidence: {say_cited(citing, outcome)})" if citing else ""
    out().print(plain(f"{who.handle}: {said} on {question}{leaning}"))
    for words in _warnings(before, given, citing, stated=supports or opposes or context):
        messages().print(f"Warning: {words}")
    undo = next_step(f"withdraw {question}", database=database, member=member)
    if back and not said.startswith("still"):
        words = f"update {question} {shlex.quote(back)}"
        again = next_step(words, database=database, member=member)
        messages().print(plain(f"To go back: {again}   To have none stand: {undo}"))
    elif said.startswith("still"):
        messages().print(plain(f"To have none stand: {undo}"))
    else:
        messages().print(plain(f"To take it back: {undo}"))


@app.command("look-again")
def look_again(
    days: Annotated[
        str, typer.Argument(metavar="DAYS|usual", help="After so many days; or as usual again.")
    ],
    on: Annotated[
        str | None,
        typer.Option(
            "--on",
            metavar="QUESTION",
            help="On this question alone. [default: on all for which you have said nothing else]",
        ),
    ] = None,
    database: Database = None,
    member: Member = None,
) -> None:
    """Say after how long Today brings your forecasts back.

    What is said for a question holds for what you are told, too (forecasts notify).
    """
    from forecasts.agenda import revisits
    from forecasts.ledger.database import writing
    from forecasts.questions import registry

    chosen, moment = settings(database, member), now()
    usual = days.strip().casefold() == "usual"
    if not usual and not re.fullmatch(r"\d{1,6}", days.strip()):
        raise BadInput(
            f"{days!r} is not a number of days.", remedy="Give one, such as 7; or: usual."
        )
    with writing(ledger(chosen)) as session:
        who = acting(session, chosen, now=moment)
        found = None if on is None else registry.find(session, on)
        revisits.revisit_every(
            session, None if usual else int(days), member=who, now=moment, question=found
        )
        held = revisits.intervals(session, who)
        every = held.usual if found is None or found.id is None else held.of(found.id)
    where = "your forecasts" if on is None else on
    days_ = "day" if every.days == 1 else "days"
    out().print(plain(f"Today brings {where} back after {every.days} {days_}."))


def _warnings(
    before: Forecast | None, given: Value, citing: list[Cited], *, stated: bool
) -> Iterator[str]:
    """Yield what is allowed and may not be meant."""
    from forecasts.ledger.models import Stance
    from forecasts.updates.values import certainty

    extreme = certainty(given)
    if extreme is not None:
        means, room = ("0 % means never", 0.1) if extreme == 0 else ("100 % means certain", 99.9)
        yield f"{means}: one surprise costs an infinite log score; {room} % leaves room for one."
    fell = (
        before is not None
        and before.probability is not None
        and given.probability is not None
        and given.probability < before.probability
    )
    if fell and not stated and any(cited.stance == Stance.supports for cited in citing):
        yield (
            "you went down, and the evidence counts as speaking for yes. "
            "If it speaks against yes, update again with --opposes."
        )


def _cited(
    session: Session,
    evidence: list[str],
    supports: bool,
    opposes: bool,
    context: bool,
    kind: str | None,
) -> list[Cited]:
    """Return the evidence; the options hold for every piece that does not say otherwise."""
    from forecasts.ledger.models import EvidenceKind, Stance
    from forecasts.updates.evidence import read_evidence

    if supports + opposes + context > 1:
        raise BadInput("Evidence supports, opposes or is context; it cannot do two at once.")
    for named, given in (("stance", supports or opposes or context), ("kind", kind is not None)):
        if given and not evidence:
            raise BadInput(
                f"A {named} needs evidence.", remedy="Add --evidence URL or --evidence TEXT."
            )
    stance = Stance.opposes if opposes else Stance.context if context else Stance.supports
    chosen = EvidenceKind(one_of("--kind", kind or EvidenceKind.news, tuple(EvidenceKind)))
    return [read_evidence(session, item, stance=stance, kind=chosen) for item in evidence]


@app.command()
def withdraw(
    question: QuestionSlug,
    because: Because = "",
    database: Database = None,
    member: Member = None,
) -> None:
    """Withdraw your standing forecast; its history stays."""
    from forecasts.ledger.database import writing
    from forecasts.questions import registry
    from forecasts.updates import updates
    from forecasts.updates.typed_values import as_typed
    from forecasts.updates.values import say_value

    chosen, moment = settings(database, member), now()
    with writing(ledger(chosen)) as session:
        who = acting(session, chosen, now=moment)
        found = registry.find(session, question)
        text = registry.wording(session, found)
        before = updates.standing(session, found, who, at=moment)
        updates.withdraw(session, found, member=who, now=moment, rationale=because)
        assert before is not None
        said, back = say_value(before, text.options), as_typed(before, text)
    out().print(plain(f"{who.handle}: withdrew {said} from {question}; none stands from now on"))
    if back:
        words = f"update {question} {shlex.quote(back)}"
        again = next_step(words, database=database, member=member)
        messages().print(plain(f"To stand again: {again}"))
