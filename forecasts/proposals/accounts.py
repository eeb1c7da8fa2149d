"""The account of each model: its calls, their cost, and the decisions on its proposals.

Proposals about one article stand or fall together. So the share accepted is the mean over articles
(or questions) with a decided proposal, and its interval is Wilson's with as many observations.

A proposed outcome is compared with the final one whether or not it was accepted: a person who
dismisses the wrong ones would make the rest look right.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlmodel import Session, col, func, select

from forecasts.ledger.models import (
    AnswerState,
    Decision,
    Discard,
    Member,
    ModelAnswer,
    ModelCall,
    ModelDecision,
    ModelProposal,
    QuestionRevision,
)
from forecasts.proposals.calls import own
from forecasts.proposals.decisions import is_newest
from forecasts.proposals.questions import read_content
from forecasts.questions import revisions
from forecasts.questions.finality import provisional_outcomes
from forecasts.questions.standing import by_id, rows_with
from forecasts.scores.shares import Share, share
from forecasts.values.outcomes import NOT_SCORED, outcome_value

_TAKEN = (Decision.accepted, Decision.changed)
_WORDING = {
    *("title", "type", "options", "lower_bound", "upper_bound", "unit"),
    *("resolution_criteria", "fine_print"),
}


@dataclass(frozen=True)
class Account:
    """The account of a model for one kind of proposal.

    ``calls``: of which ``answered``, ``unusable`` (in another form), ``failed``, and ``cut_off``
    without an answer; ``tokens`` and ``cost``: of the others. ``misquoted`` and ``dropped``: parts
    of answers that became no proposals. ``annulled`` (or ambiguous) and ``reworded``: of the
    accepted questions that the reader may see. ``taken``: the share accepted, changed or not.
    ``agreed``: the share of the proposed outcomes, of questions with a final one, that are it.

    Nobody judges a forecast: it is ``shown``, ``not_shown`` yet, or
    dismissed. A challenge is shown at once. ``no_outcome``: answers without an outcome, which are
    not decided.
    """

    model: str
    kind: str
    calls: int = 0
    answered: int = 0
    unusable: int = 0
    failed: int = 0
    cut_off: int = 0
    tokens: int = 0
    cost: float = 0.0
    misquoted: int = 0
    dropped: int = 0
    accepted: int = 0
    changed: int = 0
    dismissed: int = 0
    open: int = 0
    shown: int = 0
    not_shown: int = 0
    no_outcome: int = 0
    annulled: int = 0
    reworded: int = 0
    taken: Share = field(default_factory=Share)
    agreed: Share = field(default_factory=Share)

    @property
    def proposals(self) -> int:
        """How many proposals it made."""
        decided = self.accepted + self.changed + self.dismissed
        return decided + self.open + self.shown + self.not_shown + self.no_outcome

    @property
    def cost_per_accepted(self) -> float | None:
        """The cost of all calls for each accepted proposal, changed or not; None without any."""
        many = self.accepted + self.changed
        return self.cost / many if many else None


@dataclass(frozen=True)
class _Decided:
    """A proposal's source, its decision, the question that it made, and the outcome it proposes.

    ``source``: the ids of its article and of its question. ``outcome``: blank for an answer without
    one, None for other kinds of proposals and for words that were removed.
    """

    source: tuple[int | None, int | None]
    decision: Decision | None
    question: int | None
    outcome: str | None


def accounts(session: Session, member: Member | None, *, now: datetime) -> list[Account]:
    """Return the accounts of the calls that the member may see, by model and kind."""
    seen = own(session, member, now=now)
    answer, call = ModelAnswer, ModelCall
    totals: Any = (
        select(call.model, call.kind, answer.state)
        .add_columns(
            func.count(col(call.id)),
            func.sum(col(answer.tokens_in) + col(answer.tokens_out)),
            func.sum(col(answer.cost)),
            func.sum(col(answer.misquoted)),
            func.sum(col(answer.unusable)),
        )
        .outerjoin(answer, col(answer.model_call_id) == col(call.id))
        .where(seen)
        .group_by(call.model, call.kind, answer.state)
    )
    found: dict[tuple[str, str], Account] = {}
    for model, kind, state, many, tokens, cost, misquoted, dropped in session.exec(totals):
        before = found.get((model, kind), Account(model, kind))
        end = "cut_off" if state is None else AnswerState(state).value
        found[model, kind] = replace(
            before,
            **{end: many},
            calls=before.calls + many,
            tokens=before.tokens + int(tokens or 0),
            cost=before.cost + float(cost or 0),
            misquoted=before.misquoted + int(misquoted or 0),
            dropped=before.dropped + int(dropped or 0),
        )
    for key, decided in _decided(session, member, now=now).items():
        found[key] = _with_decisions(session, found[key], decided, now)
    return [found[key] for key in sorted(found)]


def _decided(
    session: Session, member: Member | None, *, now: datetime
) -> dict[tuple[str, str], list[_Decided]]:
    """Return the proposals of each model and kind; a discarded question reopens its own."""
    call, proposal, decision = ModelCall, ModelProposal, ModelDecision
    rows: Any = (
        select(call.model, call.kind, decision, Discard.id)
        .add_columns(proposal, col(call.article_id), col(call.about_id))
        .select_from(proposal)
        .join(call, col(call.id) == col(proposal.model_call_id))
        .outerjoin(
            decision,
            (col(decision.model_proposal_id) == col(proposal.id)) & is_newest(),
        )
        .outerjoin(Discard, col(Discard.question_id) == col(decision.made_question_id))
        .where(own(session, member, now=now))
    )
    found: dict[tuple[str, str], list[_Decided]] = defaultdict(list)
    for model, kind, row, discarded, made, article, about in session.exec(rows):
        is_open = row is None or row.decision == Decision.reopened or discarded is not None
        fields = read_content(made) if kind == "outcome" else {}
        decided = _Decided(
            source=(article, about),
            decision=None if is_open else Decision(row.decision),
            question=None if is_open else row.made_question_id,
            outcome=fields.get("outcome"),
        )
        found[model, kind].append(decided)
    return found


def _with_decisions(
    session: Session, account: Account, decided: Sequence[_Decided], now: datetime
) -> Account:
    """Return the account with the decisions on its proposals."""
    sound = [one for one in decided if one.outcome != ""]
    many = Counter(one.decision for one in sound)
    if account.kind == "trial":
        return account  # nobody decides on it
    if account.kind == "forecast":
        return replace(
            account,
            shown=many[Decision.accepted],
            not_shown=many[None],
            dismissed=many[Decision.dismissed],
        )
    if account.kind == "challenge":
        return replace(account, shown=many[None], dismissed=many[Decision.dismissed])
    groups: dict[tuple[int | None, ...], list[bool]] = defaultdict(list)
    for one in sound:
        if one.decision is not None:
            groups[one.source].append(one.decision in _TAKEN)
    made = sorted({one.question for one in decided if one.question is not None})
    states = by_id(session, made, now=now)
    return replace(
        account,
        accepted=many[Decision.accepted],
        changed=many[Decision.changed],
        dismissed=many[Decision.dismissed],
        open=many[None],
        no_outcome=len(decided) - len(sound),
        annulled=sum(
            one.resolution is not None and one.resolution.outcome in NOT_SCORED
            for one in states.values()
        ),
        reworded=_reworded(session, list(states)),
        taken=share(groups.values()),
        agreed=_agreed(session, decided, now),
    )


def _agreed(session: Session, decided: Sequence[_Decided], now: datetime) -> Share:
    """Return the share of the proposed outcomes that are the final one of their question.

    Of the questions that the reader may see.
    """
    proposed: dict[int, list[str]] = defaultdict(list)
    for one in decided:
        if one.outcome and one.source[1] is not None:
            proposed[one.source[1]].append(one.outcome)
    if not proposed:
        return Share()
    not_final = provisional_outcomes(session, now=now)
    agreed: list[list[bool]] = []
    for id_, state in by_id(session, sorted(proposed), now=now).items():
        if state.resolution is not None and id_ not in not_final:
            value = partial(outcome_value, question=state.text)
            final = value(state.resolution.outcome)
            agreed.append([value(outcome) == final for outcome in proposed[id_]])
    return share(agreed)


def _reworded(session: Session, questions: Sequence[int]) -> int:
    """Return how many of the questions have another wording than they were asked with."""
    wordings: dict[int, list[QuestionRevision]] = defaultdict(list)
    query = select(QuestionRevision).order_by(col(QuestionRevision.number))
    for row in rows_with(session, query, QuestionRevision.question_id, questions):
        wordings[row.question_id].append(row)
    return sum(
        any(
            one.field in _WORDING
            for before, after in revisions.edits(rows)
            for one in revisions.changes(before, after)
        )
        for rows in wordings.values()
    )
