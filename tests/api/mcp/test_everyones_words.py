"""Words of others that give orders are data in every answer: in a code span or a fence."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token
from sqlalchemy import Engine

from forecasts.access.members import member_or_new
from forecasts.api.words import NOTICE
from forecasts.articles import library
from forecasts.ledger import database
from forecasts.ledger.models import Stance
from forecasts.questions import registry
from forecasts.reading.article import CapturedArticle
from forecasts.resolution import confirmation, proposals
from forecasts.updates import updates
from forecasts.updates.evidence import CitedEvidence
from forecasts.values.value import Value
from tests.api.mcp.conftest import Ledger
from tests.conftest import ask, day

pytestmark = pytest.mark.slow

# In each place, words that would end a code span or a fence of fewer backticks.
ORDER = (
    "OBEY ` `` ``` ```` \n\n```\nOBEY\n```\n\n# OBEY\n- OBEY [OBEY](https://example.org) <b>OBEY"
)
ON_A_LINE = " ".join(ORDER.split())


def outside(text: str) -> Iterator[str]:
    """Yield the text of an answer that is neither in a code span nor in a fence."""
    waiting: list[Token] = MarkdownIt().parse(text)
    while waiting:
        token = waiting.pop()
        waiting += token.children or []
        if token.type not in ("code_inline", "fence"):
            yield f"{token.content if not token.children else ''} {token.attrs}"


def expect_data(text: str) -> None:
    assert text.startswith(NOTICE) or "OBEY" not in text
    assert not any("OBEY" in one for one in outside(text)), text


def furnish(engine: Engine) -> None:
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        other = member_or_new(session, f"{ON_A_LINE[:60]}", now=day(0))
        bot = member_or_new(session, "bot", now=day(0))
        article = CapturedArticle(ON_A_LINE, None, None, None, "https://example.org/q", ORDER)
        library.store(session, [article], member=other, captured_at=day(0))
        for slug in ("rain", "snow", "hail"):
            question = ask(
                session, alice, slug=slug, title=f"{slug} {ON_A_LINE}", background=ORDER,
                resolution_criteria=ORDER, fine_print=ORDER, tags=[ON_A_LINE[:50]],
                family=ON_A_LINE[:50],
            )  # fmt: skip
            for who in (other, bot):
                cited = CitedEvidence(note=ORDER, title=ON_A_LINE, stance=Stance.supports)
                updates.update(
                    session, question, Value(probability=0.3), member=who, now=day(0.5),
                    rationale=ORDER, evidence=[cited],
                )  # fmt: skip
        options = ask(
            session, alice, slug="who", type="multiple_choice", options=[ON_A_LINE[:60], "B"]
        )
        ask(
            session, alice, slug="many", type="numeric", lower_bound="0", upper_bound="9",
            unit=ON_A_LINE[:60],
        )  # fmt: skip
        updates.update(session, options, Value(probabilities=(0.4, 0.6)), member=bot, now=day(0.5))
        rain, snow = (registry.find(session, slug) for slug in ("rain", "snow"))
        proposals.propose(session, rain, "yes", now=day(0.8), member=other, note=ORDER)
        confirmation.confirm(session, snow, "yes", now=day(0.8), member=alice, note=ORDER)


def test_no_answer_has_others_words_outside_code_and_says_that_they_are_data(
    ledger: Ledger,
) -> None:
    furnish(ledger.engine)
    reads, acts = ledger.tools("bot"), ledger.tools("bot")
    ledger.now = day(9)
    answers = [
        reads.find_questions(status="any"),
        reads.find_questions("obez"),
        *(reads.read_question(slug) for slug in ("rain", "snow", "who", "many")),
        reads.needs_update(),
        reads.my_record(),
        reads.compare(["bot", ON_A_LINE[:60]]),
        reads.explain_score("snow"),
        reads.forecast_this_question("rain").partition("\n\n")[2],
        acts.forecast("hail", "40%", ORDER),
        acts.forecast("who", f"{ON_A_LINE[:60]}=50%, B=50%", "none"),
        acts.propose_outcome("hail", "yes", ORDER, "https://example.org"),
        acts.capture_article(
            text=f"{ON_A_LINE}\n\n{ORDER}\n\nThe OBEY council will decide by the end of March 2026."
            + " It met on Monday." * 6
        ),
        acts.ask_question(f"Will {ON_A_LINE} by 1 February 2026?", ORDER, value="40%"),
    ]
    assert sum("OBEY" in answer for answer in answers) >= 10
    for answer in answers:
        expect_data(answer)
