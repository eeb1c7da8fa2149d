"""The commands that end a question: propose, resolve, reject, dispute, uphold, rescore."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from sqlmodel import Session

from forecasts.cli.console import now, when, zone
from forecasts.cli.dates import time_of
from forecasts.cli.options import (
    Because,
    OnLedger,
    QuestionSlug,
    TakesNegativeValues,
    argument,
    flag,
    option,
)
from forecasts.cli.printing import print_line, print_lines, print_note
from forecasts.cli.root import app
from forecasts.cli.session import acting_on, ledger, settings
from forecasts.cli.show import print_scores
from forecasts.common.errors import FILL_IN, BadInput, Refused, command
from forecasts.ledger import current_forecasts
from forecasts.ledger.database import writing
from forecasts.ledger.models import Question
from forecasts.questions import finality, standing
from forecasts.questions.registry import newest_wording
from forecasts.resolution import disputes, history, proposals
from forecasts.resolution.dependents import decided
from forecasts.scores.stored_scores import score_table
from forecasts.values.outcomes import NOT_SCORED
from forecasts.values.typed_dates import read_typed_outcome

Outcome = Annotated[
    str,
    argument(
        "OUTCOME",
        "yes, no, an option, a number, a date (2027-03-01, yesterday), above or below (the "
        "bounds), annulled or ambiguous.",
    ),
]
Source = Annotated[str, option("URL", "Page that reports the outcome.")]


@app.command(cls=TakesNegativeValues)
def propose(
    question: QuestionSlug,
    outcome: Outcome,
    known_at: Annotated[
        str | None,
        option("TIME", "When the outcome became known. A day means its start. [default: now]"),
    ] = None,
    because: Because = "",
    source: Source = "",
) -> None:
    """Propose an outcome. To accept it, use resolve; to decline it, reject."""
    with acting_on(question) as (session, found, who, now):
        proposal = proposals.propose(
            session,
            found,
            _read(session, found, outcome, now),
            known_at=time_of(known_at, past=True, moment=now) or now,
            now=now,
            member=who,
            note=because,
            source=source,
        )
        known = when(proposal.known_at or now)
    print_line(f"{question}: proposed {proposal.outcome}, known at {known}; awaiting a decision")


@app.command(cls=TakesNegativeValues)
def resolve(
    question: QuestionSlug,
    outcome: Outcome = "",
    known_at: Annotated[
        str | None,
        option(
            "TIME",
            "When the outcome became known: later forecasts do not count. A day means its "
            "start. [default: the proposal's or the corrected resolution's time, else now]",
        ),
    ] = None,
    because: Because = "",
    source: Source = "",
    withdraw: Annotated[
        bool,
        flag(
            "--withdraw",
            "Withdraw the outcome, such as one given to the wrong question. Needs a reason "
            "(--because). The question is open again until its close.",
        ),
    ] = False,
    group: Annotated[
        bool,
        flag("--group", "Also resolve the other questions of its group that this outcome decides."),
    ] = False,
) -> None:
    """Resolve a question and score its forecasts. Resolve it again to correct the outcome.

    Resolving to a proposed outcome accepts the proposal. Annulled removes the question from every
    score. Superseded and withdrawn outcomes and their scores can be read with show.
    """
    from forecasts.resolution import confirmation  # loads pandas, as a proposal need not

    if withdraw:
        _withdraw(question, because, given=(outcome, known_at, source))
        return

    with acting_on(question) as (session, found, who, now):
        settled, *others = confirmation.confirm_together(
            session,
            found,
            _read(session, found, outcome, now),
            known_at=time_of(known_at, past=True, moment=now),
            now=now,
            member=who,
            note=because,
            source=source,
            alone=not group,
        )
        resolution, earlier = settled.resolution, settled.before
        scored = score_table(session, resolution)
        provisional = finality.provisional_outcome(session, found, now=now)
        also = [
            (session.get_one(Question, one.resolution.question_id).slug, one.resolution.outcome)
            for one in others
        ]
        left = decided(session, found, resolution.outcome, now=now)
    known = "" if resolution.known_at is None else f", known at {when(resolution.known_at)}"
    print_line(f"{question}: {resolution.outcome}{known}")
    if earlier is not None:
        print_line(f"  corrected: {history.correction(earlier, resolution, when)}")
    if resolution.proposal_id is not None:
        print_line("  as proposed")
    if settled.left_out.sentence:
        print_line(f"  {settled.left_out.sentence}")
    print_scores(scored)
    if not scored:
        print_line("  No scores.")
    if earlier is not None and resolution.outcome in NOT_SCORED:
        print_line("  No longer in any report; its earlier scores can be read with show.")
    if provisional is not None:
        print_line(f"  {history.provisional_note(provisional, when)}")
    print_lines(f"{slug}: {decision}, which follows in its group" for slug, decision in also)
    if left:
        more = ", ".join(f"{state.slug}: {follows}" for state, follows in left)
        print_note(f"This decides others of its group, which --group resolves too: {more}")


def _withdraw(question: str, because: str, *, given: Sequence[str | None]) -> None:
    from forecasts.resolution import confirmation  # loads pandas, as a proposal need not

    if any(given):
        raise BadInput(
            "--withdraw takes no outcome, --known-at or --source: the outcome is withdrawn as it "
            "was recorded.",
            remedy="Use: " + command("resolve", question, withdraw=True, because=FILL_IN),
        )
    with acting_on(question) as (session, found, who, now):
        row = confirmation.withdraw(session, found, member=who, now=now, reason=because)
        state = standing.current_state(session, found, now=now)
    print_line(f"{question}: {row.outcome} withdrawn; the question is {state.status}")
    if state.accepts_forecasts(now):
        print_line(f"  It closes {when(state.text.close_time)}.")
    print_line("  No longer in any report; its earlier scores can be read with show.")


def _read(session: Session, question: Question, outcome: str, now: datetime) -> str:

    return read_typed_outcome(outcome, newest_wording(session, question), now=now, zone=zone())


@app.command()
def reject(question: QuestionSlug, because: Because = "") -> None:
    """Reject a question's proposed outcomes. Needs a reason (--because)."""
    with acting_on(question) as (session, found, who, now):
        proposed = proposals.proposals_on(session, found)
        if not proposed:
            raise Refused(
                f"No outcome of {question!r} awaits a decision.",
                remedy="See: forecasts questions --status proposed.",
            )
        for proposal in proposed:
            proposals.reject(session, proposal, now=now, member=who, note=because)
        status = standing.current_state(session, found, now=now).status
    outcomes = " and ".join(proposal.outcome for proposal in proposed)
    print_line(f"{question}: {outcomes} rejected; the question is {status}")


@app.command()
def dispute(question: QuestionSlug, because: Because = "") -> None:
    """Dispute a question's outcome. Needs a reason (--because).

    A question's policy sets how long that is possible. Its scores are provisional until someone
    resolves it differently or upholds the outcome.
    """
    with acting_on(question) as (session, found, who, now):
        disputes.dispute(session, found, member=who, now=now, reason=because)
    print_line(f"{question}: disputed; awaiting a decision")


@app.command()
def uphold(question: QuestionSlug, because: Because = "") -> None:
    """Uphold a disputed outcome, which makes it final."""
    with acting_on(question) as (session, found, who, now):
        disputes.uphold(session, found, member=who, now=now, reason=because)
    print_line(f"{question}: upheld; the outcome and its scores are final")


@app.command(cls=OnLedger)
def rescore() -> None:
    """Recompute scores, current forecasts and matches of news."""
    from forecasts.news import matches  # loads SciPy, as a proposal need not
    from forecasts.scores import scores  # loads pandas

    with writing(ledger(settings()), now) as session:
        current = current_forecasts.rebuild(session.connection())
        rebuilt = scores.rebuild(session)
        matched = matches.rebuild(session, now=now())
    print_line(
        f"Recomputed with engine {rebuilt.engine}. Scores: {rebuilt.scores:,}; resolved questions: "
        f"{rebuilt.resolutions:,}. Scores of superseded resolutions are unchanged. Current "
        f"forecasts: {current:,}. Matches of news: {matched:,}."
    )
