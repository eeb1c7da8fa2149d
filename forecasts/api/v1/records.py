"""Members and records: scores, attribution, the crowd, reports, comparisons, the digest."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pandas as pd
from fastapi import APIRouter, Depends, Query, Request, Response

from forecasts.access import teams, tokens
from forecasts.access.kinds import CrowdOf
from forecasts.access.members import kind_of
from forecasts.access.roles import Scope
from forecasts.api.caller import MARKDOWN, At, Scoped, markdown, reads, wants_markdown
from forecasts.api.paging import PAGE_SIZE, Cursor, Limit, Place, TableLimit, place
from forecasts.api.v1 import requests
from forecasts.common.json_text import json_ready
from forecasts.ledger import verification
from forecasts.ledger.models import Member
from forecasts.ledger.receipts import ledger_id
from forecasts.news.feeds import of_evidence
from forecasts.questions import registry
from forecasts.questions.standing import listing
from forecasts.reports import Report, formats
from forecasts.reports.build import build as build_report
from forecasts.reports.comparison import Comparison
from forecasts.reports.comparison.build import build as build_comparison
from forecasts.reports.comparison.comparison import Of
from forecasts.reports.report import By
from forecasts.reports.selection import Choice, Cohort
from forecasts.scores.attribution import attribute
from forecasts.scores.crowds import crowd
from forecasts.scores.ledger_frames import crowd_frames, ledger_frames
from forecasts.scores.printed_scores import printed_by_question
from forecasts.scores.scored_questions import explained
from forecasts.scores.stored_scores import member_scores
from forecasts.views.members import Me, Members, Teams, team
from forecasts.views.members import Member as MemberView
from forecasts.views.scores import AttributionPage, CrowdPage, Digest, Scores, scored_question

router = APIRouter(tags=["Records"], route_class=Scoped)
members = APIRouter(tags=["Members"], route_class=Scoped)


def _answers(shape: str) -> dict[int | str, dict[str, Any]]:
    """Return the forms of a document, whose shape ``Documented`` adds."""
    json, text = {"$ref": f"#/components/schemas/{shape}"}, {"type": "string"}
    return {200: {"content": {"application/json": {"schema": json}, MARKDOWN: {"schema": text}}}}


# The columns that name a row of the attribution.
_KEYS = {
    "update": ["question_id", "forecaster", "made_at"],
    "evidence": ["evidence_id"],
    "publisher": ["publisher"],
    "author": ["author"],
    "kind": ["kind"],
    "feed": ["feed"],
}
Tags = Annotated[list[str] | None, Query(description="Only questions with one of these tags.")]
Since = Annotated[
    requests.Moment | None, Query(description="Only questions scheduled to close then or later.")
]
Until = Annotated[
    requests.Moment | None, Query(description="Only questions scheduled to close then or earlier.")
]
Lead = Annotated[
    float | None, Query(description="Only the forecasts so many days before the scheduled close.")
]
MadeBefore = Annotated[
    requests.Moment | None, Query(description="Only the forecasts made before then.")
]
Without = Annotated[
    list[str] | None, Query(description="Leave out the forecasts of these members.")
]
Witnessed = Annotated[
    bool,
    Query(
        description="Without times that only an importer vouches for, and without questions that "
        "their only forecaster resolved."
    ),
]


def _choice(
    cohort: Cohort = "scheduled",
    tag: Tags = None,
    since: Since = None,
    until: Until = None,
    lead: Lead = None,
    made_before: MadeBefore = None,
    without: Without = None,
    witnessed: Witnessed = False,
) -> Choice:
    return Choice(
        cohort=cohort,
        tags=tuple(tag or ()),
        since=since,
        until=until,
        lead=lead,
        made_before=made_before,
        without=tuple(without or ()),
        witnessed=witnessed,
    )


Chosen = Annotated[Choice, Depends(_choice)]


@router.get("/scores")
@reads
def list_scores(at: At, limit: Limit = PAGE_SIZE, cursor: Cursor = None) -> Scores:
    """List your scores on resolved questions, the latest first, with the score of each update."""
    every = {one.slug: (one, score) for one, score in member_scores(at.session, at.member)}
    shown, following = place(cursor, at.now).page(list(every), limit)
    chosen = [every[slug] for slug in shown]
    printed = printed_by_question(at.session, [state for state, _ in chosen], at.member)
    found = [
        scored_question(one, printed.get(one.state.id, ()))
        for one in explained(at.session, at.member, chosen)
    ]
    return Scores(scores=found, next=following)


@router.get("/attribution")
@reads
def show_attribution(
    at: At,
    by: Literal["update", "evidence", "publisher", "author", "kind", "feed"] = "update",
    protocol: str = "brier",
    limit: TableLimit = PAGE_SIZE,
    cursor: Cursor = None,
) -> AttributionPage:
    """Attribute scores to updates, evidence and its sources.

    Outcomes recorded after the first page was read are left out of the others.
    """
    here, frames = place(cursor, at.now), ledger_frames(at.session, rationales=False)
    # A later outcome could move a row to a page that was read before.
    later = [
        one.slug
        for one in listing(at.session, now=at.now)
        if one.resolution and one.resolution.recorded_at > here.began
    ]
    questions = frames.questions
    questions.loc[questions["question_id"].isin(later), "resolution"] = None
    brought = of_evidence(at.session, member=at.member) if by == "feed" else None
    rows, following = _page(attribute(frames, by, protocol, brought), _KEYS[by], here, limit)
    return AttributionPage(rows=rows, next=following)


@router.get("/crowd")
@reads
def show_crowd(
    here: At,
    question: Annotated[str | None, Query(description="Only this question's.")] = None,
    method: Literal[
        "mean", "median", "recency_weighted", "geometric_odds", "extremized"
    ] = "recency_weighted",
    at: Annotated[
        requests.Moment | None, Query(description="By default just before each close.")
    ] = None,
    of: Annotated[CrowdOf, Query(description="The forecasters to count.")] = "both",
    each_bot: Annotated[
        bool, Query(description="Count each bot of an owner, not all of them as one.")
    ] = False,
    limit: TableLimit = PAGE_SIZE,
    cursor: Cursor = None,
) -> CrowdPage:
    """Show the crowd's forecast on each question, of the forecasts that you may see."""
    only = None if question is None else [registry.find(here.session, question).slug]
    frames = crowd_frames(here.session, questions=only, at=at)
    found = crowd(frames, method, at, of=of, each_bot=each_bot)
    rows, following = _page(found, ["question_id", "at"], place(cursor, here.now), limit)
    return CrowdPage(rows=rows, next=following)


@router.get("/report", responses=_answers("Report"))
@reads
def show_report(
    at: At,
    request: Request,
    choice: Chosen,
    by: By = "all",
    name: Annotated[list[str] | None, Query(description="Only these groups.")] = None,
) -> Response:
    """Report scores and calibration. With `Accept: text/markdown` as a text."""
    frames = ledger_frames(at.session, rationales=False)
    made = build_report(frames, by=by, names=name or [], choice=choice, as_of=at.now)
    return _document(request, made)


@router.get("/compare", responses=_answers("Comparison"))
@reads
def show_comparison(
    at: At,
    request: Request,
    choice: Chosen,
    between: Annotated[list[str], Query(description="Two or more names.")],
    of: Of = "forecasters",
) -> Response:
    """Compare forecasters or teams, pair by pair. With `Accept: text/markdown` as a text."""
    frames = ledger_frames(at.session, rationales=False)
    made = build_comparison(frames, between=between, of=of, choice=choice, as_of=at.now)
    return _document(request, made)


@router.get("/digest")
@reads
def show_digest(at: At) -> Digest:
    """Show the digest of the ledger's newest entry: keep it, and verify the ledger against it."""
    digest = verification.newest(at.session)
    return Digest(ledger=ledger_id(at.session), digest=digest, at=at.now)


def _page(table: pd.DataFrame, keys: list[str], here: Place, limit: int) -> tuple[Any, str | None]:
    """Return a page of a table's rows, which the columns ``keys`` name, and the next cursor."""
    alike = table.groupby(keys, sort=False).cumcount()
    named = table[keys].assign(alike=alike).itertuples(index=False, name=None)
    marks = {repr(row): number for number, row in enumerate(named)}
    shown, following = here.page(list(marks), limit)
    rows = table.iloc[[marks[mark] for mark in shown]]
    return json_ready(rows.to_dict("records")), following


def _document(request: Request, made: Report | Comparison) -> Response:
    if wants_markdown(request):
        return markdown(str(formats.rendered(made, "md")))
    return Response(str(formats.rendered(made, "json")), media_type="application/json")


_EVERY = 1_000_000


@members.get("/me")
@reads
def show_me(at: At) -> Me:
    """Show the member whose token you sent, and its scopes."""
    return Me(
        **_member(at, at.member),
        scopes=list(Scope) if at.token.scopes is None else at.token.scopes,
        expires_at=at.token.expires_at,
        ledger=ledger_id(at.session),
    )


@members.get("/members")
@reads
def list_members(at: At, limit: Limit = PAGE_SIZE, cursor: Cursor = None) -> Members:
    """List the members by handle, with their kind and roles."""
    rows, _ = teams.members_page(at.session, now=at.now, size=_EVERY)
    found = {one.member.handle: one for one in rows}
    shown, following = place(cursor, at.now).page(list(found), limit)
    listed = [
        MemberView(**_member(at, one.member), role=one.appointed, teams=dict(one.teams))
        for one in map(found.__getitem__, shown)
    ]
    return Members(members=listed, next=following)


def _member(at: At, member: Member) -> dict[str, Any]:
    owner = tokens.owner_of(at.session, member)
    kind = kind_of(at.session, member)
    return {
        "handle": member.handle,
        "kind": kind,
        "owner": None if owner is None else owner.handle,
    }


@members.get("/teams")
@reads
def list_teams(at: At) -> Teams:
    """List the teams with their current members."""
    return Teams(teams=[team(one) for one in teams.listing(at.session, now=at.now)])
