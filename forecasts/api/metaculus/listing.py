"""The list of posts: its filters, order and pages, on the questions that the reader may see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from sqlmodel import Session

from forecasts.access.roles import question_not_found
from forecasts.api.metaculus.posts import (
    GROUPS,
    families,
    group_post,
    kind,
    question_posts,
    resolve_time,
    stage,
)
from forecasts.api.metaculus.shapes import GroupPost, Moment, QuestionPost
from forecasts.common.errors import Forbidden
from forecasts.ledger.models import Member
from forecasts.questions import search, standing
from forecasts.questions.search import Filter
from forecasts.questions.standing import QuestionState
from forecasts.updates.updates import current_forecasts

MOST = 100  # posts on a page
_GROUP = "group_of_questions"

# The times that the list is filtered and ordered by. The ledger has no other measure of a post,
# such as its heat: any other order is that of publication.
_TIMES: dict[str, Callable[[QuestionState], datetime]] = {
    "published_at": lambda state: state.question.recorded_at,
    "open_time": lambda state: state.text.open_time,
    "scheduled_close_time": lambda state: state.text.scheduled_close_time,
    "scheduled_resolve_time": lambda state: resolve_time(state.text),
}


def _apart(given: Any) -> Any:
    """Return the words of a parameter that is repeated or holds several, separated by commas."""
    return [word for one in given for word in one.split(",")] if isinstance(given, list) else given


Words = Annotated[list[str], BeforeValidator(_apart)]


class Asked(BaseModel):
    """The parameters of the list. One that the ledger does not know is refused."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(20, ge=1)
    offset: int = Field(0, ge=0)
    order_by: str = "-published_at"
    forecast_type: Words = []
    statuses: Words = []
    tournaments: Words = []
    ids: Words = []
    search: str = ""
    forecaster_id: int | None = None
    not_forecaster_id: int | None = None
    published_at__gt: Moment = None
    published_at__lt: Moment = None
    open_time__gt: Moment = None
    open_time__lt: Moment = None
    scheduled_close_time__gt: Moment = None
    scheduled_close_time__lt: Moment = None
    scheduled_resolve_time__gt: Moment = None
    scheduled_resolve_time__lt: Moment = None
    # Each post has its texts and its crowd, and is on the main page.
    with_cp: bool = True
    include_cp_history: bool = False
    include_conditional_cps: bool = False
    include_description: bool = True
    for_main_feed: bool = True


def page(
    session: Session, asked: Asked, *, member: Member, now: datetime
) -> tuple[list[QuestionPost | GroupPost], int]:
    """Return a page of the posts that match, and how many match.

    Families are groups where groups are asked for, and separate questions elsewhere.
    """
    states = _matching(session, asked, member, now)
    groups = families(states) if _GROUP in asked.forecast_type else [[state] for state in states]
    shown = groups[asked.offset : asked.offset + min(asked.limit, MOST)]
    flat = [state for group in shown for state in group]
    posts = question_posts(session, flat, member=member, now=now)
    return [_post([posts[state.id] for state in group]) for group in shown], len(groups)


def post(
    session: Session, post_id: int, *, member: Member, now: datetime
) -> QuestionPost | GroupPost:
    """Return the post with this number; NotFound if the reader may not see it."""
    states = questions(session, post_id, now=now)
    posts = question_posts(session, states, member=member, now=now)
    return _post([posts[state.id] for state in states], grouped=post_id >= GROUPS)


def questions(session: Session, post_id: int, *, now: datetime) -> list[QuestionState]:
    """Return the questions of the post with this number; NotFound if there is none."""
    if post_id < GROUPS:
        found = list(standing.by_id(session, [post_id], now=now).values())
    else:
        first = post_id - GROUPS
        groups = families(sorted(standing.listing(session, now=now), key=lambda state: state.id))
        found = next((group for group in groups if first in [state.id for state in group]), [])
        found = found if len(found) > 1 else []
    if not found:
        raise question_not_found(str(post_id))
    return found


def _post(posts: Sequence[QuestionPost], grouped: bool = False) -> QuestionPost | GroupPost:
    return group_post(posts) if grouped or len(posts) > 1 else posts[0]


def _matching(session: Session, asked: Asked, member: Member, now: datetime) -> list[QuestionState]:
    only = None
    if asked.search:
        only, _ = search.find(session, Filter(words=asked.search), member=member, now=now)
    own = _own(session, asked, member, now)
    types = {one for one in asked.forecast_type if one != _GROUP}
    tags = {tag.casefold() for tag in asked.tournaments}

    def matches(state: QuestionState) -> bool:
        return (
            (not types or kind(state.text) in types)
            and (not asked.statuses or stage(state, now) in asked.statuses)
            and (not tags or any(tag.casefold() in tags for tag in state.text.tags or []))
            and (not asked.ids or str(state.id) in asked.ids)
            and (own is None or (state.id in own) == (asked.forecaster_id is not None))
            and all(_within(asked, name, of(state)) for name, of in _TIMES.items())
        )

    found = [state for state in standing.listing(session, now=now, only=only) if matches(state)]
    by = _TIMES.get(asked.order_by.removeprefix("-"))
    backwards = by is None or asked.order_by.startswith("-")
    by = by or _TIMES["published_at"]
    return sorted(found, key=lambda state: (by(state), state.id), reverse=backwards)


def _own(session: Session, asked: Asked, member: Member, now: datetime) -> set[int] | None:
    """Return the ids of questions that the reader has forecast; None if they do not matter."""
    named = {asked.forecaster_id, asked.not_forecaster_id} - {None}
    if not named:
        return None
    if named != {member.id}:
        raise Forbidden(
            "forecaster_id and not_forecaster_id take the number of the token's own account.",
            remedy=f"Yours is {member.id}.",
        )
    return set(current_forecasts(session, member, at=now))


def _within(asked: Asked, name: str, at: datetime) -> bool:
    after, before = getattr(asked, f"{name}__gt"), getattr(asked, f"{name}__lt")
    return (after is None or at > after) and (before is None or at < before)
