"""An outcome as a model reads it in articles: one witness with its passages, never the judge.

"Not yet", "cannot tell" and "cancelled" are answers like any outcome. A person who finds the
witness right proposes the outcome in their own name, and it is decided like every proposed one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlmodel import Session

from forecasts.access import roles
from forecasts.access.roles import Action
from forecasts.access.visibility import require_visible
from forecasts.articles.library import find_article
from forecasts.common.errors import LedgerError, Refused, command
from forecasts.common.text import cut
from forecasts.common.times import iso, read_time
from forecasts.ledger.models import (
    Decision,
    Member,
    ModelCall,
    Question,
    Resolution,
)
from forecasts.proposals import decisions
from forecasts.proposals.kinds import Checked, Kind, Material, Wanted
from forecasts.proposals.model_forecasts import question_material, require_sendable
from forecasts.proposals.prompts import ProposedOutcome, sent_data
from forecasts.proposals.questions import read_content
from forecasts.proposals.quotations import find_quotation
from forecasts.questions import registry
from forecasts.resolution.proposals import propose, require_possible, require_within_bounds
from forecasts.values.typed_dates import read_date

_MOST_NOTE = 5_000  # characters


class Passage(NamedTuple):
    """A passage that was checked: it is in the article, letter by letter."""

    quotation: str
    meets: str
    article: int


@dataclass(frozen=True)
class ModelOutcome:
    """A model's answer on a question's outcome; ``outcome``: in the ledger's form, or blank."""

    number: int
    model: str
    question: Question
    answer: str
    outcome: str
    known_at: datetime | None
    passages: Sequence[Passage]
    note: str
    decision: Decision | None


def _require(session: Session, wanted: Wanted, member: Member, now: datetime) -> None:
    question = registry.find(session, wanted.question)
    roles.require(session, member, Action.propose, question, now=now)
    require_sendable(question, registry.newest_wording(session, question), member)


def _material(session: Session, wanted: Wanted, now: datetime) -> Material:
    material = question_material(session, wanted, now)
    if not any(one["text"].strip() for one in material.data["articles"]):
        raise Refused(
            f"The ledger has no article on {wanted.question!r}.",
            remedy=f"Add one: {command('model outcome', wanted.question)} --article N. "
            "To find N: forecasts articles",
        )
    return material


def _check(session: Session, call: ModelCall, answer: ProposedOutcome, now: datetime) -> Checked:
    """Return the answer as it is stored, without passages that no article has.

    An outcome without a sound passage is dropped.
    """
    question = session.get_one(Question, call.about_id)
    articles = sent_data(call.request).get("articles", [])
    sound: list[dict[str, Any]] = []
    for one in answer.passages:
        for article in articles:
            if (quote := find_quotation(article["text"], one.quotation)) is not None:
                passage = Passage(quote.quote, one.meets.strip(), article["number"])
                sound.append(passage._asdict())
                break
    misquoted = len(answer.passages) - len(sound)
    fields: dict[str, Any] = {
        "answer": answer.answer,
        "outcome": "",
        "known_at": None,
        "passages": sound,
        "note": answer.note.strip(),
    }
    if answer.answer in ("outcome", "cancelled"):
        if not sound:
            return Checked((), misquoted, unusable=int(not answer.passages))
        try:
            fields |= _read(session, question, answer, now)
        except LedgerError:
            return Checked((), misquoted, unusable=1)
    return Checked((json.dumps(fields, ensure_ascii=False),), misquoted)


def _read(
    session: Session, question: Question, answer: ProposedOutcome, now: datetime
) -> dict[str, str]:
    """Return the outcome and its time as our parsers read them; a LedgerError if they cannot."""
    text = registry.newest_wording(session, question)
    known_at = read_date(answer.known_on, now=now, past=True)
    if known_at.date() == now.date():
        known_at = now
    typed = "annulled" if answer.answer == "cancelled" else answer.outcome
    outcome = require_possible(text, question.slug, typed, known_at, now)
    require_within_bounds(text, outcome)
    return {"outcome": outcome, "known_at": iso(known_at)}


OUTCOME = Kind(_require, _material, _check)


def find(session: Session, number: int, member: Member) -> ModelOutcome:
    """Return the answer on an outcome that the member asked for; Refused for another proposal."""
    row = decisions.find(session, number, member)
    call = decisions.require_kind(session, row, "outcome")
    fields = read_content(row)
    question = session.get_one(Question, call.about_id)
    require_visible(session, question)
    decision = decisions.newest_decision(row, session)
    return ModelOutcome(
        number=number,
        model=call.model,
        question=question,
        answer=fields["answer"],
        outcome=fields["outcome"],
        known_at=None if fields["known_at"] is None else read_time(fields["known_at"]),
        passages=[Passage(**one) for one in fields["passages"]],
        note=fields["note"],
        decision=None if decision is None else decision.decision,
    )


def accept(
    session: Session, number: int, *, member: Member, now: datetime, outcome: str | None = None
) -> Resolution:
    """Return the outcome that the member proposes by a model's answer, which is written.

    ``outcome``: another one than the model's. Refused for an answer without an outcome, and as in
    ``propose``.
    """
    found = find(session, number, member)
    row = decisions.require_open(session, number, member)
    chosen = outcome or found.outcome
    if not chosen:
        raise Refused(
            f"{found.model} found no outcome for {found.question.slug!r}: "
            f"{found.answer.replace('_', ' ')}.",
            remedy=f"If you know it: {command('model propose', str(number))} OUTCOME",
        )
    source = ""
    with suppress(LedgerError, IndexError):
        source = find_article(session, found.passages[0].article).url or ""
    said = [f"“{one.quotation}” ({one.meets}; article {one.article})" for one in found.passages]
    note = cut("\n\n".join([f"By {found.model}:", *said]), _MOST_NOTE)
    proposed = propose(
        session,
        found.question,
        chosen,
        known_at=found.known_at,
        now=now,
        member=member,
        note=note,
        source=source,
    )
    is_same = proposed.outcome == found.outcome
    decision = Decision.accepted if is_same else Decision.changed
    decisions.record(session, row, decision, member, now, made_resolution_id=proposed.id)
    return proposed
