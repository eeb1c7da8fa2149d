"""Articles: capture one, with the possible questions in it; list and show them."""

from __future__ import annotations

from fastapi import APIRouter, Response

from forecasts.access.roles import Scope
from forecasts.api.caller import Acts, At, Scoped, acted, needs, reads, replayed
from forecasts.api.paging import PAGE_SIZE, Cursor, Limit, place
from forecasts.api.problems import web_address
from forecasts.api.v1 import requests
from forecasts.articles import library
from forecasts.articles.capture import capture, capture_text
from forecasts.views import articles as views
from forecasts.views.articles import ArticleDocument, Articles, Captured

router = APIRouter(prefix="/articles", tags=["Articles"], route_class=Scoped)


@router.get("")
@reads
def list_articles(at: At, limit: Limit = PAGE_SIZE, cursor: Cursor = None) -> Articles:
    """List the captured articles, the newest capture first."""
    found = {one.id: one for one in library.listing(at.session)}
    shown, following = place(cursor, at.now).page(list(found), limit)
    return Articles(articles=[views.article(found[number]) for number in shown], next=following)


@router.post("", status_code=201, response_model=Captured)
@needs(Scope.forecast)
def capture_article(sender: Acts, body: requests.Capture) -> Captured | Response:
    """Capture the articles of a page or a text, and draft questions from them."""
    left_out: list[str] = []
    with sender.reading() as before:
        library.require_capture(before.session, **before.by)
        if (first := replayed(sender, before)) is not None:  # the page may have gone
            return first
        seen = before.now
    if body.url is None:
        found = capture_text(body.text or "", captured_at=seen, notify=left_out.append)
    else:
        found = capture(
            web_address(body.url),
            captured_at=seen,
            notify=left_out.append,
            allow_private=sender.allow_private,
        )

    def do(at: At) -> Captured:
        stored = library.store(at.session, found, member=at.member, captured_at=seen)
        return views.captured([article for article, _ in stored], left_out)

    return acted(sender, do)


@router.get("/{number}")
@reads
def show_article(at: At, number: int) -> ArticleDocument:
    """Show an article with its text, its drafts, and the questions already taken from it."""
    return views.document(at.session, library.find_article(at.session, number), now=at.now)
