"""An article as JSON, in a list and with its drafts. docs/json.md documents the fields."""

from __future__ import annotations

from typing import Any

from forecasts.articles.drafts import drafts_of
from forecasts.common.times import iso_day_or_time
from forecasts.ledger.models import Article


def article_document(
    article: Article,
    asked: dict[str, list[str]] | None = None,
    doubles: dict[int, str] | None = None,
) -> dict[str, Any]:
    """Return an article with its drafts, for JSON (docs/json.md).

    ``asked``: the questions of each quote; ``doubles``: a question like the draft of a number.
    """
    return article_fields(article) | {
        "text": article.text,
        "drafts": [
            {
                "number": number,
                "quote": draft.quote,
                "start": draft.start,
                "end": draft.end,
                "question": draft.question,
                "close_date": draft.close_date,
                "strength": draft.strength,
                "reason": draft.reason,
                "told": draft.told,
                **draft.type_fields,
                "asked": (asked or {}).get(draft.quote, []),
                "like": (doubles or {}).get(number),
            }
            for number, draft in enumerate(drafts_of(article), 1)
        ],
    }


def article_fields(article: Article) -> dict[str, Any]:
    """Return an article without its text, for JSON (docs/json.md)."""
    published = article.published_at
    return {
        "number": article.id,
        "title": article.title,
        "publisher": article.publisher,
        "author": article.author,
        "published_at": None if published is None else iso_day_or_time(published),
        "url": article.url,
    }
