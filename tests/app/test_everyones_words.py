"""Every page shows users' text as text: none of it reaches a renderer unescaped."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import Message
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

import app as package
from forecasts.access.members import member_or_new
from forecasts.access.memberships import join, team_or_new
from forecasts.articles import library
from forecasts.documents.vega_lite import forest
from forecasts.ledger import database
from forecasts.ledger.models import Stance
from forecasts.questions import passages, registry
from forecasts.questions.registry import question_text
from forecasts.reading.article import CapturedArticle
from forecasts.reading.text_quotes import TextQuote
from forecasts.reports.comparison import build
from forecasts.reports.comparison.document import differences
from forecasts.resolution import confirmation, proposals
from forecasts.updates import updates
from forecasts.updates.evidence import CitedEvidence
from forecasts.values.value import Value
from tests import nasty
from tests.app.conftest import visit
from tests.conftest import day
from tests.reports.small_ledgers import NOW, random_ledger

pytestmark = pytest.mark.slow

# Markdown's active characters, each in a word of its own that the test searches for.
RAW = [word for word in nasty.MARKUP if re.search(r"[*`$\[\]<>|{}]|:\w+:", word)]
ALL = " ".join([*nasty.MARKUP, *nasty.FORMULAS, *nasty.CONTROLS]).replace("\x00", "")
HANDLE = "bob " + " ".join(nasty.MARKUP)
CODE = re.compile(r"(?<!\\)(`+) ?(.+?) ?\1(?!`)")  # a span that is inert
# Fields that Streamlit shows unrendered, by kind of element: typed and picked values.
PLAIN = {
    "text_input": {"default", "value", "placeholder"},
    "text_area": {"default", "value", "placeholder"},
    "selectbox": {"options", "raw_value", "placeholder"},
    "multiselect": {"options", "raw_values", "default"},
    "vega_lite_chart": {"spec", "data", "datasets", "alt"},
    "page_link": {"query_string", "page"},
    "dataframe": {"data"},  # cells are drawn on a canvas
    # The titles of cards for the keyboard's script; ``test_typing_ahead`` has markup in them.
    "keyboard": {"json"},
}


@pytest.fixture
def unkind(engine: Engine, app: AppTest) -> AppTest:
    """The app on a ledger with active markup in every text field."""
    text = f"{ALL}\n\nThe council will decide by 20 January 2026 whether {ALL}. {ALL}"
    article = CapturedArticle(ALL, ALL, ALL, day(-1), "https://example.org/?q=<b>", text)
    with database.writing(engine) as ledger:
        bob = member_or_new(ledger, HANDLE, now=day(0))
        alice = member_or_new(ledger, "alice", now=day(0))
        join(ledger, team_or_new(ledger, ALL, now=day(0)), bob)
        join(ledger, team_or_new(ledger, "ours", now=day(0)), alice)
        [(stored, _)] = library.store(ledger, [article], member=bob, captured_at=day(0))
        words = dict.fromkeys(("background", "resolution_criteria", "fine_print", "family"), ALL)
        times = {"open_time": day(0), "scheduled_close_time": day(20)}
        kinds: dict[str, dict[str, Any]] = {
            "yes": {},
            "pick": {"type": "multiple_choice", "options": [*nasty.MARKUP[:9], "=1", "Other"]},
            "many": {"type": "numeric", "lower_bound": "0", "upper_bound": "9", "unit": ALL},
            "over": {"scheduled_close_time": day(4)},
        }
        values = {
            "pick": Value(probabilities=(0.5, 0.5, *[0.0] * 9)),
            "many": Value(quantiles={"0.5": 4.0}),
        }
        sources = [passages.Passage(stored, TextQuote(ALL, ALL, ALL))]
        evidence = [CitedEvidence(note=ALL, stance=Stance.supports)]
        asked = {}
        for slug, more in kinds.items():
            given = {"title": f"{slug} {ALL}", "tags": [ALL, "=1+1"]} | words | times | more
            asked[slug] = question = registry.register(
                ledger, question_text(**given), member=bob, now=day(0), slug=slug, sources=sources
            )
            value = values.get(slug, Value(probability=0.6))
            for who in (bob, alice):
                reasons = {"rationale": ALL, "evidence": evidence}
                updates.update(ledger, question, value, member=who, now=day(1), **reasons)
        confirmation.confirm(
            ledger, asked["over"], "no", known_at=day(4), now=day(4.5), member=bob, note=ALL
        )
        proposals.propose(
            ledger, asked["yes"], "no", known_at=day(3), now=day(4), member=bob, note=ALL,
            source="https://example.org/?q=[a](javascript:alert(1))",
        )  # fmt: skip
    return app


def messages(node: Any) -> Iterator[tuple[str, Message]]:
    """Yield each element of the page as sent to the browser, with its kind."""
    proto = getattr(node, "proto", None)
    if isinstance(proto, Message):
        yield node.type, proto
    for child in getattr(node, "children", {}).values():
        yield from messages(child)


def texts(message: Message, but: set[str]) -> Iterator[tuple[str, str]]:
    """Yield every text of a message with its field's name, except the named fields."""
    for field, value in message.ListFields():
        if field.name in but:
            continue
        many = value if field.is_repeated else [value]
        for item in many:
            if isinstance(item, Message):
                yield from texts(item, but)
            elif isinstance(item, str):
                yield field.name, item
            elif isinstance(item, bytes):
                yield field.name, item.decode("latin-1")


def said(app: AppTest) -> list[tuple[str, str, str]]:
    """Return all Markdown that the page sends: kind of element, field, text."""
    return [
        (kind, name, text)
        for kind, message in messages(app._tree)
        for name, text in texts(message, PLAIN.get(getattr(message, "component_name", kind), set()))
    ]


PAGES: list[tuple[str, dict[str, str]]] = [
    ("today", {}),
    ("questions", {"view": "Ask a question"}),
    *(("question", {"slug": slug}) for slug in ("yes", "pick", "many", "<b>", "over")),
    ("articles", {}),
    ("articles", {"article": "1"}),
    *(("resolve", {"slug": slug}) for slug in ("yes", "pick", "over")),
    ("my_scores", {}),
    ("track_record", {"cohort": "All resolved"}),
    ("compare", {"cohort": "All resolved"}),
]


def test_every_page_shows_everyones_words_as_text_only(
    unkind: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []
    named: dict[str, str] = {}
    monkeypatch.setattr(
        "streamlit.set_page_config", lambda **given: named.update({page: given["page_title"]})
    )
    for page, query in PAGES:
        seen.append(inert(visit(unkind, page, **query), page))
    visit(unkind, "questions")
    seen.append(inert(unkind.segmented_control(key="view").set_value("Find").run(), "questions"))
    assert all(seen.count(found) == 1 for found in seen)  # each was another page
    # A window is named after its page, on one line of text.
    assert named["questions"] == "Questions · Forecast Ledger"
    for page in ("question", "resolve"):
        assert re.fullmatch(rf"over .+ · {page.capitalize()} · Forecast Ledger", named[page])
    assert named["articles"].endswith(" · Articles · Forecast Ledger")
    assert all(name.isprintable() and len(name) < 150 for name in named.values())


def inert(shown: AppTest, page: str) -> list[tuple[str, str, str]]:
    """Return the page's texts, none of which acts."""
    assert not shown.exception, page
    found = said(shown)
    assert len(found) > 5, page
    for kind, name, text in found:
        acts = [word for word in RAW if word in CODE.sub("", text)]
        assert not acts, f"{page}, {kind}.{name}: {acts}: {text[:300]}"
    for spec in specs(shown):
        acting = {place for place, word in strings(spec) if any(raw in word for raw in RAW)}
        assert acting <= DATA, page
    return found


# The inert places of a chart's texts: values, placeholders, plain titles.
DATA = {"domain", "datum", "title", "values"}


def specs(app: AppTest) -> list[dict[str, Any]]:
    """Return the Vega-Lite of each chart on the page."""
    charts = [proto for kind, proto in messages(app._tree) if kind == "vega_lite_chart"]
    return [json.loads(chart.spec) for chart in charts]  # type: ignore[attr-defined]


def strings(node: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text of a chart, property names included, with its property."""
    if isinstance(node, str):
        yield place, node
    elif isinstance(node, list):
        for item in node:
            yield from strings(item, place)
    elif isinstance(node, dict):
        for name, item in node.items():
            yield "", name
            yield from strings(item, place if place in DATA else name)


def test_a_chart_of_pairs_reads_no_word_as_a_field_or_an_expression() -> None:
    made = build(
        random_ledger(11, questions=80), between=["ana", "bo"], of="forecasters", as_of=NOW
    )
    for word in nasty.MARKUP:
        pairs = tuple(replace(pair, a=word, b="=1") for pair in made.pairs)
        chart = forest(differences(replace(made, pairs=pairs)), "Difference")
        assert chart is not None
        held = [(place, said) for place, said in strings(chart) if word in said]
        assert held
        assert {place for place, _ in held} <= DATA


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Yield every call in the app's code with the last part of its name."""
    for path in sorted(Path(package.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield ast.unparse(node.func).rpartition(".")[2], node


def test_nothing_that_a_browser_reads_as_html_or_script_holds_anyones_words() -> None:
    for name, call in calls():
        assert "unsafe_allow_html" not in {keyword.arg for keyword in call.keywords}
        assert "unsafe_allow_javascript" not in {keyword.arg for keyword in call.keywords}
        assert name not in ("iframe", "declare_component")
        if name == "component":
            given = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
            read = ".read_text(encoding='utf-8')"
            several = "(Path(__file__).with_name(name)" + read + " for name in "
            one, js = rf"Path(__file__).with_name('NAME.js'){read}", given.pop("js")
            # Scripts beside the module, of fixed names.
            if not re.fullmatch(re.escape(one).replace("NAME", r"\w+"), js):
                head, _, names = js.removesuffix("))").partition(several)
                assert head == "''.join("
                assert all(name.endswith(".js") for name in ast.literal_eval(names))
            assert all(isinstance(ast.literal_eval(value), str) for value in given.values())
        if name == "html":
            assert ast.unparse(call) == "st.html(Path(__file__).with_name('style.css'))"


def test_scripts_write_no_html_and_run_no_text() -> None:
    scripts = list(Path(package.__file__).parent.rglob("*.js"))
    assert scripts
    for script in scripts:
        words = script.read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|eval\(|new Function", words)


def test_names_of_downloads_are_the_apps_own() -> None:
    """Streamlit sends them to the browser unchanged."""
    given = [value for name, call in calls() if name == "downloads" for value in call.args[1:]]
    assert given
    assert all(isinstance(value, ast.Constant) for value in given)
