"""Posts: the ledger's questions as bots read them, with the reader's own forecasts."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from sqlmodel import Session, col, select

from forecasts.access import members, visibility
from forecasts.access.roles import question_not_found
from forecasts.api.metaculus.requests import SITE, Moment
from forecasts.common.errors import Forbidden
from forecasts.ledger.models import (
    Condition,
    Forecast,
    Member,
    MemberKind,
    QuestionGroup,
    QuestionText,
)
from forecasts.questions import search, standing
from forecasts.questions.conditions import Branch, branches, child_title, pairs
from forecasts.questions.groups import Group, groups
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
# The number of a group's post is this and the group's; that of a conditional's is this and that of
# its branch for yes.
GROUPS = 1_000_000_000
CONDITIONALS = 2_000_000_000

Stage = Literal["upcoming", "open", "closed", "resolved"]
# All others are resolved.
_STAGES: dict[Status, Stage] = {
    Status.upcoming: "upcoming",
    Status.open: "open",
    Status.awaiting: "closed",
}
# A post has the first of these stages that one of its questions is in.
_ORDER: tuple[Stage, ...] = ("open", "upcoming", "closed", "resolved")
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


@dataclass(frozen=True)
class Post:
    """The content of a post: a question, a group, or a parent's branches for yes and for no."""

    id: int
    questions: Sequence[QuestionState]
    group: Group | None = None
    pair: tuple[Branch, Branch] | None = None

    @property
    def states(self) -> list[QuestionState]:
        """All questions that the post shows."""
        return [*self.questions, *([self.pair[0].parent] if self.pair else [])]

    def shape(self, posts: Mapping[int, Shape]) -> Shape:
        """Return the post, of those of its questions by their numbers."""
        own = [posts[state.id] for state in self.questions]
        if self.group is not None:
            whole = {"title": self.group.title, "short_title": self.group.title}
            return self._over(own) | whole | {"group_of_questions": self._group(self.group, own)}
        if self.pair is not None:
            title = child_title(self.pair[0])
            conditional = self._conditional(title, own, posts[self.pair[0].parent.id])
            return self._over(own) | {"title": title, "conditional": conditional}
        return own[0]

    def _over(self, own: Sequence[Shape]) -> Shape:
        """Return the fields of a post over several questions, by their own posts."""

        def latest(name: str) -> datetime | None:
            times = [post[name] for post in own]
            return None if None in times else max(times)

        post = own[0] | {
            "id": self.id,
            "slug": own[0]["slug"] if self.group is None else self.group.slug,
            "status": min((post["status"] for post in own), key=_ORDER.index),
            "resolved": all(post["resolved"] for post in own),
            **{name: latest(name) for name in _ENDS},
            "nr_forecasters": max(post["nr_forecasters"] for post in own),
            "forecasts_count": sum(post["forecasts_count"] for post in own),
        }
        return {name: value for name, value in post.items() if name not in ("question", "not_kept")}

    def _group(self, group: Group, own: Sequence[Shape]) -> Shape:
        """Return the group; the client puts its texts in place of each question's."""
        questions = [
            post["question"] | {"post_id": self.id, "label": one.label, "group_rank": rank}
            for rank, (post, one) in enumerate(zip(own, group.members, strict=True))
        ]

        def shared(name: str) -> str:
            if len({one[name] for one in questions}) == 1:
                return str(questions[0][name])
            return "\n\n".join(f"{one['label']}: {one[name]}" for one in questions if one[name])

        return {
            "id": self.id,
            "title": group.title,
            "kind": group.kind,
            **{name: shared(name) for name in ("description", "resolution_criteria", "fine_print")},
            "group_variable": "",
            "questions": questions,
        }

    def _conditional(self, title: str, own: Sequence[Shape], parent: Shape) -> Shape:
        yes, no = (post["question"] | {"post_id": self.id} for post in own)
        living = no if yes["resolution"] == "annulled" else yes
        # The ledger has no question for it. No question has its number, so that a forecast on it is
        # refused.
        child = living | {
            "id": self.id,
            "title": title,
            "my_forecasts": {"history": [], "latest": None, "score_data": {}},
            "aggregations": {"unweighted": {"history": [], "latest": None}},
        }
        return {
            "id": self.id,
            "condition": parent["question"],
            "condition_id": parent["id"],
            "condition_child": child,
            "condition_child_id": self.id,
            "question_yes": yes,
            "question_no": no,
        }


def found_post(session: Session, post_id: int, *, now: datetime) -> Post:
    """Return the post with this number; NotFound if there is none that the reader may see."""
    found: Sequence[Post] = []
    if post_id >= CONDITIONALS:
        of = select(Condition.parent_id).where(Condition.question_id == post_id - CONDITIONALS)
        own = _conditionals(branches(session, col(Condition.parent_id).in_(of), now=now))
        found = [post for post in own if post.id == post_id]
    elif post_id >= GROUPS:
        found = _groups(groups(session, now=now, where=QuestionGroup.id == post_id - GROUPS))
    elif states := standing.by_id(session, [post_id], now=now):
        found = [Post(post_id, [states[post_id]])]
    if not found:
        raise question_not_found(str(post_id))
    return found[0]


def _groups(found: Iterable[Group]) -> list[Post]:
    return [Post(GROUPS + one.id, [at.state for at in one.members], group=one) for one in found]


def _conditionals(found: Sequence[Branch]) -> list[Post]:
    return [
        Post(CONDITIONALS + yes.state.id, [yes.state, no.state], pair=(yes, no))
        for yes, no in pairs(found)
    ]


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
_CONDITIONAL = "conditional"

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

    Groups and conditionals are posts where those are asked for, with all their questions if one
    matches, and separate questions elsewhere. Each question has the account's ``_LISTED`` newest
    forecasts; its own post has all.
    """
    found = _found(session, asked, member, now)
    shown = found[asked.offset : asked.offset + min(asked.limit, MOST)]
    return _shapes(session, shown, member=member, now=now, newest=_LISTED), len(found)


def post(session: Session, post_id: int, *, member: Member, now: datetime) -> Shape:
    """Return the post with this number; NotFound if the reader may not see it."""
    return _shapes(session, [found_post(session, post_id, now=now)], member=member, now=now)[0]


def _shapes(
    session: Session,
    found: Sequence[Post],
    *,
    member: Member,
    now: datetime,
    newest: int | None = None,
) -> list[Shape]:
    """Return the posts as ``question_posts`` has those of their questions."""
    states = {state.id: state for post in found for state in post.states}
    posts = question_posts(session, [*states.values()], member=member, now=now, newest=newest)
    return [post.shape(posts) for post in found]


def _found(session: Session, asked: Asked, member: Member, now: datetime) -> list[Post]:
    """Return the posts that match, each at the place of its first question that does."""
    several: list[Post] = []
    if _GROUP in asked.forecast_type:
        several += _groups(groups(session, now=now))
    if _CONDITIONAL in asked.forecast_type:
        several += _conditionals(branches(session, now=now))
    of = {state.id: post for post in several[::-1] for state in post.questions}
    types = set(asked.forecast_type)
    found = {
        post.id: post
        for state in _matching(session, asked, member, now)
        if (post := of.get(state.id) or Post(state.id, [state])).id >= GROUPS
        or not types
        or kind(state.text) in types
    }
    return list(found.values())


def _matching(session: Session, asked: Asked, member: Member, now: datetime) -> list[QuestionState]:
    only = None
    if asked.search:
        only, _ = search.find(session, Filter(words=asked.search), member=member, now=now)
    own = _own(session, asked, member, now)
    tags = {tag.casefold() for tag in asked.tournaments}

    def matches(state: QuestionState) -> bool:
        return (
            (not asked.statuses or stage(state) in asked.statuses)
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
