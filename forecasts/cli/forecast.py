"""The commands for forecasts and their reviews: update, withdraw, look-again."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Annotated

from sqlmodel import Session

from forecasts.agenda import revisits
from forecasts.cli.console import confirm, one_of, zone
from forecasts.cli.options import (
    Because,
    QuestionSlug,
    TakesNegativeValues,
    TextOrJson,
    Yes,
    argument,
    flag,
    option,
)
from forecasts.cli.printing import print_line, print_note, printed_json
from forecasts.cli.root import app
from forecasts.cli.session import acting, acting_on, next_step, reading_as
from forecasts.common.errors import BadInput
from forecasts.common.text import count
from forecasts.ledger.models import EvidenceKind, Forecast, Question, QuestionText, Stance
from forecasts.ledger.models import Member as LedgerMember
from forecasts.questions import registry
from forecasts.questions.ties import ever_tied
from forecasts.updates import updates
from forecasts.updates.evidence import CitedEvidence, format_stances, stance_mismatch
from forecasts.updates.evidence_parsing import read_evidence
from forecasts.updates.typed_values import typed_forecast
from forecasts.values.value import Value, format_change, format_value, stated_certainty, value_of
from forecasts.values.value_parsing import BareNumber, read_value
from forecasts.views.forecasts import new_forecast


@app.command(cls=TakesNegativeValues)
def update(
    question: QuestionSlug,
    value: Annotated[
        str,
        argument(
            "P",
            "71%, 0.71 or odds in favour 5:2; for options 'Busan=60%, Other=40%'; "
            "for numbers '10%=120, 50%=140, 90%=170'; for dates '50%=2027-03-31, 90%=in 8 months'.",
        ),
    ],
    because: Because = "",
    evidence: Annotated[
        list[str] | None,
        option(
            "URL|TEXT",
            "Evidence for the update: a web address, a note, or 'article 3' of this ledger. "
            "Repeat for each piece. To give one piece its own stance, kind or share of the update, "
            "put them first: 'opposes data 30%: https://…'.",
        ),
    ] = None,
    supports: Annotated[
        bool,
        flag(
            "--supports",
            "The evidence makes yes likelier. For options: the one you move most; for "
            "numbers: a higher one; for dates: a later one. [default: as your forecast moves]",
        ),
    ] = False,
    opposes: Annotated[bool, flag("--opposes", "The evidence makes yes less likely.")] = False,
    context: Annotated[
        bool, flag("--context", "The evidence speaks neither for nor against yes.")
    ] = False,
    kind: Annotated[
        str | None,
        option("news|data|base_rate|expert|model|other", "Kind of evidence. [default: news]"),
    ] = None,
    look_again: Annotated[
        int | None,
        option("DAYS", "Review this question again after so many days. [default: unchanged]"),
    ] = None,
    yes: Yes = False,
    format_: TextOrJson = "text",
) -> None:
    """Forecast a question, or update your forecast, with evidence.

    Evidence without a stance gets the one that fits your move. If it all points the other way, the
    command asks first.
    """

    def read(
        session: Session, found: Question, who: LedgerMember | None, now: datetime
    ) -> tuple[QuestionText, Forecast | None, Value, list[CitedEvidence]]:
        text = registry.newest_wording(session, found)
        before = None if who is None else updates.current_forecast(session, found, who, at=now)
        current = None if before is None else value_of(before)
        again = partial(next_step, "update", found.slug)
        given = typed_value(value, text, current, now=now, again=again)
        cited = _cited(session, evidence or [], supports, opposes, context, kind)
        return text, before, given, cited

    if evidence and not yes:  # asked before the act begins, since other writers wait for it
        with reading_as() as (session, who, now):
            text, before, given, cited = read(session, registry.find(session, question), who, now)
            mismatch = stance_mismatch(text, before, given, cited)
        if mismatch:
            confirm(f"{mismatch} Save it?", yes=False)
    with acting_on(question) as (session, found, who, now):
        text, _, given, cited = read(session, found, who, now)
        saved = updates.update(
            session, found, given, member=who, now=now, rationale=because, evidence=cited
        )
        if look_again is not None:
            revisits.set_interval(session, look_again, member=who, now=now, question=found)
        change = format_change(saved.before, given, text.options)
        previous, slug = typed_forecast(saved.before, text), found.slug
        document = new_forecast(session, found, saved.forecast, who)
        against = _contradicts(session, found, given, who, now)
    basis = f" (evidence: {format_stances(saved.cited, saved.outcome)})" if cited else ""
    if not printed_json(format_, document):
        print_line(f"{who.handle}: {change} on {slug}{basis}")
    if any(one.stance is None for one in cited):
        print_note(
            "The stance of the evidence follows your move. To choose it: --supports, --opposes or "
            "--context."
        )
    if (extreme := certainty_warning(given)) is not None:
        print_note(f"Warning: {extreme}")
    if against:
        print_note(f"It contradicts your other forecasts: {next_step('coherence', slug)}")
    undo = ""
    if previous and not change.startswith("still"):
        undo = f"To undo: {next_step('update', slug, previous)}   "
    print_note(f"{undo}To withdraw: {next_step('withdraw', slug)}")


@app.command("look-again")
def look_again(
    days: Annotated[str, argument("DAYS|usual", "Days until the next review; usual: default.")],
    on: Annotated[
        str | None,
        option(
            "QUESTION", "Only this question. [default: every question without its own interval]"
        ),
    ] = None,
) -> None:
    """Set how often Today asks you to review your forecasts.

    A question's own interval applies to its notifications too (forecasts notify).
    """
    usual = days.strip().casefold() == "usual"
    if not usual and not re.fullmatch(r"\d{1,6}", days.strip()):
        raise BadInput(
            f"{days!r} is not a number of days.", remedy="Give one, such as 7, or: usual."
        )
    with acting() as (session, who, now):
        found = None if on is None else registry.find(session, on)
        revisits.set_interval(
            session, None if usual else int(days), member=who, now=now, question=found
        )
        intervals = revisits.intervals(session, who)
        every = intervals.default if found is None else intervals.on(found.id)
    subject = "your forecasts" if on is None else on
    print_line(f"Today asks you to review {subject} after {count(every.days, 'day')}.")


def _contradicts(
    session: Session, question: Question, given: Value, who: LedgerMember, now: datetime
) -> bool:
    if not ever_tied(session, [question.id]):
        return False
    from forecasts.updates.coherence import contradictions  # loads SciPy

    return bool(contradictions(session, {question.id: given}, member=who, now=now))


def certainty_warning(given: Value) -> str | None:
    """Return a sentence about a stated 0% or 100%, None without one."""
    if (extreme := stated_certainty(given)) is None:
        return None
    means, room = ("0% means never", 0.1) if extreme == 0 else ("100% means certain", 99.9)
    return f"{means}: one surprise costs an infinite log score. {room}% leaves room for one."


def typed_value(
    typed: str,
    text: QuestionText,
    current: Value | None = None,
    *,
    now: datetime,
    again: Callable[[str], str],
) -> Value:
    """Return the forecast, as ``read_value`` does.

    A bare number is refused with the two commands to choose from, which ``again`` makes.
    """
    try:
        return read_value(typed, text, current, now=now, zone=zone())
    except BareNumber as error:
        if error.typed != typed.strip():  # one of several probabilities
            raise
        first, second = map(again, error.readings)
        raise BadInput(error.message, remedy=f"Choose: {first}\n    or: {second}") from None


def _cited(
    session: Session,
    evidence: list[str],
    supports: bool,
    opposes: bool,
    context: bool,
    kind: str | None,
) -> list[CitedEvidence]:
    """Return the evidence; the options apply to each piece that does not state its own."""
    if supports + opposes + context > 1:
        raise BadInput("Evidence supports, opposes or is context; it cannot do two at once.")
    for name, said in (("stance", supports or opposes or context), ("kind", kind is not None)):
        if said and not evidence:
            raise BadInput(
                f"A {name} needs evidence.", remedy="Add --evidence URL or --evidence TEXT."
            )
    given = {Stance.supports: supports, Stance.opposes: opposes, Stance.context: context}
    stance = next((one for one, named in given.items() if named), None)
    chosen = EvidenceKind(one_of("--kind", kind or EvidenceKind.news, tuple(EvidenceKind)))
    return [read_evidence(session, item, stance=stance, kind=chosen) for item in evidence]


@app.command()
def withdraw(question: QuestionSlug, because: Because = "", format_: TextOrJson = "text") -> None:
    """Withdraw your forecast. The time it was active still counts."""
    with acting_on(question) as (session, found, who, now):
        text = registry.newest_wording(session, found)
        saved = updates.withdraw(session, found, member=who, now=now, rationale=because)
        assert saved.before is not None
        value, typed = format_value(saved.before, text.options), typed_forecast(saved.before, text)
        document = new_forecast(session, found, saved.forecast, who)
    if not printed_json(format_, document):
        print_line(f"{who.handle}: withdrew {value} from {question}")
    if typed:
        print_note(f"To undo: {next_step('update', question, typed)}")
