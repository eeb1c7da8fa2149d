"""Posts: the ledger's questions as bots read them, with the reader's own forecasts."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from sqlmodel import Session

from forecasts.access import members, visibility
from forecasts.access.roles import question_not_found
from forecasts.api.metaculus.requests import SITE, Moment
from forecasts.common.errors import Forbidden
from forecasts.ledger.models import Forecast, Member, MemberKind, QuestionText
from forecasts.questions import search, standing
from forecasts.questions.search import Filter
from forecasts.questions.standing import QuestionState, Status
from forecasts.questions.trends import Trend, trends
from forecasts.scores.stored_scores import main_protocol, score_table
from forecasts.updates import updates
from forecasts.updates.comments import Remark
from forecasts.updates.updates import current_forecasts
from forecasts.values import distributions
from forecasts.values.outcomes import bounds
from forecasts.values.value import value_of

Shape = dict[str, Any]  # an object of the platform's API, by its names there
# The number of a group's post is this, and that of the first of its questions.
GROUPS = 1_000_000_000

Stage = Literal["upcoming", "open", "closed", "resolved"]
# All others are resolved.
_STAGES: dict[Status, Stage] = {
    Status.upcoming: "upcoming",
    Status.open: "open",
    Status.awaiting: "closed",
}
# A group has the first of these stages that one of its questions is in.
_GROUP_ORDER: tuple[Stage, ...] = ("open", "upcoming", "closed", "resolved")
_ENDS = (
    "scheduled_close_time",
    "actual_close_time",
    "scheduled_resolve_time",
    "actual_resolve_time",
)


def stage(state: QuestionState) -> Stage:
    """Return the question's stage in the platform's words."""
    return _STAGES.get(state.status, "resolved")


def kind(text: QuestionText) -> str:
    """Return the question's type in the platform's words."""
    return "discrete" if distributions.outcome_count(text) else str(text.type)


def resolve_time(text: QuestionText) -> datetime:
    """Return the scheduled resolution, or else the scheduled close."""
    return text.scheduled_resolve_time or text.scheduled_close_time


def account(session: Session, member: Member) -> Shape:
    """Return a member as an account."""
    is_bot = members.kind_of(session, member) != MemberKind.human
    return {"id": member.id, "username": member.handle, "is_bot": is_bot, "is_staff": False}


def question_posts(
    session: Session,
    states: Sequence[QuestionState],
    *,
    member: Member,
    now: datetime,
    newest: int | None = None,
) -> dict[int, Shape]:
    """Return the posts of the questions by their numbers, with the member's own forecasts.

    ``newest``: of each question's, only the last ones, so many.
    """
    handles = members.handles(session)
    crowds = trends(session, states, now=now, points=1)
    counts = updates.forecast_counts(session, [state.id for state in states])
    found = {}
    for state in states:
        text, asked = state.text, state.question
        forecasters, forecasts = counts.get(state.id, (0, 0))
        mine = _my_forecasts(session, state, member, newest)
        timed = {
            "id": state.id,
            "title": text.title,
            "status": stage(state),
            "created_at": asked.recorded_at,
            "open_time": text.open_time,
            "scheduled_close_time": text.scheduled_close_time,
            "actual_close_time": text.close_time if text.close_time <= now else None,
            "scheduled_resolve_time": resolve_time(text),
            "actual_resolve_time": state.outcome_at,
        }
        found[state.id] = timed | {
            "slug": state.slug,
            "short_title": text.title,
            "author_id": asked.member_id,
            "author_username": handles[asked.member_id],
            "projects": {
                "default_project": _project(SITE, "ledger", "Forecast Ledger", "site_main"),
                "tournament": [_tournament(tag) for tag in text.tags or []],
                "category": [],
            },
            "published_at": asked.recorded_at,
            "curation_status": "approved",
            "resolved": state.resolution is not None,
            "nr_forecasters": forecasters,
            "forecasts_count": forecasts,
            "question": timed | _question(session, state, crowds.get(state.id), mine, now),
            "not_kept": {},
        }
    return found


def group_post(posts: Sequence[Shape]) -> Shape:
    """Return the post of a family, which has the questions of these posts."""
    family = sorted(posts, key=lambda post: int(post["id"]))
    first, id_ = family[0], GROUPS + family[0]["id"]
    questions = [
        post["question"] | {"post_id": id_, "label": post["question"]["title"]} for post in family
    ]
    shared = ("description", "resolution_criteria", "fine_print", "group_variable")

    def latest(name: str) -> datetime | None:
        times = [post[name] for post in family]
        return None if None in times else max(times)

    group = first | {
        "id": id_,
        "status": min((post["status"] for post in family), key=_GROUP_ORDER.index),
        "resolved": all(post["resolved"] for post in family),
        **{name: latest(name) for name in _ENDS},
        "nr_forecasters": max(post["nr_forecasters"] for post in family),
        "forecasts_count": sum(post["forecasts_count"] for post in family),
        "group_of_questions": {
            "id": id_,
            **{name: questions[0][name] for name in shared},
            "questions": questions,
        },
    }
    return {name: value for name, value in group.items() if name not in ("question", "not_kept")}


def families(states: Sequence[QuestionState]) -> list[list[QuestionState]]:
    """Return the questions in order, those of a family together if it can be a group.

    A group has a family's name and at least two questions, of one type, that differ in their titles
    but share background, criteria and fine print: a group has these once.
    """
    groups: dict[Any, list[QuestionState]] = defaultdict(list)
    for state in states:
        text = state.text
        shared = (text.type, text.background, text.resolution_criteria, text.fine_print)
        groups[(text.family, *shared) if text.family else state.id].append(state)
    return list(groups.values())


def made_forecasts(rows: Sequence[Forecast], text: QuestionText) -> list[Shape]:
    """Return the forecasts of one member, oldest first, each until the next row."""
    return [
        _made(row, None if after is None else after.made_at, text)
        for row, after in itertools.zip_longest(rows, rows[1:])
        if not row.withdrawn
    ]


def posted_comment(session: Session, remark: Remark, post_id: int) -> Shape:
    """Return a comment on that post; ``forecast_id``: the forecast whose reasons it gives."""
    row = remark.comment
    return {
        "id": row.id,
        "on_post": post_id,
        "author": account(session, remark.author),
        "text": row.text,
        "created_at": row.recorded_at,
        "is_private": row.private,
        "parent_id": None,
        "included_forecast": row.forecast_id is not None,
        "forecast_id": row.forecast_id,
    }


def _question(
    session: Session, state: QuestionState, crowd: Trend | None, mine: Shape, now: datetime
) -> Shape:
    text, resolution = state.text, state.resolution
    hidden = text.crowd_hidden and visibility.crowd_is_hidden(session, state.question)
    is_open = True if text.is_quantitative else None
    return {
        "post_id": state.id,
        "type": kind(text),
        "description": text.background,
        "resolution_criteria": text.resolution_criteria,
        "fine_print": text.fine_print,
        "label": "",
        "group_variable": "",
        "options": text.options,
        "unit": text.unit or "",
        "scaling": _scaling(text),
        "open_lower_bound": is_open,
        "open_upper_bound": is_open,
        "inbound_outcome_count": distributions.outcome_count(text),
        "cp_reveal_time": text.scheduled_close_time if hidden else text.open_time,
        "resolution": None if resolution is None else resolution.outcome,
        "resolution_set_time": None if resolution is None else resolution.recorded_at,
        "include_bots_in_aggregates": True,
        "question_weight": 1.0,
        "my_forecasts": mine,
        "aggregations": {"unweighted": {"history": [], "latest": _latest(crowd, now)}},
    }


def tournaments(session: Session, *, now: datetime) -> list[Shape]:
    """Return the tags of the questions that the reader may see, as tournaments by name."""
    found: dict[str, list[tuple[str, QuestionState]]] = defaultdict(list)
    for state in standing.listing(session, now=now):
        for tag in state.text.tags or []:
            found[tag.casefold()].append((tag, state))
    return [
        _tournament(found[name][0][0])
        | {
            "start_date": min(state.text.open_time for _, state in found[name]),
            "close_date": max(state.text.scheduled_close_time for _, state in found[name]),
            "is_ongoing": any(stage(state) == "open" for _, state in found[name]),
            "questions_count": len(found[name]),
        }
        for name in sorted(found)
    ]


def _project(number: int | None, slug: str, name: str, kind: str) -> Shape:
    return {"id": number, "slug": slug, "name": name, "type": kind, "visibility": "normal"}


def _tournament(tag: str) -> Shape:
    number = int(tag) if tag.isascii() and tag.isdigit() and len(tag) < 10 else None
    return _project(number, tag, tag, "tournament")


def _scaling(text: QuestionText) -> Shape:
    """Return the range of a question and the numbers at which its CDFs are given."""
    names = ("range_min", "range_max", "nominal_min", "nominal_max", "zero_point")
    if not text.is_quantitative:
        return dict.fromkeys((*names, "inbound_outcome_count", "continuous_range"))
    low, high = bounds(text)
    count = distributions.outcome_count(text)
    half = 0.0 if count is None else 0.5
    ends = (low, high, low + half, high - half, distributions.zero_point(text))
    return dict(zip(names, ends, strict=True)) | {
        "inbound_outcome_count": count or distributions.STEPS,
        "continuous_range": [float(number) for number in distributions.grid(text)],
    }


def _my_forecasts(
    session: Session, state: QuestionState, member: Member, newest: int | None
) -> Shape:
    """Return an account's forecasts on a question, oldest first, and their score."""
    rows = [row for row, _ in updates.history(session, state.question, member, newest=newest)]
    made = made_forecasts(rows, state.text)
    scores: dict[str, float] = {}
    if rows and state.resolution is not None:
        for one in score_table(session, state.resolution):
            if one.forecaster == member.handle:
                name = f"{main_protocol(state.text.type)}_score"
                scores = {name: one.score, "coverage": one.coverage}
    latest = made[-1] if made and not rows[-1].withdrawn else None
    return {"history": made, "latest": latest, "score_data": scores}


def _made(row: Forecast, until: datetime | None, text: QuestionText) -> Shape:
    """Return a forecast with its times in seconds since 1970."""
    value = value_of(row).over(text.options)
    yes, vector, cdf = value.probability, value.probabilities, None
    if yes is not None:
        values: Sequence[float | None] = [1 - yes, yes]
    elif vector is not None:
        values = vector
    else:
        values = cdf = distributions.to_cdf(value, text)
    return {
        "question": row.question_id,
        "question_id": row.question_id,
        "author": row.member_id,
        "start_time": row.made_at.timestamp(),
        "end_time": None if until is None else until.timestamp(),
        "forecast_values": values,
        "probability_yes": yes,
        "probability_yes_per_category": None
        if vector is None
        else dict(zip(text.options or [], vector, strict=True)),
        "continuous_cdf": cdf,
    }


def _latest(crowd: Trend | None, now: datetime) -> Shape | None:
    """Return the crowd's median on a binary question; None where no forecast is active."""
    if crowd is None or crowd.points[-1] is None:
        return None
    return {
        "start_time": now.timestamp(),
        "end_time": None,
        "centers": [crowd.points[-1]],
        "forecaster_count": crowd.forecasters,
    }


MOST = 100  # posts on a page
_LISTED = 10  # own forecasts on each of their questions
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
) -> tuple[list[Shape], int]:
    """Return a page of the posts that match, and how many match.

    Families are groups where groups are asked for, and separate questions elsewhere. Each question
    has the account's ``_LISTED`` newest forecasts; its own post has all.
    """
    states = _matching(session, asked, member, now)
    groups = families(states) if _GROUP in asked.forecast_type else [[state] for state in states]
    shown = groups[asked.offset : asked.offset + min(asked.limit, MOST)]
    flat = [state for group in shown for state in group]
    posts = question_posts(session, flat, member=member, now=now, newest=_LISTED)
    return [_post([posts[state.id] for state in group]) for group in shown], len(groups)


def post(session: Session, post_id: int, *, member: Member, now: datetime) -> Shape:
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


def _post(posts: Sequence[Shape], grouped: bool = False) -> Shape:
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
            and (not asked.statuses or stage(state) in asked.statuses)
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
