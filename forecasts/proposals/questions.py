"""Questions that a model finds in an article, checked as the grammar's own drafts are.

A proposal has its passage in the article, letter by letter, a last day that our parser reads and
that is still to come, and a type whose options or bounds can be registered; else it is dropped and
counted. It becomes a draft like those of ``articles.drafts``, so that pages and commands show both
alike, and a person corrects, forecasts and registers it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlmodel import Session

from forecasts.access import roles
from forecasts.access.roles import Action
from forecasts.articles.drafts import Draft
from forecasts.articles.library import find_article
from forecasts.common.errors import BadInput, LedgerError, Refused
from forecasts.common.text import on_one_line
from forecasts.common.times import iso_day_or_time
from forecasts.ledger.models import Article, Member, ModelCall, ModelProposal, QuestionType
from forecasts.proposals.kinds import Checked, Kind, Material, Wanted
from forecasts.proposals.prompts import ProposedQuestion, ProposedQuestions
from forecasts.proposals.quotations import find_quotation
from forecasts.questions.registry import question_text, require_distinct
from forecasts.reading.drafting.strength import Strength
from forecasts.reading.text_quotes import TextQuote
from forecasts.values.typed_dates import read_date

MOST_TEXT = 40_000  # characters of an article that are sent


@dataclass(frozen=True, slots=True)
class ProposedDraft(Draft):
    """A draft that a model proposes: ``number``, of the proposal, and the words for its outcome."""

    number: int = 0
    model: str = ""
    criteria: str = ""
    fine_print: str = ""

    @property
    def place(self) -> str:
        """Its name among the drafts of its article."""
        return f"model-{self.number}"


def _require(session: Session, wanted: Wanted, member: Member, now: datetime) -> None:
    roles.require(session, member, Action.ask, now=now)


def _material(session: Session, wanted: Wanted, now: datetime) -> Material:
    """Return the words and days of the article, and nothing else; Refused without a text."""
    article = find_article(session, wanted.article)
    if not article.text.strip():
        raise Refused(
            f"Article {article.id}, {article.title!r}, has no text to send.",
            remedy="Capture it with its text: forecasts capture FILE",
        )
    data = {"today": now.date().isoformat(), **as_data(article, MOST_TEXT)}
    return Material(data, article_id=article.id)


def as_data(article: Article, most: int) -> dict[str, Any]:
    """Return an article as it is sent, with so many characters of its text."""
    published = article.published_at or article.captured_at
    return {
        "published": iso_day_or_time(published),
        "publisher": article.publisher or "",
        "title": article.title,
        "text": article.text[:most],
    }


def _check(session: Session, call: ModelCall, answer: ProposedQuestions, now: datetime) -> Checked:
    """Return the proposals of the answer that can be registered, as they are stored."""
    article = session.get_one(Article, call.article_id)
    contents: list[str] = []
    misquoted = unusable = 0
    titles: set[str] = set()
    for one in answer.questions:
        quote = find_quotation(article.text, one.quotation)
        if quote is None:
            misquoted += 1
            continue
        try:
            fields = _read(one, now)
        except LedgerError:
            unusable += 1
            continue
        if fields["title"].casefold() in titles:
            unusable += 1
            continue
        titles.add(fields["title"].casefold())
        selector = {"quote": quote.quote, "prefix": quote.prefix, "suffix": quote.suffix}
        contents.append(json.dumps(fields | selector, ensure_ascii=False))
    return Checked(tuple(contents), misquoted, unusable)


QUESTIONS = Kind(_require, _material, _check)


def _read(one: ProposedQuestion, now: datetime) -> dict[str, Any]:
    """Return the fields of a proposed question as our parsers read them; a LedgerError if not."""
    closes = read_date(one.close, now=now)
    if closes <= now:
        raise BadInput("Its last day has passed.")
    title = on_one_line(one.title).strip()
    if not title.endswith("?") or not any(map(str.isalpha, title)):
        raise BadInput("It is not a question.")
    kind = QuestionType(one.type)
    criteria = one.criteria.strip()
    if (source := one.source.strip()) and source.casefold() not in criteria.casefold():
        criteria = f"{criteria}\n\nSource: {source}".strip()
    fields: dict[str, Any] = {
        "title": title,
        "type": kind.value,
        "options": [on_one_line(option).strip() for option in one.options] or None,
        "lower_bound": one.lower_bound.strip() or None,
        "upper_bound": one.upper_bound.strip() or None,
        "unit": one.unit.strip() or None,
        "resolution_criteria": criteria,
        "fine_print": one.edge_cases.strip(),
    }
    if kind is not QuestionType.multiple_choice:
        fields["options"] = None
    if not kind.is_quantitative:
        fields |= {"lower_bound": None, "upper_bound": None, "unit": None}
    text = question_text(open_time=now, scheduled_close_time=closes, **fields)
    require_distinct(text.options or ())
    return fields | {"close_date": closes.date().isoformat()}


def drafts(
    article: Article, proposals: Sequence[tuple[ModelProposal, str]], own: Sequence[Draft]
) -> Iterator[ProposedDraft]:
    """Yield the draft of each proposal, given with its model; those of removed members are gone.

    ``own``: the grammar's drafts of the article; ``told`` is that of the same passage.
    """
    for row, model in proposals:
        fields = read_content(row)
        source = TextQuote(*(fields.pop(name, "") for name in ("quote", "prefix", "suffix")))
        start = article.text.find(f"{source.prefix}{source.quote}{source.suffix}")
        if not fields or start < 0:
            continue
        start += len(source.prefix)
        end = start + len(source.quote)
        told = (one.told for one in own if one.start < end and start < one.end and one.told)
        yield ProposedDraft(
            source=source,
            start=start,
            end=end,
            question=fields["title"],
            close_date=date.fromisoformat(fields["close_date"]),
            strength=Strength.strong,
            reason=f"proposed by {model}",
            told=next(told, ""),
            kind=QuestionType(fields["type"]),
            options=tuple(fields["options"] or ()),
            lower_bound=fields["lower_bound"],
            upper_bound=fields["upper_bound"],
            unit=fields["unit"],
            number=row.id,
            model=model,
            criteria=fields["resolution_criteria"],
            fine_print=fields["fine_print"],
        )


def read_content(row: ModelProposal) -> dict[str, Any]:
    """Return the fields of a proposal; none once its member was removed."""
    with suppress(ValueError):
        found = json.loads(row.content)
        if isinstance(found, dict):
            return found
    return {}
