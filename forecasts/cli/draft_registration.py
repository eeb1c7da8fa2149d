"""Several drafts of an article registered at once: articles N --register."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from forecasts.access import teams
from forecasts.articles.drafts import Draft, find_draft
from forecasts.articles.library import find_article
from forecasts.cli.console import zone
from forecasts.cli.session import acting
from forecasts.common.errors import BadInput
from forecasts.ledger.models import Article
from forecasts.questions.passages import find_passage
from forecasts.questions.registry import question_text
from forecasts.questions.same_questions import ready_drafts
from forecasts.updates.ask import Asked, ask
from forecasts.values.typed_dates import read_date


def register_drafts(number: int | None, wanted: str, visible_to: str | None) -> list[Asked]:
    """Return the new questions; all of them are registered or none."""
    if number is None:
        raise BadInput(
            "--register needs the number of an article.",
            remedy="List the articles: forecasts articles.",
        )
    with acting() as (session, who, now):
        article = find_article(session, number)
        numbers = _numbers(wanted) or ready_drafts(session, article, now=now)
        audience = teams.visibility_fields(session, visible_to)
        made = []
        for draft, last_day in _complete(article, numbers):
            close = read_date(last_day.isoformat(), now=now, zone=zone())
            fields = {"title": draft.question, **draft.type_fields, **audience}
            text = question_text(open_time=now, scheduled_close_time=close, **fields)
            passage = find_passage(session, number, draft.source)
            chosen = visible_to is not None
            made.append(
                ask(session, text, member=who, now=now, sources=[passage], audience_chosen=chosen)
            )
        return made


def _numbers(wanted: str) -> list[int]:
    """Return the numbers in "1,3"; none for "all"."""
    if wanted == "all":
        return []
    if not re.fullmatch(r"\d+(\s*,\s*\d+)*", wanted):
        raise BadInput(
            f"--register {wanted!r} names no drafts.",
            remedy="Give their numbers, as in --register 1,3, or --register all.",
        )
    return list(dict.fromkeys(int(word) for word in wanted.split(",")))


def _complete(article: Article, numbers: Sequence[int]) -> list[tuple[Draft, date]]:
    """Return these drafts with their last days; BadInput if one of them lacks something."""
    if not numbers:
        raise BadInput(
            f"Article {article.id} has no new strong draft with a deadline.",
            remedy=f"Choose drafts by number: forecasts articles {article.id} --all.",
        )
    found = []
    for number in numbers:
        draft = find_draft(article, number)
        if draft.close_date is None or not draft.is_complete:
            lacks = "deadline" if draft.is_complete else "complete wording"
            raise BadInput(
                f"Draft {number} has no {lacks}.",
                remedy=f'Register it by itself: forecasts ask "Will …?" --article {article.id} '
                f"--draft {number} --closes YYYY-MM-DD.",
            )
        found.append((draft, draft.close_date))
    return found
