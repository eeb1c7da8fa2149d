"""The possible questions of an article: correct, forecast and register them; shared passages."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from forecasts.access.members import member_or_new
from forecasts.ledger import database
from forecasts.questions import passages, registry, standing
from forecasts.questions.groups import groups
from tests.app.app_pages.test_articles_page import PASTED, read, stored
from tests.app.conftest import confirmed, errors, fill, forecasts, keys, page_links, visit, words
from tests.conftest import ask, day

pytestmark = pytest.mark.slow


def draft_of(app: AppTest, number: int = 0) -> str:
    """Return the key of a draft's fields."""
    found = [key for key in keys(app) if key.startswith("draft-") and key.endswith("-title")]
    return found[number].removesuffix("-title")


def register(app: AppTest, draft: str) -> AppTest:
    start = draft.rpartition("-")[2]
    [button] = [key for key in keys(app) if key.endswith(f"-{start}-save")]
    return app.button(key=button).click().run()


TWO = f"{PASTED}The harbour master will close the old lock by 30 June 2026, he said.\n"


def test_a_question_is_registered_and_forecast_from_a_draft_in_place(
    app: AppTest, engine: Engine
) -> None:
    read(app)
    app.button(key="store").click().run()
    draft = draft_of(app)
    assert app.text_input(key=f"{draft}-closes").value == "2026-03-31"
    fill(
        app,
        f"{draft}",
        title="Will the tunnel open by 31 March?",
        criteria="Yes if a train has gone through.",
        value="3:7",
    ).run()
    assert "**30%** · closes **31 Mar 2026**" in words(app)
    register(app, draft)
    assert confirmed(app)[-1] == "Registered: Will the tunnel open by 31 March? Your forecast: 30%."
    with database.reading(engine) as ledger:
        question = registry.find(ledger, "will-the-tunnel-open-by-31-march")
        [(source, article)] = passages.sources(ledger, question)
    [forecast] = forecasts(engine, "will-the-tunnel-open-by-31-march")
    assert forecast.probability == 0.3
    assert source.quote.startswith("The transport minister will open the tunnel by 31 March 2026")
    assert article.text[article.text.index(source.quote) - len(source.prefix) :].startswith(
        source.prefix + source.quote
    )
    assert "Will the tunnel open by 31 March?" in words(app)
    assert "1 registered" in words(app)


def test_a_changed_last_day_is_named_in_the_question_unless_it_was_edited(app: AppTest) -> None:
    read(app)
    draft = draft_of(app)
    title = app.text_area(key=f"{draft}-title").value
    assert title.endswith("by 31 March 2026?")
    for typed, named in (("30 April", "30 April 2026?"), ("in 3 weeks", "27 January 2026?")):
        app.text_input(key=f"{draft}-closes").input(typed).run()
        assert app.text_area(key=f"{draft}-title").value.endswith(f"by {named}")
    fill(app, f"{draft}", title="Will it open?", closes="1 May").run()
    assert app.text_area(key=f"{draft}-title").value == "Will it open?"


def test_a_doubtful_last_day_is_asked_for_in_the_card_and_named_in_the_question(
    app: AppTest,
) -> None:
    read(app)
    draft = draft_of(app)
    app.text_input(key=f"{draft}-closes").input("by 2030").run()
    assert "Which is meant by **by 2030**?" in words(app)
    app.button(key=f"{draft}-closes-meaning-1").click().run()
    assert app.text_input(key=f"{draft}-closes").value == "2030-12-31"
    assert app.text_area(key=f"{draft}-title").value.endswith("by 31 December 2030?")
    assert "closes **31 Dec 2030**" in words(app)


def test_one_article_is_stored_with_the_question_that_is_registered_from_it(
    app: AppTest, engine: Engine
) -> None:
    read(app, TWO)
    assert "2 drafts" in words(app)
    assert stored(engine) == []
    first, second = draft_of(app), draft_of(app, 1)
    app.text_input(key=f"{second}-value").input("20")
    app.text_input(key=f"{first}-value").input("30")
    register(app, first)
    assert [article.title for article in stored(engine)] == ["The tunnel under the bay"]
    # The article's page opens, and keeps what was typed into its next draft.
    assert "1 draft · 1 registered" in words(app)
    assert draft_of(app) == second
    assert app.text_input(key=f"{second}-value").value == "20"


def test_several_drafts_are_registered_in_one_pass_all_or_none(
    app: AppTest, engine: Engine
) -> None:
    read(app, TWO)
    first, second = draft_of(app), draft_of(app, 1)
    fill(app, first, tick=True, value="30")
    fill(app, second, tick=True, closes="2025-03-31").run()
    [button] = [key for key in keys(app) if key.endswith("-all")]
    assert app.button(key=button).label == "Register 2 selected questions"
    app.button(key=button).click().run()
    assert "31 Mar 2025 has passed" in words(app)
    assert stored(engine) == []
    with database.reading(engine) as ledger:
        assert standing.listing(ledger, now=day(5)) == []
    fill(app, second, closes="2026-03-31").button(key=button).click().run()
    assert confirmed(app) == ["Registered 2 questions, 1 with your forecast."]
    assert "2 questions from this article" in [expander.label for expander in app.expander]


def test_of_a_long_text_some_drafts_are_shown_and_more_on_request(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.forms.drafts.CARDS", 1)
    read(app, TWO)

    def cards() -> int:
        return len([key for key in keys(app) if key.endswith("-title") and "draft-" in key])

    assert cards() == 1
    [more] = [button for button in app.button if button.label == "Show 1 more"]
    more.click().run()
    assert cards() == 2
    assert "more" not in [button.label for button in app.button]


def test_a_draft_like_a_question_of_the_ledger_is_folded_and_leads_to_it(
    app: AppTest, engine: Engine
) -> None:
    with database.writing(engine) as ledger:
        alice = member_or_new(ledger, "alice", now=day(0))
        title = "Will the transport minister open the tunnel by 31 March 2026?"
        closes = datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC)
        ask(ledger, alice, slug="tunnel", title=title, scheduled_close_time=closes)
    said = words(read(app))
    assert "There is already a question like this:" in said
    assert "Will the transport minister open the tunnel by 31 March 2026?" in said
    assert "1 doubtful" in [expander.label for expander in app.expander]
    register(app, draft_of(app))
    assert "already registered" in errors(app)
    assert "Open the question" in [link.proto.label for link in page_links(app)]


def test_a_refusal_is_shown_in_its_card_and_the_fields_stay(app: AppTest, engine: Engine) -> None:
    read(app, TWO)
    first, second = draft_of(app), draft_of(app, 1)
    app.text_input(key=f"{first}-value").input("150")
    register(app, first)
    assert "must be from 0% to 100%" in errors(app)
    assert app.text_input(key=f"{first}-value").value == "150"
    shown = [node.key if node.type == "text_area" else node.type for node in app.main]
    assert shown.index(f"{first}-title") < shown.index("error") < shown.index(f"{second}-title")
    assert stored(engine) == []


SHARED = {
    "url": "https://example.org/bay?utm_source=x",
    "title": "The  tunnel",
    "text": "Work began four years ago.\nThe minister will open the tunnel by 31 March 2026.",
}


def test_a_shared_selection_is_reviewed_without_a_request(app: AppTest, engine: Engine) -> None:
    visit(app, "articles", **SHARED)
    assert "1 article, not stored yet" in words(app)
    assert stored(engine) == []
    draft = draft_of(app)
    app.text_input(key=f"{draft}-value").input("30")
    register(app, draft)
    [article] = stored(engine)
    assert (article.title, article.publisher, article.url) == (
        "The tunnel",
        "example.org",
        "https://example.org/bay",
    )
    with database.reading(engine) as ledger:
        [state] = standing.listing(ledger, now=day(5))
    assert [forecast.probability for forecast in forecasts(engine, state.slug)] == [0.3]


def test_a_shared_address_waits_for_the_reader(app: AppTest) -> None:
    for name in ("url", "text"):
        visit(app, "articles", **{name: " https://example.org/bay "})
        assert app.text_area(key="pasted").value == "https://example.org/bay"
        assert not app.error


def test_an_invalid_address_of_a_shared_page_is_not_kept_and_its_text_is_cut(
    app: AppTest, engine: Engine
) -> None:
    text = "The lock will open by 31 March 2026. " + "word " * 10_000
    visit(app, "articles", url="javascript:alert(1)", text=text, title="*Locks*")
    assert len(app.text_area(key="captured-1-0-text").value) <= 20_000
    app.button(key="store").click().run()
    [article] = stored(engine)
    assert (article.url, article.title) == (None, "*Locks*")


def test_a_draft_with_several_last_days_registers_a_group(app: AppTest, engine: Engine) -> None:
    read(app)
    draft = draft_of(app)
    fill(app, f"{draft}", closes="31 March, 30 June 2026", value="30, 60").run()
    assert "2 questions · 31 March 2026 **30%** · 30 June 2026 **60%**" in words(app)
    register(app, draft)
    with database.reading(engine) as ledger:
        [group] = groups(ledger, now=day(6))
    assert [one.state.text.title.split(" by ")[-1] for one in group.members] == [
        "31 March 2026?",
        "30 June 2026?",
    ]
    assert confirmed(app)[-1].endswith("(2 questions) Your forecast: 30%, 60%.")


def test_a_sentence_with_two_deadlines_is_asked_for_each_in_a_click(app: AppTest) -> None:
    sentence = (
        "The council will open the bridge by 31 March 2026, or by 30 June 2026 at the latest."
    )
    read(app, f"Bridge works\n\n{sentence}\n")
    draft = draft_of(app)
    app.button(key=f"{draft}-each").click().run()
    assert app.text_input(key=f"{draft}-closes").value == "31 March 2026, 30 June 2026"


def test_the_wording_of_a_draft_is_mended_by_one_click(app: AppTest) -> None:
    read(app)
    app.button(key="store").click().run()
    draft = draft_of(app)
    app.session_state[f"{draft}-opened"] = True
    fill(app, draft, title="Will the minister open the tunnel by 31 March 2026?").run()
    assert "Readers cannot tell which one “the minister” means." in words(app)
    add = [key for key in keys(app) if key.startswith(f"{draft}-mend-")]
    while add:
        before = len(add)
        app.button(key=add[-1]).click().run()
        add = [key for key in keys(app) if key.startswith(f"{draft}-mend-")]
        assert len(add) <= before
        if len(add) == before:
            break
    assert "it resolves as No." in app.text_area(key=f"{draft}-criteria").value
