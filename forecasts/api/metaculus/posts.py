"""Posts: the ledger's questions as bots read them, with the reader's own forecasts."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from sqlmodel import Session

from forecasts.access import members, visibility
from forecasts.api.metaculus.shapes import (
    Account,
    GroupPost,
    MadeForecast,
    MyForecasts,
    PostedComment,
    PostedQuestion,
    Project,
    Projects,
    QuestionGroup,
    QuestionPost,
    Scaling,
)
from forecasts.ledger.models import Forecast, Member, MemberKind, QuestionText
from forecasts.questions.standing import QuestionState, Status
from forecasts.questions.trends import Trend, trends
from forecasts.scores.stored_scores import main_protocol, score_table
from forecasts.updates import updates
from forecasts.updates.comments import Remark
from forecasts.values import distributions
from forecasts.values.outcomes import bounds
from forecasts.values.value import value_of

# The number of a group's post is this, and that of the first of its questions.
GROUPS = 1_000_000_000

Stage = Literal["upcoming", "open", "closed", "resolved"]
_STAGES: dict[Status, Stage] = {
    Status.upcoming: "upcoming",
    Status.open: "open",
    Status.awaiting: "closed",
    Status.resolved: "resolved",
    Status.annulled: "resolved",
    Status.ambiguous: "resolved",
}
# A group has the first of these stages that one of its questions is in.
_GROUP_ORDER: tuple[Stage, ...] = ("open", "upcoming", "closed", "resolved")


def stage(state: QuestionState, now: datetime) -> Stage:
    """Return the question's stage in the platform's words; a proposal does not close it."""
    if state.status is Status.proposed:
        return "open" if state.accepts_forecasts(now) else "closed"
    return _STAGES[state.status]


def kind(text: QuestionText) -> str:
    """Return the question's type in the platform's words."""
    return "discrete" if distributions.outcome_count(text) else str(text.type)


def resolve_time(text: QuestionText) -> datetime:
    """Return the scheduled resolution, or else the scheduled close."""
    return text.scheduled_resolve_time or text.scheduled_close_time


def account(session: Session, member: Member) -> Account:
    """Return a member as an account."""
    is_bot = members.kind_of(session, member) != MemberKind.human
    return Account(id=member.id, username=member.handle, is_bot=is_bot)


def question_posts(
    session: Session, states: Sequence[QuestionState], *, member: Member, now: datetime
) -> dict[int, QuestionPost]:
    """Return the posts of the questions by their numbers, with the member's own forecasts."""
    handles = members.handles(session)
    crowds = trends(session, states, now=now)
    counts = updates.forecast_counts(session, [state.id for state in states])
    found = {}
    for state in states:
        text = state.text
        forecasters, forecasts = counts.get(state.id, (0, 0))
        timed: dict[str, Any] = {
            "id": state.id,
            "title": text.title,
            "status": stage(state, now),
            "created_at": state.question.recorded_at,
            "open_time": text.open_time,
            "scheduled_close_time": text.scheduled_close_time,
            "actual_close_time": text.close_time if text.close_time <= now else None,
            "scheduled_resolve_time": resolve_time(text),
            "actual_resolve_time": state.outcome_at,
        }
        found[state.id] = QuestionPost(
            **timed,
            slug=state.slug,
            short_title=text.title,
            author_id=state.question.member_id,
            author_username=handles[state.question.member_id],
            projects=Projects(tournament=[_tournament(tag) for tag in text.tags or []]),
            published_at=state.question.recorded_at,
            resolved=state.resolution is not None,
            nr_forecasters=forecasters,
            forecasts_count=forecasts,
            question=_question(session, state, timed, crowds.get(state.id), member, now),
        )
    return found


def group_post(posts: Sequence[QuestionPost]) -> GroupPost:
    """Return the post of a family, which has the questions of these posts."""
    family = sorted(posts, key=lambda post: post.id)
    questions = [post.question for post in family]
    first, text = family[0], questions[0]
    for question in questions:
        question.post_id, question.label = GROUPS + first.id, question.title
    shared = first.model_dump(exclude={"question", "not_kept"})
    closed, resolved = (
        [getattr(post, name) for post in family]
        for name in ("actual_close_time", "actual_resolve_time")
    )
    return GroupPost(
        **shared
        | {
            "id": GROUPS + first.id,
            "status": min((post.status for post in family), key=_GROUP_ORDER.index),
            "resolved": all(post.resolved for post in family),
            "scheduled_close_time": max(post.scheduled_close_time for post in family),
            "actual_close_time": None if None in closed else max(closed),
            "scheduled_resolve_time": max(post.scheduled_resolve_time for post in family),
            "actual_resolve_time": None if None in resolved else max(resolved),
            "nr_forecasters": max(post.nr_forecasters for post in family),
            "forecasts_count": sum(post.forecasts_count for post in family),
        },
        group_of_questions=QuestionGroup(
            id=GROUPS + first.id,
            description=text.description,
            resolution_criteria=text.resolution_criteria,
            fine_print=text.fine_print,
            questions=questions,
        ),
    )


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


def made_forecasts(rows: Sequence[Forecast], text: QuestionText) -> list[MadeForecast]:
    """Return the forecasts of one member, oldest first, each until the next row."""
    return [
        _made(row, None if after is None else after.made_at, text)
        for row, after in itertools.zip_longest(rows, rows[1:])
        if not row.withdrawn
    ]


def posted_comment(session: Session, remark: Remark, post_id: int) -> PostedComment:
    """Return a comment on that post."""
    row = remark.comment
    return PostedComment(
        id=row.id,
        on_post=post_id,
        author=account(session, remark.author),
        text=row.text,
        created_at=row.recorded_at,
        is_private=row.private,
        included_forecast=row.forecast_id is not None,
        forecast_id=row.forecast_id,
    )


def _question(
    session: Session,
    state: QuestionState,
    timed: dict[str, Any],
    crowd: Trend | None,
    member: Member,
    now: datetime,
) -> PostedQuestion:
    text, resolution = state.text, state.resolution
    hidden = text.crowd_hidden and visibility.crowd_is_hidden(session, state.question)
    is_open = True if text.is_quantitative else None
    return PostedQuestion(
        **timed,
        post_id=state.id,
        type=kind(text),
        description=text.background,
        resolution_criteria=text.resolution_criteria,
        fine_print=text.fine_print,
        options=text.options,
        unit=text.unit or "",
        scaling=_scaling(text),
        open_lower_bound=is_open,
        open_upper_bound=is_open,
        inbound_outcome_count=distributions.outcome_count(text),
        cp_reveal_time=text.scheduled_close_time if hidden else text.open_time,
        resolution=None if resolution is None else resolution.outcome,
        resolution_set_time=None if resolution is None else resolution.recorded_at,
        my_forecasts=_my_forecasts(session, state, member),
        aggregations={"unweighted": {"history": [], "latest": _latest(crowd, now)}},
    )


def _tournament(tag: str) -> Project:
    number = int(tag) if tag.isascii() and tag.isdigit() and len(tag) < 10 else None
    return Project(id=number, slug=tag, name=tag, type="tournament")


def _scaling(text: QuestionText) -> Scaling:
    if not text.is_quantitative:
        return Scaling()
    low, high = bounds(text)
    count = distributions.outcome_count(text)
    half = 0.0 if count is None else 0.5
    return Scaling(
        range_min=low,
        range_max=high,
        nominal_min=low + half,
        nominal_max=high - half,
        zero_point=distributions.zero_point(text),
        inbound_outcome_count=count or distributions.STEPS,
        continuous_range=[float(number) for number in distributions.grid(text)],
    )


def _my_forecasts(session: Session, state: QuestionState, member: Member) -> MyForecasts:
    rows = [row for row, _ in updates.history(session, state.question, member)]
    made = made_forecasts(rows, state.text)
    scores: dict[str, float] = {}
    if rows and state.resolution is not None:
        for one in score_table(session, state.resolution):
            if one.forecaster == member.handle:
                name = f"{main_protocol(state.text.type)}_score"
                scores = {name: one.score, "coverage": one.coverage}
    active = made and not rows[-1].withdrawn
    return MyForecasts(history=made, latest=made[-1] if active else None, score_data=scores)


def _made(row: Forecast, until: datetime | None, text: QuestionText) -> MadeForecast:
    made = MadeForecast(
        question=row.question_id,
        question_id=row.question_id,
        author=row.member_id,
        start_time=row.made_at.timestamp(),
        end_time=None if until is None else until.timestamp(),
        forecast_values=[],
    )
    value = value_of(row).over(text.options)
    if value.probability is not None:
        made.probability_yes = value.probability
        made.forecast_values = [1 - value.probability, value.probability]
    elif value.probabilities is not None:
        made.forecast_values = list(value.probabilities)
        options = text.options or []
        made.probability_yes_per_category = dict(zip(options, value.probabilities, strict=True))
    else:
        cdf = distributions.to_cdf(value, text)
        made.continuous_cdf, made.forecast_values = cdf, list(cdf)
    return made


def _latest(crowd: Trend | None, now: datetime) -> dict[str, Any] | None:
    """Return the crowd's median on a binary question; None where no forecast is active."""
    if crowd is None or crowd.points[-1] is None:
        return None
    return {
        "start_time": now.timestamp(),
        "end_time": None,
        "centers": [crowd.points[-1]],
        "forecaster_count": crowd.forecasters,
    }
