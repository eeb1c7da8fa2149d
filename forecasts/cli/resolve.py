"""The commands that end a question: propose, resolve, reject, dispute, uphold, rescore."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from forecasts.cli.console import (
    Because,
    Database,
    Member,
    QuestionSlug,
    acting,
    ledger,
    now,
    out,
    printable,
    settings,
)
from forecasts.cli.negative_values import TakesMinus
from forecasts.cli.questions import print_scores
from forecasts.cli.root import app
from forecasts.common.errors import BadInput, Refused
from forecasts.common.times import read_time, to_minute

if TYPE_CHECKING:
    from forecasts.common.settings import Settings

Outcome = Annotated[
    str,
    typer.Argument(
        help="yes, no, an option, a number, a date, above or below (the bounds), annulled or "
        "ambiguous."
    ),
]
Source = Annotated[str, typer.Option("--source", help="What says so: a URL.")]


@app.command(cls=TakesMinus)
def propose(
    question: QuestionSlug,
    outcome: Outcome,
    known_at: Annotated[
        str | None,
        typer.Option(
            "--known-at",
            metavar="TIME",
            help="When the outcome became known. A day means its first instant. [default: now]",
        ),
    ] = None,
    because: Because = "",
    source: Source = "",
    database: Database = None,
    member: Member = None,
) -> None:
    """Propose an outcome. Somebody accepts it with resolve, or turns it down with reject."""
    from forecasts.ledger.database import writing
    from forecasts.questions import registry
    from forecasts.resolution import resolutions

    chosen, moment = settings(database, member), now()
    with writing(ledger(chosen)) as session:
        proposal = resolutions.propose(
            session,
            registry.find(session, question),
            outcome,
            known_at=moment if known_at is None else read_time(known_at, now=moment),
            now=moment,
            member=acting(session, chosen, now=moment),
            note=because,
            source=source,
        )
    known = to_minute(proposal.known_at or moment)
    out().print(
        printable(f"{question}: proposed {proposal.outcome}, known at {known}; it waits for a decision")
    )


@app.command(cls=TakesMinus)
def resolve(
    question: QuestionSlug,
    outcome: Outcome,
    known_at: Annotated[
        str | None,
        typer.Option(
            "--known-at",
            metavar="TIME",
            help="When the outcome became known: forecasts after it do not count. A day means its "
            "first instant. [default: as proposed; for a correction, as before; else now]",
        ),
    ] = None,
    because: Because = "",
    source: Source = "",
    database: Database = None,
    member: Member = None,
) -> None:
    """Resolve a question and score every forecast on it; again with another outcome to correct.

    The outcome that was proposed accepts the proposal; annulled takes the question out of every
    score. Whatever is superseded stays readable, with its scores, in show.
    """
    from forecasts.ledger.database import writing
    from forecasts.questions import finality, registry, standing
    from forecasts.questions.outcomes import NOT_SCORED
    from forecasts.resolution import history, resolutions
    from forecasts.scores import scores

    chosen, moment = settings(database, member), now()
    with writing(ledger(chosen)) as session:
        who = acting(session, chosen, now=moment)
        found = registry.find(session, question)
        earlier = standing.current_state(session, found, now=moment).resolution
        resolution = resolutions.confirm(
            session,
            found,
            outcome,
            known_at=None if known_at is None else read_time(known_at, now=moment),
            now=moment,
            member=who,
            note=because,
            source=source,
        )
        scored = scores.table(session, resolution)
        open_ = finality.provisional(session, found, now=moment)
    known = "" if resolution.known_at is None else f", known at {to_minute(resolution.known_at)}"
    console = out()
    console.print(printable(f"{question}: {resolution.outcome}{known}"))
    if earlier is not None:
        console.print(printable(f"  corrected: {history.correction(earlier, resolution)}"))
    if resolution.proposal_id is not None:
        console.print("  as it was proposed")
    print_scores(console, scored)
    if not scored:
        console.print("  No scores.")
    if earlier is not None and resolution.outcome in NOT_SCORED:
        console.print("  It is out of every report; what it had scored stays readable in show.")
    if open_ is not None:
        console.print(printable(f"  {history.say_provisional(open_)}"))


@app.command()
def reject(
    question: QuestionSlug,
    because: Because = "",
    database: Database = None,
    member: Member = None,
) -> None:
    """Turn down what is proposed as the outcome of a question; --because says what is wrong."""
    from forecasts.ledger.database import writing
    from forecasts.questions import registry, standing
    from forecasts.resolution import resolutions

    chosen, moment = settings(database, member), now()
    with writing(ledger(chosen)) as session:
        who = acting(session, chosen, now=moment)
        found = registry.find(session, question)
        proposals = resolutions.proposals_on(session, found)
        if not proposals:
            raise Refused(
                f"No outcome of {question!r} waits for a decision.",
                remedy="See: forecasts questions --status proposed.",
            )
        if not because.strip():
            raise BadInput(
                "Turning a proposal down takes a reason: whoever made it should learn what was "
                "wrong.",
                remedy='Add it: --because "…".',
            )
        for proposal in proposals:
            resolutions.reject(session, proposal, now=moment, member=who, note=because)
        status = standing.current_state(session, found, now=moment).status
    outcomes = " and ".join(proposal.outcome for proposal in proposals)
    out().print(printable(f"{question}: {outcomes} rejected; the question is {status}"))


@app.command()
def dispute(
    question: QuestionSlug,
    because: Because = "",
    database: Database = None,
    member: Member = None,
) -> None:
    """Hold the outcome of a question to be wrong, while its policy allows it; --because says why.

    Its scores stay provisional until somebody decides: by another outcome, or by upholding it.
    """
    from forecasts.resolution.disputes import dispute as act

    _on_outcome(act, question, because, settings(database, member))
    out().print(printable(f"{question}: disputed; it waits for a decision"))


@app.command()
def uphold(
    question: QuestionSlug,
    because: Because = "",
    database: Database = None,
    member: Member = None,
) -> None:
    """Settle a dispute in favour of the outcome that stands, which then is final."""
    from forecasts.resolution.disputes import uphold as act

    _on_outcome(act, question, because, settings(database, member))
    out().print(printable(f"{question}: upheld; the outcome and its scores are final"))


def _on_outcome(act: Callable[..., object], slug: str, because: str, chosen: Settings) -> None:
    """Dispute the outcome of a question, or uphold it, as who runs the command."""
    from forecasts.ledger.database import writing
    from forecasts.questions import registry

    moment = now()
    with writing(ledger(chosen)) as session:
        act(
            session,
            registry.find(session, slug),
            member=acting(session, chosen, now=moment),
            now=moment,
            reason=because,
        )


@app.command()
def rescore(database: Database = None) -> None:
    """Make the scores of every resolution that stands anew, as after an upgrade of the engine."""
    from forecasts.ledger.database import writing
    from forecasts.scores import scores

    with writing(ledger(settings(database))) as session:
        rebuilt = scores.rebuild(session)
    out().print(
        f"Scores made anew by engine {rebuilt.engine}: {rebuilt.scores:,} of "
        f"{rebuilt.resolutions:,} resolved questions. Those of superseded resolutions stay as they "
        "were."
    )
