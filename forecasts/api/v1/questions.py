"""Questions: list, show, ask, revise, close; and their outcomes, from a proposal to a dispute.

Each act answers with the question.
"""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Request, Response

from forecasts.access import teams
from forecasts.access.roles import Scope
from forecasts.agenda.today import Todo, today
from forecasts.api import problems
from forecasts.api import words as texts
from forecasts.api.caller import (
    At,
    Scoped,
    acts,
    markdown,
    reads,
    require_match,
    tagged,
    wants_markdown,
)
from forecasts.api.door import zone_of
from forecasts.api.paging import PAGE_SIZE, Cursor, Limit, place
from forecasts.api.v1 import requests
from forecasts.api.v1.forecasts import wrong_values
from forecasts.common.errors import BadInput, Refused
from forecasts.ledger.models import Question, QuestionText
from forecasts.questions import registry, revisions, search
from forecasts.questions.linting import read_written
from forecasts.questions.passages import Passage, find_passage
from forecasts.questions.standing import current_state
from forecasts.reading.lint import lint
from forecasts.reading.text_quotes import TextQuote
from forecasts.resolution import confirmation, disputes, proposals
from forecasts.updates.ask import ask
from forecasts.updates.ask_together import First
from forecasts.views import questions as views
from forecasts.views.lint import LintedQuestion, linted
from forecasts.views.questions import QuestionDocument, Questions, ResolvedQuestion

router = APIRouter(prefix="/questions", tags=["Questions"], route_class=Scoped)
outcomes = APIRouter(prefix="/questions/{id}", tags=["Outcomes"], route_class=Scoped)
lints = APIRouter(tags=["Questions"], route_class=Scoped)
_FORECASTS = 10  # the newest, in a text
_EVERY = 1_000_000  # questions that may need an update


@router.get("")
@reads
def list_questions(
    at: At,
    words: Annotated[
        str, Query(description="In title, criteria, background, reasons or comments.")
    ] = "",
    status: Annotated[
        Literal["upcoming", "open", "awaiting", "proposed", "resolved", "annulled", "ambiguous"]
        | None,
        Query(description="proposed: with a proposed outcome that awaits a decision."),
    ] = None,
    tag: str = "",
    family: str = "",
    team: str = "",
    type: Literal["binary", "multiple_choice", "numeric", "date"] | None = None,
    mine: Annotated[
        bool | None, Query(description="With a current forecast of yours, or without.")
    ] = None,
    needs_update: Annotated[
        bool, Query(description="Only open questions that need your forecast or your review.")
    ] = False,
    updated_since: Annotated[
        requests.Moment | None,
        Query(description="With a new wording, outcome or visible forecast since then."),
    ] = None,
    order: Annotated[
        Literal["close", "newest", "alphabet", "untouched"],
        Query(description="Next to close, newest, by title, or your oldest forecast first."),
    ] = "close",
    limit: Limit = PAGE_SIZE,
    cursor: Cursor = None,
) -> Questions:
    """List the questions that you may see, with your current forecasts."""
    by = search.Filter(
        words=words,
        status="" if status is None else search.STATUSES[status],
        tag=tag,
        family=family,
        team=team,
        type=type or "",
        mine=mine,
        changed_since=updated_since,
    )
    chosen, here = search.Order[order], place(cursor, at.now)
    # A renewed forecast goes to the end of this order, so that following it would never end.
    listed_at = here.began if order == "untouched" else at.now
    slugs, _ = search.find(at.session, by, member=at.member, now=listed_at, order=chosen)
    if needs_update:
        due = _needs_update(at)
        slugs = [slug for slug in slugs if slug in due]
    shown, following = here.page(slugs, limit)
    rows = search.rows(at.session, shown, member=at.member, now=at.now, words=words)
    listed = [views.question(row.state, row.forecast, row.passage) for row in rows]
    return Questions(questions=listed, matching=len(slugs), next=following)


def _needs_update(at: At) -> set[str]:
    found = today(at.session, at.member, now=at.now, shown=_EVERY)
    return {one.state.slug for one in found.of(Todo.forecast, Todo.review, Todo.news)}


@router.post("", status_code=201)
@acts(Scope.ask)
def ask_question(at: At, body: requests.NewQuestion) -> QuestionDocument:
    """Ask a question, with a first forecast if you like."""
    given = body.fields(now=at.now, zone=zone_of(at))
    text = registry.question_text(**given | teams.visibility_fields(at.session, body.visible_to))
    first = first_of(body.forecast, text, "body.forecast")
    asked = ask(
        at.session,
        text,
        None if first is None else first.value,
        slug=body.id,
        sources=sources(at, body),
        audience_chosen=body.visible_to is not None,
        origin=requests.ORIGIN,
        **({} if first is None else first.reasons),
        **at.by,
    )
    return document(at, asked.question)


@lints.post("/lint")
@reads
def lint_question(at: At, body: requests.JudgedWording) -> LintedQuestion:
    """Find faults in a question's wording and suggest fixes. Nothing is stored."""
    written = read_written(body.model_dump(), now=at.now, zone=zone_of(at))
    return linted(written.title, lint(written, now=at.now))


def sources(at: At, body: requests.Wording) -> list[Passage]:
    """Return the passage that new questions are taken from, if it is given."""
    if body.quote and body.article is None:
        raise BadInput("A quote needs the number of its article.", remedy="Add article.")
    quote = TextQuote(body.quote) if body.quote else None
    return [] if body.article is None else [find_passage(at.session, body.article, quote)]


def first_of(given: requests.GivenForecast | None, text: QuestionText, place: str) -> First | None:
    """Return a first forecast; BadInput, at this place, if the wording does not take it."""
    if given is None:
        return None
    if wrong := wrong_values(given, text, place):
        raise wrong
    return First(given.value, given.reasons)


def document(at: At, question: Question) -> QuestionDocument:
    """Return a question with the caller's current forecast."""
    return texts.document(at, current_state(at.session, question, now=at.now))


@router.get(
    "/{id}",
    response_model=QuestionDocument,
    responses={
        200: {"content": {"text/markdown": {"schema": {"type": "string"}}}},
        304: {"description": "It has not changed since you read it with that ETag."},
    },
)
@reads
def show_question(
    at: At, request: Request, response: Response, id: requests.Named
) -> QuestionDocument | Response:
    """Show a question: its wordings, its sources, the steps of its resolution, your forecast.

    With `Accept: text/markdown` as a text for language models.
    """
    if wants_markdown(request):
        return markdown(texts.question(at, registry.find(at.session, id), _FORECASTS))
    return tagged(request, response, document(at, registry.find(at.session, id)))


@router.patch(
    "/{id}",
    responses={412: problems.answer("The question has changed since you read it with that ETag.")},
)
@acts(Scope.ask)
def revise_question(
    at: At,
    id: requests.Named,
    body: requests.Revision,
    if_match: Annotated[
        str | None,
        Header(description="The ETag that you read: if the question has changed, 412."),
    ] = None,
) -> QuestionDocument:
    """Reword a question or change its dates. Earlier wordings are kept."""
    question = registry.find(at.session, id)
    if if_match is not None:
        require_match(if_match, document(at, question))
    given = body.fields(now=at.now, zone=zone_of(at))
    fields = given | teams.visibility_fields(at.session, body.visible_to)
    if not fields:
        raise BadInput("There is nothing to change.", remedy="Send at least one field.")
    revisions.revise(at.session, question, reason=body.reason, **at.by, **fields)
    return document(at, question)


@router.post("/{id}/close")
@acts(Scope.ask)
def close_question(
    at: At, id: requests.Named, body: requests.Close | None = None
) -> QuestionDocument:
    """Close a question early. Resolve it once its outcome is known."""
    question = registry.find(at.session, id)
    revisions.close(at.session, question, at=(body and body.at) or at.now, **at.by)
    return document(at, question)


@outcomes.post("/propose", status_code=201)
@acts(Scope.forecast)
def propose_outcome(at: At, id: requests.Named, body: requests.Outcome) -> QuestionDocument:
    """Propose an outcome, for someone who may decide it."""
    question = registry.find(at.session, id)
    proposals.propose(at.session, question, **dict(body), **at.by)
    return document(at, question)


@outcomes.post("/resolve", status_code=201)
@acts(Scope.resolve)
def resolve_question(at: At, id: requests.Named, body: requests.Outcome) -> ResolvedQuestion:
    """Confirm an outcome and score the forecasts; of a resolved question, correct it.

    `no_longer_count` has the forecasts that the time at which the outcome was known leaves out.
    """
    question = registry.find(at.session, id)
    settled = confirmation.confirm(at.session, question, **dict(body), **at.by)
    return ResolvedQuestion(**vars(document(at, question)), no_longer_count=settled.left_out)


@outcomes.post("/unresolve", status_code=201)
@acts(Scope.resolve)
def unresolve_question(at: At, id: requests.Named, body: requests.Because) -> QuestionDocument:
    """Withdraw the outcome, with a reason: the question is open again, or awaits an outcome."""
    question = registry.find(at.session, id)
    confirmation.withdraw(at.session, question, reason=body.reason, **at.by)
    return document(at, question)


@outcomes.post("/reject", status_code=201)
@acts(Scope.resolve)
def reject_proposals(at: At, id: requests.Named, body: requests.Because) -> QuestionDocument:
    """Reject the question's open proposals, with a reason."""
    question = registry.find(at.session, id)
    proposed = proposals.proposals_on(at.session, question)
    if not proposed:
        raise Refused(
            f"No outcome of {question.slug!r} awaits a decision.",
            remedy="See the questions with status=proposed.",
        )
    for proposal in proposed:
        proposals.reject(at.session, proposal, note=body.reason, **at.by)
    return document(at, question)


@outcomes.post("/dispute", status_code=201)
@acts(Scope.forecast)
def dispute_outcome(at: At, id: requests.Named, body: requests.Because) -> QuestionDocument:
    """Dispute the outcome, with a reason. Scores are provisional until a decision."""
    question = registry.find(at.session, id)
    disputes.dispute(at.session, question, reason=body.reason, **at.by)
    return document(at, question)


@outcomes.post("/uphold", status_code=201)
@acts(Scope.resolve)
def uphold_outcome(
    at: At, id: requests.Named, body: requests.Upheld | None = None
) -> QuestionDocument:
    """Uphold a disputed outcome, which makes it final."""
    question = registry.find(at.session, id)
    reason = "" if body is None else body.reason
    disputes.uphold(at.session, question, reason=reason, **at.by)
    return document(at, question)
