"""The façade's paths. Each handler reads the request, calls the ledger's verbs, and answers.

Errors are those of the API: problem documents, whose ``detail`` is the sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from forecasts.access import members, tokens, visibility
from forecasts.access.roles import Scope, question_not_found
from forecasts.api.caller import At, Scoped, acts_once, reads
from forecasts.api.metaculus import coherence, posts, requests
from forecasts.api.metaculus.posts import Shape, account, made_forecasts, posted_comment
from forecasts.api.metaculus.requests import (
    Bulk,
    BulkRead,
    Few,
    NewBot,
    NewComment,
    NewForecast,
    NewPost,
    Number,
    Outcome,
    Times,
    Withdrawal,
)
from forecasts.common.errors import BadInput, NotFound, Refused
from forecasts.common.times import iso
from forecasts.ledger.models import Member, QuestionLink
from forecasts.ledger.receipts import receipts
from forecasts.questions import links, registry, revisions, standing
from forecasts.questions.standing import QuestionState
from forecasts.resolution import confirmation
from forecasts.updates import comments, updates

ORIGIN = "api"
_EVER = coherence.Since()
_AT_ONCE = timedelta(minutes=1)  # a time this near now means now

# Outside the document of the native API, whose shapes are its own.
router = APIRouter(prefix="/api", include_in_schema=False, route_class=Scoped)


@router.get("/users/me")
@router.get("/users/me/")
@reads
def me(at: At) -> Shape:
    """Return the token's own account."""
    return account(at.session, at.member)


@router.get("/users/me/bots/")
@reads
def bots(at: At) -> list[Shape]:
    """Return the account's bots."""
    return [account(at.session, bot) for bot in tokens.bots_of(at.session, at.member)]


@router.post("/users/me/bots/create/", status_code=201)
@acts_once(Scope.admin)
def create_bot(at: At, asked: NewBot) -> Shape:
    """Return a new bot of the account with its token."""
    if members.find_member(at.session, asked.username.strip()) is not None:
        raise Refused(f"There is already a member {asked.username!r}.")
    issued = tokens.create(at.session, asked.username, scopes=tokens.USUAL_SCOPES, **at.by)
    return {"user": account(at.session, issued.member), "token": issued.secret}


@router.get("/users/me/bots/{bot_id}/token/")
@acts_once(Scope.admin)
def bot_token(at: At, bot_id: Number) -> dict[str, str]:
    """Return a new token of the account's bot: a ledger cannot show the one it made before."""
    bot = tokens.own_account(at.session, at.member, str(bot_id))
    issued = tokens.create(at.session, bot.handle, scopes=tokens.USUAL_SCOPES, **at.by)
    return {"token": issued.secret}


@router.get("/posts/")
@reads
def list_posts(at: At, asked: Annotated[posts.Asked, Query()], request: Request) -> Shape:
    """Return a page of posts."""
    results, count = posts.page(at.session, asked, **at.by)
    shown = min(asked.limit, posts.MOST)
    after, before = asked.offset + shown, max(0, asked.offset - shown)
    pages = request.url.include_query_params
    return {
        "count": count,
        "next": str(pages(offset=after)) if after < count else None,
        "previous": str(pages(offset=before)) if asked.offset else None,
        "results": results,
    }


@router.get("/posts/{post_id}/")
@reads
def show_post(at: At, post_id: Number, acting_user: str | None = None) -> Shape:
    """Return a post as the account, or one of its bots, sees it."""
    member = _acting(at, acting_user)
    return posts.post(at.session, post_id, member=member, now=at.now)


@router.post("/posts/create/", status_code=201)
@acts_once(Scope.ask)
def create_post(at: At, asked: NewPost) -> Shape:
    """Return the post of a new question; ``not_kept`` names the fields it left out."""
    member = _acting(at, asked.acting_user)
    text = requests.wording(asked, now=at.now)
    question = registry.register(at.session, text, member=member, now=at.now)
    made = posts.post(at.session, question.id, member=member, now=at.now)
    return made | {"not_kept": requests.not_kept(asked, text)}


async def _sent_times(request: Request) -> Times:
    """Return the times of a request, which bots send as a form."""
    sent = await request.body()
    try:
        if request.headers.get("content-type", "").startswith("application/json"):
            return Times.model_validate_json(sent or b"{}")
        return Times.model_validate(dict(parse_qsl(sent.decode("utf-8", "replace"))))
    except ValidationError as error:
        found = [one | {"loc": ("body", *one["loc"])} for one in error.errors()]
        raise RequestValidationError(found) from None


@router.post("/posts/{post_id}/approve/")
@acts_once(Scope.ask)
def approve_post(at: At, post_id: Number, times: Annotated[Times, Depends(_sent_times)]) -> Shape:
    """Return the post with these times; it has been published since it was registered."""
    names = ("open_time", "scheduled_close_time", "scheduled_resolve_time")
    for state in posts.found_post(at.session, post_id, now=at.now).questions:
        given = {name: getattr(times, name) for name in names if getattr(times, name)}
        changed = {name: at_ for name, at_ in given.items() if at_ != getattr(state.text, name)}
        if changed:
            revisions.revise(at.session, state.question, reason="approved", **changed, **at.by)
    return posts.post(at.session, post_id, **at.by)


@router.get("/projects/tournaments/")
@reads
def list_tournaments(at: At) -> list[Shape]:
    """Return the tournaments, which are the tags of the questions."""
    return posts.tournaments(at.session, now=at.now)


@router.get("/questions/{question_id}/")
@reads
def show_question(at: At, question_id: Number, acting_user: str | None = None) -> Shape:
    """Return a question without its post, as the account, or one of its bots, sees it."""
    member, states = _acting(at, acting_user), [_state(at, question_id)]
    [found] = posts.question_posts(at.session, states, member=member, now=at.now).values()
    question: Shape = found["question"]
    return question


@router.post("/questions/forecast/", status_code=201)
@acts_once(Scope.forecast)
def forecast(at: At, asked: Annotated[list[NewForecast], Few]) -> list[Shape]:
    """Return the receipts of new forecasts, one act: if one is refused, all are."""
    return _forecast(at, at.member, asked, "body")


@router.post("/questions/withdraw/", status_code=201)
@acts_once(Scope.forecast)
def withdraw(at: At, asked: Annotated[list[Withdrawal], Few]) -> list[Shape]:
    """Return the receipts of withdrawals, one act."""
    ids = []
    for one in asked:
        if one.withdraw_at is not None and abs(one.withdraw_at - at.now) > _AT_ONCE:
            raise BadInput(
                f"withdraw_at is {iso(one.withdraw_at)}; a forecast is withdrawn now.",
                remedy="Leave it out, and withdraw the forecast at that time.",
            )
        question = _state(at, one.question).question
        saved = updates.withdraw(at.session, question, origin=ORIGIN, **at.by)
        ids.append(saved.forecast.id)
    return _receipts(at, ids)


@router.post("/questions/bulk-forecast-comment/")
@acts_once(Scope.forecast)
def forecast_and_comment(at: At, asked: Bulk) -> Shape:
    """Return the receipts and comments of the account, or one of its bots; one act."""
    member = _acting(at, asked.acting_user)
    made = _forecast(at, member, asked.forecasts, "body.forecasts")
    said = [_comment(at, member, one) for one in asked.comments]
    return {"forecasts": made, "comments": said}


@router.post("/questions/bulk-forecast-read/")
@reads
def read_forecasts(at: At, asked: BulkRead) -> dict[str, list[Shape]]:
    """Return the forecasts of the account, or one of its bots, without hidden questions."""
    member = _acting(at, asked.acting_user)
    states = standing.by_id(at.session, asked.question_ids, now=at.now)
    return {
        "results": [
            {"question_id": state.id, "forecasts": _made(at, state, member)}
            for state in states.values()
        ]
    }


@router.post("/questions/{question_id}/resolve/")
@acts_once(Scope.resolve)
def resolve(at: At, question_id: Number, asked: Outcome) -> Shape:
    """Return the post of a question with this outcome, which is confirmed and scored."""
    confirmation.confirm(
        at.session, _state(at, question_id).question, asked.resolution,
        known_at=asked.actual_resolve_time, **at.by,
    )  # fmt: skip
    return posts.post(at.session, question_id, **at.by)


@router.post("/questions/{question_id}/unresolve/")
@acts_once(Scope.resolve)
def unresolve(at: At, question_id: Number) -> Shape:
    """Return the post of a question whose outcome is withdrawn; the path takes no reason."""
    question = _state(at, question_id).question
    confirmation.withdraw(at.session, question, reason="unresolved by the API", **at.by)
    return posts.post(at.session, question_id, **at.by)


@router.post("/comments/create/", status_code=201)
@acts_once(Scope.forecast)
def create_comment(at: At, asked: NewComment) -> Shape:
    """Return the new comment."""
    return _comment(at, at.member, asked)


@router.get("/comments/")
@reads
def list_comments(at: At, post: Number, limit: Annotated[int, Query(ge=1)] = 100,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> Shape:  # fmt: skip
    """Return a page of a post's comments, newest first."""
    found = [
        one
        for state in posts.found_post(at.session, post, now=at.now).questions
        for one in comments.remarks(at.session, state.question)
    ]
    found.sort(key=lambda one: one.comment.id, reverse=True)
    page = [posted_comment(at.session, one, post) for one in found[offset : offset + limit]]
    return {"count": len(found), "results": page}


@router.get("/coherence/question/{question_id}/links/")
@reads
def list_links(at: At, question_id: Number) -> Shape:
    """Return the links from and to a question, by all members."""
    found = links.links_of(at.session, _state(at, question_id).question, now=at.now)
    ends = {state.id: state for link in found for state in (link.one, link.other)}
    shown = posts.question_posts(at.session, [*ends.values()], member=at.member, now=at.now)
    data = [
        shape | {f"question{n}": shown[shape[f"question{n}_id"]]["question"] for n in (1, 2)}
        for shape in map(coherence.shape, found)
    ]
    return {"size": len(data), "data": data}


@router.get("/coherence/question/{question_id}/links/needs-update/")
@reads
def linked_updates(at: At, question_id: Number, asked: coherence.Since = _EVER) -> Shape:
    """Return the linked questions to review after the account's forecast on this one.

    Open ones without a forecast of theirs since that one, with their links; none if that one is
    older than the time in the request.
    """
    question = _state(at, question_id).question
    mine = updates.current_forecasts(at.session, at.member, at=at.now)
    made = mine[question_id].made_at if question_id in mine else None
    found = {}
    if made is not None and (asked.datetime is None or asked.datetime <= made):
        for link in links.links_of(at.session, question, now=at.now):
            other = link.other if link.one.id == question_id else link.one
            stale = other.id not in mine or mine[other.id].made_at < made
            by = asked.user_id_for_links in (None, link.row.member_id)
            if by and stale and other.accepts_forecasts(at.now):
                found[link.row.id] = (link, other)
    others = {other.id: other for _, other in found.values()}
    shown = posts.question_posts(at.session, [*others.values()], member=at.member, now=at.now)
    return {
        "questions": [post["question"] for post in shown.values()],
        "links": [coherence.shape(link) for link, _ in found.values()],
    }


@router.post("/coherence/links/create/", status_code=201)
@acts_once(Scope.forecast)
def create_link(at: At, asked: coherence.NewLink) -> Shape:
    """Return the new link, or the account's own that says the same already."""
    one, other = (_state(at, id_) for id_ in (asked.question1_id, asked.question2_id))
    for link in links.links_of(at.session, one.question, now=at.now):
        found = coherence.shape(link)
        if link.row.member_id == at.member.id and asked.model_dump().items() <= found.items():
            return found
    row = links.link(
        at.session, one.question, other.question, coherence.kind(asked),
        strength=coherence.STRENGTHS[asked.strength],
        reason=coherence.reason(one, other, asked.direction), **at.by,
    )  # fmt: skip
    return asked.model_dump() | {"id": row.id}


@router.delete("/coherence/links/{link_id}/delete/", status_code=204)
@acts_once(Scope.forecast)
def delete_link(at: At, link_id: Number) -> None:
    """Remove the link with this number."""
    found = links.links(at.session, QuestionLink.id == link_id, now=at.now)
    if not found:
        raise NotFound(f"There is no link {link_id}.")
    link = found[0]
    links.unlink(at.session, link.one.question, link.other.question, link.row.kind, **at.by)


def _acting(at: At, name: str | int | None) -> Member:
    """Return the member that acts and reads: the token's own, or a bot of theirs."""
    if name is None:
        return at.member
    member = tokens.own_account(at.session, at.member, str(name))
    visibility.read_as(at.session, member, now=at.now)
    return member


def _state(at: At, question_id: int) -> QuestionState:
    """Return the question with this number; NotFound if the reader may not see it."""
    found = standing.by_id(at.session, [question_id], now=at.now)
    if question_id not in found:
        raise question_not_found(str(question_id))
    return found[question_id]


def _forecast(at: At, member: Member, asked: Sequence[NewForecast], place: str) -> list[Shape]:
    ids = []
    for number, one in enumerate(asked):
        state, here = _state(at, one.question), f"{place}.{number}"
        value, model = requests.value(one, state.text, here), requests.model(one, here)
        saved = updates.update(
            at.session, state.question, value, member=member, now=at.now, origin=ORIGIN,
            model=model, once=True,
        )  # fmt: skip
        ids.append(saved.forecast.id)
    return _receipts(at, ids)


def _receipts(at: At, ids: Sequence[int]) -> list[Shape]:
    found = receipts(at.session, ids) if ids else []
    return [{"id": id_, "receipt": vars(one)} for id_, one in zip(ids, found, strict=True)]


def _made(at: At, state: QuestionState, member: Member) -> list[Shape]:
    rows = [row for row, _ in updates.history(at.session, state.question, member)]
    return made_forecasts(rows, state.text)


def _comment(at: At, member: Member, asked: NewComment) -> Shape:
    if asked.parent is not None:
        raise BadInput(
            "parent is set, and comments have no replies here.",
            remedy="Leave it out, and quote the comment.",
        )
    state = _explained(
        at, member, posts.found_post(at.session, asked.on_post, now=at.now).questions
    )
    row = comments.comment(
        at.session, state.question, asked.text, member=member, now=at.now,
        explains_forecast=asked.included_forecast, private=asked.is_private,
    )  # fmt: skip
    return posted_comment(at.session, comments.Remark(row, member), asked.on_post)


def _explained(at: At, member: Member, states: Sequence[QuestionState]) -> QuestionState:
    """Return the question of a post that the member forecast last; else its first."""
    if len(states) == 1:
        return states[0]
    made = updates.current_forecasts(at.session, member, at=at.now)
    return max(states, key=lambda state: made[state.id].id if state.id in made else 0)
