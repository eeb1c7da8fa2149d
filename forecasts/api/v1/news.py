"""News: the inbox, the answers to its suggestions, and feeds."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from forecasts.access.roles import Scope, is_shared_ledger
from forecasts.api.caller import Acts, At, Scoped, acted, acts, needs, reads, replayed
from forecasts.api.problems import web_address
from forecasts.api.v1 import requests
from forecasts.api.v1.forecasts import explained
from forecasts.articles.library import find_article, require_capture
from forecasts.common.errors import LedgerError
from forecasts.ledger.models import Article, Question
from forecasts.news import feeds, inbox, sources
from forecasts.questions import registry
from forecasts.views import forecasts as forecast_views
from forecasts.views import news as views
from forecasts.views.forecasts import NewForecast
from forecasts.views.news import AddedFeeds, Answered, Feeds, Inbox, RefusedFeed, RemovedFeed

router = APIRouter(tags=["News"], route_class=Scoped)


@router.get("/inbox")
@reads
def list_inbox(
    at: At,
    limit: Annotated[int, Query(ge=1, le=1_000, description="The most articles to list.")] = 100,
) -> Inbox:
    """List the articles of the last 30 days with the questions that they bear on.

    Those on questions that you have forecast come first.
    """
    items = inbox.inbox(at.session, at.member, now=at.now, most=limit)
    return Inbox(articles=views.inbox(at.session, items, now=at.now))


def _both(at: At, body: requests.AboutQuestion, number: int) -> tuple[Question, Article]:
    return registry.find(at.session, str(body.question)), find_article(at.session, number)


@router.post("/articles/{number}/accept", status_code=201)
@acts(Scope.forecast)
def accept_article(at: At, number: int, body: requests.Acceptance) -> NewForecast:
    """Update your forecast on a question, and cite the article.

    Without a value, your forecast is unchanged.
    """
    question, article = _both(at, body, number)
    value = body.value if body.every_given else None
    try:
        saved = inbox.accept(
            at.session,
            question,
            article,
            value,
            stance=body.stance,
            rationale=body.rationale,
            origin=requests.ORIGIN,
            **at.by,
        )
    except LedgerError as error:
        raise explained(at, question, body, error) from None
    return forecast_views.new_forecast(at.session, question, saved.forecast, at.member)


@router.post("/articles/{number}/dismiss", status_code=201)
@acts(Scope.forecast)
def dismiss_article(at: At, number: int, body: requests.Dismissal) -> Answered:
    """Dismiss an article that the inbox suggests for a question."""
    question, article = _both(at, body, number)
    row = inbox.dismiss(at.session, question, article, kind=body.kind, **at.by)
    return views.answered(row, question)


@router.post("/articles/{number}/reopen", status_code=201)
@acts(Scope.forecast)
def reopen_article(at: At, number: int, body: requests.AboutQuestion) -> Answered:
    """Undo your dismissal of an article."""
    question, article = _both(at, body, number)
    return views.answered(inbox.reopen(at.session, question, article, **at.by), question)


@router.get("/feeds")
@reads
def list_feeds(at: At) -> Feeds:
    """List your feeds, when they were read, and why one could not be."""
    return Feeds(feeds=feeds.listing(at.session, member=at.member))


@router.post("/feeds", status_code=201, response_model=AddedFeeds)
@needs(Scope.forecast)
def add_feeds(sender: Acts, body: requests.NewFeed) -> AddedFeeds | Response:
    """Add the feeds at a web address and return them. The next run reads them.

    Bad addresses in a list are returned as `refused`, each with the reason.
    """
    address = web_address(body.url)
    with sender.reading() as before:
        require_capture(before.session, **before.by)
        if (first := replayed(sender, before)) is not None:  # the page may have gone
            return first
        seen, shared = before.now, is_shared_ledger(before.session)
    allowed = sender.allow_private
    found = sources.find_feeds(address, now=seen, allow_private=allowed, shared=shared)

    def do(at: At) -> AddedFeeds:
        title = body.title or ""
        added = feeds.add_all(at.session, found, title=title, allow_private=allowed, **at.by)
        if not added.feeds and added.refused:
            raise added.refused[0][1]
        listed, own = (
            feeds.listing(at.session, member=at.member),
            {one.address for one, _ in added.feeds},
        )
        refused = [RefusedFeed(address=one, reason=str(error)) for one, error in added.refused]
        return AddedFeeds(feeds=[one for one in listed if one.address in own], refused=refused)

    return acted(sender, do)


@router.post("/feeds/remove", status_code=201)
@acts(Scope.forecast)
def remove_feed(at: At, body: requests.OldFeed) -> RemovedFeed:
    """Remove one of your feeds. Its articles are kept."""
    return RemovedFeed(title=feeds.remove(at.session, body.feed, **at.by))
