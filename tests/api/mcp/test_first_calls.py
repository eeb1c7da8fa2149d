"""First calls of tools as language models write them: each is accepted, or refused with a form.

Models read a schema and write what they know from elsewhere: numbers and objects, JSON in a text,
percent, prose, fields of other servers, a null for a field that they leave out.
"""

from __future__ import annotations

from typing import Any

import anyio
from mcp.client.client import Client

from forecasts.api.mcp.server import build
from tests.api.mcp.conftest import Ledger, Way
from tests.api.mcp.test_tools import asked

COLOUR = {"type": "multiple_choice", "options": ["Red", "Blue", "Green"]}
DEPTH = {"type": "numeric", "lower_bound": "0", "upper_bound": "300", "unit": "mm"}
LANDING = {"type": "date", "lower_bound": "2026-01-01", "upper_bound": "2026-12-31"}
NEW = {"title": "Will the quay reopen by 1 March 2026?", "criteria": "As the gazette says."}
THIRDS = "10th percentile: 20, 50th: 60, 90th: 200"
DAYS = "10th percentile: 2026-02-01, 50th: 2026-03-01, 90th: 2026-08-01"
SHARES = "Red 50%, Blue 30%, Green 20%"

# (question, value, the value recorded, or the words of the refusal that show the form)
FORECASTS: tuple[tuple[Any, Any, str], ...] = (
    ("rain", 0.45, "45%"),
    ("rain", "45%", "still 45%"),
    (1, "0.45", "still 45%"),
    ("rain", 45, "Write 45% or 0.45."),
    ("rain", {"probability": 0.4}, "45% → 40%"),
    ("rain", '{"probability_yes": "35%"}', "40% → 35%"),
    ("rain", {"yes": 30, "no": 70}, "35% → 30%"),
    ("rain", "I'd say about 45%, given the front.", "Write 71%, 0.71, odds"),
    ("rain", {"yes": 0.6, "no": 0.6}, "Write it in this form: '71%'"),
    ("rain", True, "'true' is not a probability. Write 71%"),
    (" `Rain` ", 0.3, "still 30%"),
    ("1.0", 0.3, "still 30%"),
    ("will it rain?", 0.3, "still 30%"),
    ("colour", {"Red": 0.5, "Blue": 0.3, "Green": 0.2}, SHARES),
    ("colour", '{"red": "50%", "blue": "30%"}', SHARES),
    ("colour", {"Red": 50, "Blue": 30, "Green": 20}, SHARES),
    ("colour", [0.5, 0.3, 0.2], f"still {SHARES}"),
    ("colour", "Red: 50%, Blue: 30%, Green: 20%", f"still {SHARES}"),
    ("colour", [{"option": "Red", "probability": 0.5}, {"probability": 0.3, "option": "Blue"}],
     SHARES),
    ("colour", "Red", "form: 'Red=60%, Blue=20%'"),
    ("colour", 0.5, "Red=60%"),
    ("colour", {"Red": 0.5, "Blue": 0.3, "Green": 0.1}, "form: 'Red=60%, Blue=20%'"),
    ("depth", {"10%": 20, "50%": 60, "90%": 200}, THIRDS),
    ("depth", {"p10": 20, "p50": 60, "p90": 200}, f"still {THIRDS}"),
    ("depth", '{"0.1": 20, "0.5": 60, "0.9": "200"}', f"still {THIRDS}"),
    ("depth", {"percentiles": [{"percentile": 10, "value": 20}, {"percentile": 50, "value": 60},
     {"percentile": 90, "value": 200}]}, f"still {THIRDS}"),
    ("depth", {"10th percentile": 20, "median": 60, "90th percentile": 200}, f"still {THIRDS}"),
    ("depth", {"20": 0.1, "60": 0.5, "90": 0.9}, "or less is {'10%': 20}. Write it in this form:"),
    ("depth", {"60": 0.5}, "or less is {'50%': 60}."),
    ("depth", {"0.5": 60, "90": 200}, "could be 0.5% or 50%"),
    ("depth", {"0.5": 60, "p90": 200}, "could be 0.5% or 50%"),
    ("depth", {"low": 20, "high": 200}, "'low' is not a level, such as 10%."),
    ("depth", {"50%": "1,000"}, "Write 1.000 or 1000."),
    ("depth", {"50%": "1.000"}, "Write 1 or 1000."),
    ("depth", 140, "form: '10%=75, 50%=150, 90%=225'"),
    ("depth", "60 mm, give or take 20", "form: '10%=75, 50%=150, 90%=225'"),
    ("landing", {"10%": "2026-02-01", "50%": "1 March 2026", "90%": "2026-08-01"}, DAYS),
    ("landing", '{"0.1":"2026-02-01","0.5":"2026-03-01","0.9":"2026-08-01"}', f"still {DAYS}"),
    ("landing", "2026-03-01", "form: '10%=2026-"),
    ("landing", {"p50": "soon"}, "form: '10%=2026-"),
)  # fmt: skip
CALLS: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("forecast", {"question": "rain", "value": 0.2, "reason": "No front.", "model": "acme",
     "evidence": "opposes: https://example.org/a", "cost": "0.02", "version": 4.5}, "30% → 20%"),
    ("forecast", {"question": "rain", "value": 0.2, "reason": "No front.", "evidence": [
     "opposes data: https://example.org/b"]}, "still 20%"),
    ("forecast", {"question": "rain", "probability": 0.2}, "The parameters of forecast: question,"),
    ("forecast", {"question": "rain", "value": 0.2, "reason": "x", "evidence": [{"a": 1}]},
     "each 'supports|opposes|context"),
    ("ask_question", NEW, "Registered `will-the-quay-reopen-by-1-march-2026`"),
    ("ask_question", NEW | {"title": "Will the quay reopen by April 2026?", "type": "binary",
     "value": 0.6, "options": [], "background": None}, "Your forecast is recorded: 60%."),
    ("ask_question", {"title": "How much rain by May 2026?", "criteria": "Gauge.", "lower": 0,
     "upper": 300, "unit": "mm", "value": {"p10": 20, "p90": 200}},
     "(numeric; 0 to 300 `mm`). It closes 2026-05-31 23:59 UTC. Your forecast is recorded: 10th"),
    ("ask_question", {"title": "When will it rain?", "criteria": "Gauge.", "closes": "2026-03-31",
     "lower": "2026-01-02", "upper": "2026-12-31"}, "(date; 2026-01-02 to 2026-12-31)"),
    ("ask_question", {"title": "Which side wins?", "criteria": "Gazette.", "closes": "in 3 weeks",
     "options": '["North", "South"]', "tags": ["sport"], "value": {"North": "1/4"}}, "recorded"),
    ("ask_question", NEW | {"options": "North, South"}, "multiple-choice question: ['North', 'So"),
    ("ask_question", {"question": "Will it rain?"}, "The parameters of ask_question: title,"),
    ("ask_question", NEW | {"title": "Will it rain?", "close_date": "2026-03-01"}, "closes"),
    ("ask_question", NEW | {"lower": 0, "upper": 9}, "asks for yes or no, and has bounds. Leave"),
    ("ask_question", {"title": "How much snow?", "criteria": "Gauge.", "closes": "in 3 weeks",
     "lower": 0}, "needs a lower and an upper bound. Give both"),
    ("ask_question", {"title": "How much hail?", "criteria": "Gauge.", "closes": "in 3 weeks",
     "lower": 0, "upper": "1.5 million"}, "Write it in digits, without a unit or commas: 1500000"),
    ("ask_question", {"title": "How much hail?", "criteria": "Gauge."}, "with type numeric, lower"),
    ("ask_question", NEW | {"options": ["A", "a"]}, "differ only in case"),
    ("ask_question", NEW | {"closes": "20270501"}, "'20270501' is not a date. Write"),
    ("ask_question", NEW | {"closes": "2027-W20"}, "'2027-W20' is not a date. Write"),
    ("forecast", {"question": "rain", "value": 0.3, "reason": "x", "evidence": [
     "opposes news: https://example.org/c says so"]},
     "- opposes, news: `says so`, `https://example.org/c`"),
    ("forecast", {"question": "rain", "value": 0.3, "reason": "x", "evidence": [
     "for: https://example.org/a"]}, "'for', before the evidence"),
    ("forecast", {"question": "rain", "value": 0.3, "reason": "x", "evidence": ["article 9"]},
     "There is no article 9. To see them: forecasts articles (a person can; no tool does it)"),
    ("find_questions", {"text": 2027}, "3 questions, page 1 of 1."),
    ("find_questions", {}, "9 questions"),
    ("find_questions", {"text": "rain", "status": "any", "page": "1", "tag": None}, "`rain`"),
    ("find_questions", {"status": "all"}, "'awaiting'"),
    ("find_questions", {"query": "rain"}, "The parameters of find_questions: text, status"),
    ("find_questions", {"without_my_forecast": "true"}, "`will-the-quay-reopen-by-1-march-2026`"),
)  # fmt: skip


def test_first_calls_are_accepted_or_refused_with_the_form(ledger: Ledger) -> None:
    asked(ledger, "rain")
    for slug, fields in (("colour", COLOUR), ("depth", DEPTH), ("landing", LANDING)):
        asked(ledger, slug, **fields)
    named: Any = [
        ("forecast", {"question": question, "value": value, "reason": "A front."}, said)
        for question, value, said in FORECASTS
    ]

    async def run() -> list[Any]:
        async with Client(build(lambda: Way(ledger, "bot"))) as client:
            return [await client.call_tool(tool, given) for tool, given, _ in (*named, *CALLS)]

    for (tool, given, said), answer in zip((*named, *CALLS), anyio.run(run), strict=True):
        [content] = answer.content
        assert said in " ".join(content.text.split()), (tool, given, content.text)
        assert "Recorded on" in content.text or tool != "forecast" or answer.is_error, given
