"""The tools that act: forecast, capture an article, ask a question, propose an outcome."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from forecasts.api import words
from forecasts.api.door import Door, Here, member_of, zone_of
from forecasts.api.mcp.reading import Name
from forecasts.api.problems import web_address
from forecasts.articles import library
from forecasts.articles.capture import capture, capture_text
from forecasts.common.errors import BadInput
from forecasts.common.times import to_minute
from forecasts.ledger.models import Article, Forecast
from forecasts.ledger.receipts import receipt
from forecasts.questions import registry
from forecasts.questions.passages import find_passage
from forecasts.reading.drafting.strength import Strength
from forecasts.reading.text_quotes import TextQuote
from forecasts.resolution import proposals
from forecasts.updates import updates
from forecasts.updates.ask import ask as ask_and_forecast
from forecasts.updates.evidence import CitedEvidence
from forecasts.updates.evidence_parsing import read_evidence
from forecasts.updates.model_uses import Model
from forecasts.values.typed_dates import (
    deadline_in_title,
    iso_date,
    read_date,
    read_typed_outcome,
)
from forecasts.values.value import format_change, stated_certainty, value_of
from forecasts.values.value_parsing import read_value
from forecasts.views.articles import Draft, document

ORIGIN = "mcp"
_MOST_DRAFTS = 10  # of one article

Forecasted = Annotated[
    str,
    Field(
        description="Yes-or-no question: '71%' or '0.71'. Options: 'Busan=60%, Other=40%'. Number: "
        "percentiles, '10%=120, 50%=140, 90%=170'. Date: '10%=2027-01-05, 50%=2027-03-31, "
        "90%=2027-08-01'."
    ),
]
Reason = Annotated[
    str, Field(description="Why, in a few sentences: base rate, main evidence, main uncertainty.")
]
Pieces = Annotated[
    list[str] | None,
    Field(
        description="Pieces of evidence, each 'supports|opposes|context [news|data|base_rate|expert"
        "|model|other]: URL, note or article N', such as 'opposes data: https://example.org/a'. "
        "The stance is about the outcome (yes, a higher number, a later day)."
    ),
]
ModelName = Annotated[
    str, Field(description="Your model's name without its version: 'maker-model'.")
]
Version = Annotated[str, Field(description="The model's version: '1.5' or '2026-05-01'.")]
Cost = Annotated[float | None, Field(description="Cost of this forecast in US dollars.")]


@dataclass(frozen=True)
class Acting:
    """The tools that act, for the caller of the door.

    ``allow_private``: whether articles may be fetched from private addresses.
    """

    door: Callable[[], Door]
    allow_private: bool = False

    def forecast(
        self,
        question: Name,
        value: Forecasted,
        reason: Reason,
        evidence: Pieces = None,
        model: ModelName = "",
        version: Version = "",
        cost: Cost = None,
    ) -> str:
        """Record your forecast on an open question, or update it. It cannot be changed afterwards.

        A later forecast replaces it from then on; the time that this one was current still counts.
        Read the question first. The answer has a receipt.
        """
        with self.door().acting() as here:
            member = member_of(here)
            found = registry.find(here.session, question)
            text = registry.newest_wording(here.session, found)
            before = updates.current_forecast(here.session, found, member, at=here.now)
            current = None if before is None else value_of(before)
            given = read_value(value, text, current, now=here.now, zone=zone_of(here))
            saved = updates.update(
                here.session,
                found,
                given,
                member=member,
                now=here.now,
                rationale=reason,
                evidence=_cited(here, evidence),
                model=_model(model, version, cost),
                origin=ORIGIN,
            )
            change = format_change(saved.before, given, text.options)
            said = f"Recorded on {words.line(found.slug)}: {words.line(change)}."
            proof = _proof(here, saved.forecast)
        certain = stated_certainty(given)
        warning = (
            ""
            if certain is None
            else "You stated certainty: one surprise costs an infinite log score."
        )
        return words.answer(said, proof, warning)

    def capture_article(
        self,
        url: Annotated[str, Field(description="The article's web address.")] = "",
        text: Annotated[
            str, Field(description="The article's text instead, for a page that needs a login.")
        ] = "",
    ) -> str:
        """Capture a news article into the ledger, and list the questions that it suggests.

        Give its address or its text. The same article is stored once. To register a draft, call
        ask_question with its wording, its article and its quote.
        """
        with self.door().reading() as here:
            now = here.now
            if here.member is not None:
                library.require_capture(here.session, here.member, now=now)
        if bool(url.strip()) == bool(text.strip()):
            raise BadInput("Give the article's address or its text.", remedy="Give one of the two.")
        left_out: list[str] = []
        captured = (
            capture(
                web_address(url),
                captured_at=now,
                notify=left_out.append,
                allow_private=self.allow_private,
            )
            if url.strip()
            else capture_text(text, captured_at=now, notify=left_out.append)
        )
        with self.door().acting() as here:
            stored = library.store(
                here.session, captured, member=member_of(here), captured_at=here.now
            )
            found = [_captured(here, article, is_new) for article, is_new in stored]
            return words.answer(*found, words.bullets([words.line(one) for one in left_out]))

    def ask_question(
        self,
        title: Annotated[
            str, Field(description="The question in one sentence, with its deadline.")
        ],
        criteria: Annotated[
            str, Field(description="Resolution criteria that a stranger could apply.")
        ],
        closes: Annotated[
            str,
            Field(
                description="Last day to forecast: 2027-03-31, 'in 3 weeks'. Blank: as the title "
                "says."
            ),
        ] = "",
        background: Annotated[str, Field(description="Context that a forecaster needs.")] = "",
        options: Annotated[
            list[str] | None, Field(description="The options of a multiple-choice question.")
        ] = None,
        lower: Annotated[str, Field(description="Lower bound of a number or date.")] = "",
        upper: Annotated[str, Field(description="Upper bound of a number or date.")] = "",
        is_date: Annotated[bool, Field(description="Whether the bounds are dates.")] = False,
        unit: Annotated[str, Field(description="Unit of a number.")] = "",
        tags: Annotated[list[str] | None, Field(description="Tags to find it by.")] = None,
        value: Annotated[
            str, Field(description="Your first forecast, as for the tool forecast; may be blank.")
        ] = "",
        reason: Annotated[str, Field(description="The reason for that forecast.")] = "",
        article: Annotated[int | None, Field(description="Number of its source article.")] = None,
        quote: Annotated[str, Field(description="The exact passage of that article.")] = "",
        model: ModelName = "",
        version: Version = "",
        cost: Cost = None,
    ) -> str:
        """Register a new question, with your first forecast if you like.

        Yes or no by default; with options multiple choice; with both bounds a number or a date.
        Find out first, with find_questions, whether it is asked already.
        """
        used = _model(model, version, cost)
        with self.door().acting() as here:
            zone = zone_of(here)
            named = None if closes.strip() else deadline_in_title(title, now=here.now, zone=zone)
            if closes.strip():
                close = read_date(closes, now=here.now, zone=zone)
            elif named is not None:
                close = named.moment
            else:
                raise BadInput(
                    "The title names no last day of forecasting.", remedy="Give it as closes."
                )
            for name, given_alone, needs in (
                ("reason", reason.strip() and not value.strip(), "a first forecast as value"),
                ("model", used is not None and not value.strip(), "a first forecast as value"),
                ("quote", quote.strip() and article is None, "the article's number"),
                ("unit", unit.strip() and not lower.strip(), "bounds"),
            ):
                if given_alone:
                    raise BadInput(f"The {name} needs {needs}.", remedy="Give both, or neither.")
            bounds: dict[str, Any] = {}
            if lower.strip() or upper.strip():
                low, high = lower, upper
                if is_date:
                    low = iso_date(lower, now=here.now, zone=zone, first=True)
                    high = iso_date(upper, now=here.now, zone=zone)
                bounds = {"lower_bound": low, "upper_bound": high, "unit": unit or None}
            kind = "date" if is_date else "numeric" if bounds else "binary"
            wording = registry.question_text(
                title=title,
                type="multiple_choice" if options else kind,
                options=options,
                open_time=here.now,
                scheduled_close_time=close,
                resolution_criteria=criteria,
                background=background,
                tags=tags,
                **bounds,
            )
            given = read_value(value, wording, now=here.now, zone=zone) if value.strip() else None
            source = TextQuote(quote) if quote.strip() else None
            asked = ask_and_forecast(
                here.session,
                wording,
                given,
                member=member_of(here),
                now=here.now,
                sources=[] if article is None else [find_passage(here.session, article, source)],
                rationale=reason,
                model=used,
                origin=ORIGIN,
            )
            said = (
                f"Registered {words.line(asked.question.slug)}: {words.line(asked.text.title)}. It "
                f"closes {to_minute(asked.text.scheduled_close_time)}."
            )
            if asked.forecast is not None:
                said += f" Your forecast is recorded. {_proof(here, asked.forecast)}"
            if asked.kept_private:
                said += " Only you see it, since it has no resolution criteria."
        return words.answer(said)

    def propose_outcome(
        self,
        question: Name,
        outcome: Annotated[
            str,
            Field(
                description="yes, no, an option, a number, a date, above or below (the bounds), "
                "annulled or ambiguous."
            ),
        ],
        reason: Annotated[
            str, Field(description="How the source meets the resolution criteria, word by word.")
        ],
        source: Annotated[str, Field(description="Web address that reports the outcome.")],
        known_at: Annotated[
            str, Field(description="When it became known: a day or time; blank: now.")
        ] = "",
    ) -> str:
        """Propose a question's outcome with your evidence. You are a witness: someone else decides.

        The question keeps its status until then. Propose only an outcome that a source states.
        """
        with self.door().acting() as here:
            zone = zone_of(here)
            found = registry.find(here.session, question)
            text = registry.newest_wording(here.session, found)
            known = (
                read_date(known_at, now=here.now, zone=zone, end_of_day=False, past=True)
                if known_at.strip()
                else here.now
            )
            row = proposals.propose(
                here.session,
                found,
                read_typed_outcome(outcome, text, now=here.now, zone=zone),
                known_at=known,
                now=here.now,
                member=member_of(here),
                note=reason,
                source=source,
            )
            return words.answer(
                f"Proposed {words.line(row.outcome)} for {words.line(found.slug)}, known at "
                f"{to_minute(known)}. It is not decided: someone else confirms or rejects it."
            )


def _model(name: str, version: str, cost: float | None) -> Model | None:
    """Return the model behind a forecast, None if none is given."""
    if not name.strip() and not version.strip() and cost is None:
        return None
    return Model(name, version=version if version.strip() else None, cost=cost)


def _proof(here: Here, forecast: Forecast) -> str:
    """Return a forecast's receipt, as short as it can be checked."""
    return f"Receipt: {receipt(here.session, forecast).digest} (forecasts verify --against)."


def _cited(here: Here, evidence: list[str] | None) -> list[CitedEvidence]:
    return [read_evidence(here.session, item) for item in evidence or ()]


def _captured(here: Here, article: Article, is_new: bool) -> str:
    """Return an article with its drafts, the strong ones first."""
    known = "stored" if is_new else "already in the ledger"
    head = f"Article {article.id}, {known}: {words.line(article.title)}"
    drafts = document(here.session, article, now=here.now).drafts
    drafts.sort(key=lambda draft: draft.strength != Strength.strong)
    lines = [_drafted(draft) for draft in drafts[:_MOST_DRAFTS]]
    if not lines:
        return f"{head}\n\nIt suggests no question."
    more = len(drafts) - len(lines)
    lines += [f"… and {more:,} weaker drafts"] if more > 0 else []
    return f"{head}\n\n{words.bullets(lines)}"


def _drafted(draft: Draft) -> str:
    """Return a draft on one line, with a question that asks the same."""
    wording = words.line(draft.question) if draft.question else "(no wording)"
    closes = "no deadline" if draft.close_date is None else f"closes {draft.close_date}"
    asked = "" if draft.like is None else f" · asked already: {words.line(draft.like)}"
    return f"{draft.strength}: {wording} · {closes} · quote {words.line(draft.quote, 1_000)}{asked}"
