"""Questions that hang together: groups, conditionals, links, and forecasts that contradict."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from forecasts.access import teams
from forecasts.access.roles import Scope
from forecasts.api.caller import At, Scoped, acts, reads
from forecasts.api.door import zone_of
from forecasts.api.paging import PAGE_SIZE, Cursor, Limit, place
from forecasts.api.v1 import requests
from forecasts.api.v1.questions import document, first_of, sources
from forecasts.ledger.models import Question
from forecasts.questions import conditions, groups, links, registry
from forecasts.questions.standing import current_state
from forecasts.updates.ask_together import NewMember, ask_conditional, ask_members
from forecasts.updates.coherence import own_contradictions
from forecasts.views import ties as views
from forecasts.views.questions import QuestionDocument
from forecasts.views.ties import Conditional, Contradictions, Link, QuestionGroup, QuestionGroups

router = APIRouter(tags=["Groups"], route_class=Scoped)
Group = Annotated[str, Path(description="The group's ID.")]


@router.get("/groups")
@reads
def list_groups(at: At, limit: Limit = PAGE_SIZE, cursor: Cursor = None) -> QuestionGroups:
    """List the groups of which you may see a question, with your current forecasts."""
    every = {one.id: one for one in groups.groups(at.session, now=at.now)}
    shown, following = place(cursor, at.now).page([*every], limit)
    listed = views.groups_of(at.session, [every[id_] for id_ in shown], now=at.now)
    return QuestionGroups(groups=listed, next=following)


@router.post("/groups", status_code=201)
@acts(Scope.ask)
def ask_a_group(at: At, body: requests.NewGroup) -> QuestionGroup:
    """Ask several questions under one title, each with a first forecast if you like."""
    audience = teams.visibility_fields(at.session, body.visible_to)
    members = []
    for number, one in enumerate(body.members):
        fields = body.wording(one, now=at.now, zone=zone_of(at))
        text = registry.question_text(**fields | audience)
        first = first_of(one.forecast, text, f"body.members.{number}.forecast")
        members.append(NewMember(one.label, text, first))
    made = ask_members(
        at.session,
        body.title,
        members,
        kind=body.kind,
        slug=body.id,
        sources=sources(at, body),
        audience_chosen=body.visible_to is not None,
        origin=requests.ORIGIN,
        **at.by,
    )
    return views.group(at.session, made, now=at.now)


@router.get("/groups/{id}")
@reads
def show_group(at: At, id: Group) -> QuestionGroup:
    """Show a group with its questions and your current forecasts."""
    found = groups.find_group(at.session, id, now=at.now)
    return views.group(at.session, found, now=at.now)


@router.patch("/groups/{id}")
@acts(Scope.ask)
def change_group(at: At, id: Group, body: requests.GroupChange) -> QuestionGroup:
    """Change a group's title or kind."""
    made = groups.change_group(at.session, id, title=body.title, kind=body.kind, **at.by)
    return views.group(at.session, made, now=at.now)


@router.post("/groups/{id}/add")
@acts(Scope.ask)
def add_to_group(at: At, id: Group, body: requests.AddedMember) -> QuestionGroup:
    """Add a question to a group."""
    before = None if body.before is None else registry.find(at.session, str(body.before))
    question = registry.find(at.session, str(body.question))
    made = groups.add_to_group(at.session, id, question, body.label, before=before, **at.by)
    return views.group(at.session, made, now=at.now)


@router.post("/questions/{id}/leave-group")
@acts(Scope.ask)
def leave_group(at: At, id: requests.Named) -> QuestionDocument:
    """Take a question out of its group. It stays in the family."""
    question = registry.find(at.session, id)
    groups.take_out(at.session, question, **at.by)
    return document(at, question)


@router.get("/questions/{id}/conditional")
@reads
def show_conditional(at: At, id: requests.Named) -> Conditional:
    """Show the questions asked under the outcomes of a question, with your forecasts."""
    return _conditional(at, registry.find(at.session, id))


@router.post("/questions/{id}/conditional", status_code=201)
@acts(Scope.ask)
def ask_conditionally(at: At, id: requests.Named, body: requests.NewConditional) -> Conditional:
    """Ask a question under each outcome of another, which is named in the address.

    When that one resolves, those under its other outcomes are annulled.
    """
    parent = registry.find(at.session, id)
    audience = teams.visibility_fields(at.session, body.visible_to)
    fields = body.fields(now=at.now, zone=zone_of(at))
    text = registry.question_text(**fields | audience)
    firsts = {
        one.outcome: first_of(one.forecast, text, f"body.outcomes.{number}.forecast")
        for number, one in enumerate(body.outcomes)
    }
    ask_conditional(
        at.session,
        parent,
        text,
        firsts,
        sources=sources(at, body),
        audience_chosen=body.visible_to is not None,
        origin=requests.ORIGIN,
        **at.by,
    )
    return _conditional(at, parent)


def _conditional(at: At, parent: Question) -> Conditional:
    state = current_state(at.session, parent, now=at.now)
    found = conditions.branches_of(at.session, parent, now=at.now)
    return views.conditional(at.session, state, found, now=at.now)


@router.post("/questions/{id}/link", status_code=201)
@acts(Scope.forecast)
def link_questions(at: At, id: requests.Named, body: requests.NewLink) -> Link:
    """Link a question to another, or change a link. Each question lists its links."""
    ends = registry.find(at.session, id), registry.find(at.session, str(body.other))
    made = links.link(
        at.session, *ends, body.kind, strength=body.strength, reason=body.reason, **at.by
    )
    return views.link(at.session, made)


@router.post("/questions/{id}/unlink", status_code=201)
@acts(Scope.forecast)
def unlink_questions(at: At, id: requests.Named, body: requests.LinkEnds) -> Link:
    """Remove a link."""
    ends = registry.find(at.session, id), registry.find(at.session, str(body.other))
    return views.link(at.session, links.unlink(at.session, *ends, body.kind, **at.by))


@router.get("/coherence")
@reads
def list_contradictions(
    at: At,
    question: Annotated[
        list[str] | None,
        Query(description="Only forecasts that contradict those on these questions."),
    ] = None,
) -> Contradictions:
    """List your current forecasts that contradict each other, with the nearest that do not."""
    ids = [registry.find(at.session, slug).id for slug in question or ()]
    found = own_contradictions(at.session, at.member, now=at.now, questions=ids or None)
    return views.contradictions(found)
