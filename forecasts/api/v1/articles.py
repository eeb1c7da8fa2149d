"""Articles: capture one, with the possible questions in it; list and show them."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from forecasts.api import answers
from forecasts.api.caller import Acts, At, Reads
from forecasts.api.paging import PAGE_SIZE, Cursor, Limit, place
from forecasts.api.rules import web_address
from forecasts.api.v1 import requests, shapes
from forecasts.articles import library
from forecasts.articles.capture import capture, capture_text
from forecasts.articles.drafts import drafts_of
from forecasts.questions import passages, same_questions
from forecasts.views.article_json import article_document, article_fields

router = APIRouter(prefix="/articles", tags=["Articles"])


@router.get("", response_model=shapes.Articles)
def list_articles(caller: Reads, limit: Limit = PAGE_SIZE, cursor: Cursor = None) -> Response:
    """List the captured articles, the newest capture first."""
    with caller.reading() as at:
        found = {one.id: one for one in library.listing(at.session)}
        shown, following = place(cursor, at.now).page(list(found), limit)
        listed = [article_fields(found[number]) for number in shown]
    return answers.read({"articles": listed, "next": following})


@router.post("", status_code=201, response_model=shapes.Captured)
def capture_article(caller: Acts, body: requests.Capture) -> Response:
    """Capture the articles of a page or a text, and draft questions from them."""
    left_out: list[str] = []
    with caller.admitted() as before:
        library.require_capture(before.session, **before.by)
        if (first := answers.replayed(caller, before)) is not None:  # the page may have gone
            return first
        seen = before.now
    if body.url is None:
        found = capture_text(body.text or "", captured_at=seen, notify=left_out.append)
    else:
        url, allow = web_address(body.url), caller.ground.settings.allow_private_addresses
        found = capture(url, captured_at=seen, notify=left_out.append, allow_private=allow)

    def do(at: At) -> Any:
        stored = library.store(at.session, found, member=at.member, captured_at=seen)
        documents = [article_document(article) for article, _ in stored]
        return {"articles": documents, "left_out": left_out}

    return answers.acted(caller, do, status=201)


@router.get("/{number}", response_model=shapes.ArticleDocument)
def show_article(caller: Reads, number: int) -> Response:
    """Show an article with its text, its drafts, and the questions already taken from it."""
    with caller.reading() as at:
        article = library.find_article(at.session, number)
        asked: dict[str, list[str]] = {}
        for source, state in passages.questions_from(at.session, article, now=at.now):
            asked.setdefault(source.quote, []).append(state.slug)
        alike = same_questions.find_duplicates(at.session, drafts_of(article), now=at.now)
        doubles = {n: state.slug for n, state in enumerate(alike, 1) if state}
        found = article_document(article, asked, doubles)
    return answers.read(found)
