"""Articles: capture a page, review and store its articles, and turn sentences into questions."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import streamlit as st

from app import session
from app.components.scripts import focus_on, mount_keyboard, share_link
from app.forms.by_model import OfModel, ask_model, of_model
from app.forms.capture_review import Captured, Review, correct, store_checked, stored_name
from app.forms.drafts import Drafted, focus_first, possible_questions, with_twins
from app.forms.question import ask_form
from app.markdown_text import as_text, closing, dotted, link, marked, shortened
from app.times import day, published, zone
from app.views.empty import empty
from app.views.widgets import (
    article_link,
    page_asked,
    page_link,
    question_line,
    search_field,
    switch,
    titled,
)
from forecasts.access import roles
from forecasts.access.roles import Action
from forecasts.articles import library
from forecasts.articles.capture import capture, capture_bytes, capture_text
from forecasts.articles.drafts import drafts_of
from forecasts.common.text import count
from forecasts.ledger.models import Article
from forecasts.proposals.questions import ProposedDraft
from forecasts.questions import passages
from forecasts.reading.article import PARAGRAPH, CapturedArticle, canonical_url
from forecasts.updates.ask import is_address
from forecasts.values.typed_dates import read_date

SHELVES = ("All", "Without questions")
# As phones share a selected passage: in quotation marks, with the address in the next line.
SHARED = re.compile(r'["“]?(?P<text>.*?)["”]?\s+(?P<url>https?://\S+)', re.IGNORECASE | re.DOTALL)
MOST = 20_000  # characters of a shared text

moment = session.now()
review = session.page_state(Review)


def capture_form() -> None:
    """Show the form for a text, an address or a file; capture the submitted one for review.

    A text pasted into the one line fills the form and is read at once.
    """
    from_line = review.pasted
    if from_line or "pasted" not in st.session_state:  # the page was just opened
        st.session_state["pasted"], review.pasted = from_line, ""
        focus_on("pasted")
    with st.form("read"):
        pasted = st.text_area(
            label="Article",
            height=140,
            placeholder="Paste an article, a page with several, or a web address",
            label_visibility="collapsed",
            key="pasted",
        )
        with st.expander("From a file, or seen earlier"):
            upload = st.file_uploader(label="HTML or text file", type=["html", "htm", "txt"])
            seen = st.text_input(
                label="Seen on",
                placeholder="today",
                width=220,
                help="The day you saw the page. “2 days ago” in its text counts from it.",
                key="seen",
            )
        submitted = st.form_submit_button("Read", type="primary", key="read-go")
    mount_keyboard("articles")
    if not submitted and not from_line:
        return
    notes: list[str] = []
    with session.shown_errors(), st.spinner("Reading …"):
        at = seen_at(seen)
        how: Any = {"captured_at": at, "notify": notes.append}
        if upload is not None:
            found = capture_bytes(upload.getvalue(), **how)
        elif is_address(pasted):
            allowed = session.settings().allow_private_addresses
            found = capture(pasted.strip(), allow_private=allowed, **how)
        else:
            found = capture_text(pasted, **how)
        review.start(found, at, notes)
        st.rerun()


def seen_at(typed: str) -> datetime:
    """Return the time that relative dates count from: now, or noon of an earlier day."""
    if not typed.strip():
        return moment
    last = read_date(typed, now=moment, zone=zone(), past=True)
    return moment if last >= moment else last - timedelta(hours=12)


def from_selection() -> None:
    """Review the passage that a bookmarklet or another app shared: address, title and text.

    Nothing is fetched. Without a text, the address waits in the form.
    """
    shared = {name: st.query_params.get(name, "")[:MOST] for name in ("url", "title", "text")}
    st.query_params.clear()
    text, url = shared["text"].strip(), canonical_url(shared["url"])
    if is_address(text):  # phones share an address as text
        text, url = "", canonical_url(text)
    elif url is None and (both := SHARED.fullmatch(text)):
        text, url = both["text"], canonical_url(both["url"])
    if not text:
        st.session_state["pasted"] = url or ""
        return
    title = " ".join(shared["title"].split()) or shortened(text, 80)
    paragraphs = PARAGRAPH.join(part.strip() for part in text.splitlines() if part.strip())
    publisher = None if url is None else urlsplit(url).hostname
    passage = CapturedArticle(
        title=title, publisher=publisher, author=None, published_at=None, url=url, text=paragraphs
    )
    review.start([passage], moment)


def shelf(*, may_capture: bool) -> None:
    """Show the stored articles in pages, newest first."""
    st.header("Stored articles", anchor=False)
    with st.container(horizontal=True, vertical_alignment="top", key="shelf-filters"):
        words = search_field("Search", "shelf-words", "Title, publisher or text", "shelf-page")
        which = switch("Show", SHELVES, "shelf", label_visibility="collapsed")
    with session.reading() as ledger:
        bare, number = which == SHELVES[1], page_asked("shelf-page")
        found = library.article_page(ledger, words=words, without_questions=bare, number=number)
    if not found.total:
        if words or bare:
            st.info("No articles match.")
            return
        with empty("articles", "No articles yet. Each one appears here with its questions."):
            if may_capture and st.button("Paste an article", key="paste-first"):
                focus_on("pasted")
                st.rerun()
        return
    st.caption(count(found.total, "article"))
    for article, questions in found.articles:
        with st.container(gap=None):
            article_link(article)
            asked = count(questions, "question") if questions else "no questions yet"
            date_of = published(article.published_at) or "no date"
            st.caption(dotted(article.publisher, date_of, asked))
    if found.pages > 1:
        st.pagination(found.pages, key="shelf-page", bind="query-params")


def one(number: int) -> None:
    """Show a stored article: its drafts, the form for the chosen draft, and the text."""
    with session.reading() as ledger:
        article = library.find_article(ledger, number)
        asked = passages.questions_from(ledger, article, now=moment)
    page_link("articles", "← All articles")
    st.title(as_text(shortened(article.title, 200)), anchor=False)
    session.name_window(article.title, "Articles")
    date_of = published(article.published_at) or "no date"
    captured = f"captured {day(article.captured_at)}"
    st.caption(dotted(article.publisher, article.author, date_of, captured))
    if article.url:
        st.markdown(link(article.url, article.url))
    if asked:
        label = f"{count(len(asked), 'question')} from this article"
        with st.expander(label, expanded=len(asked) <= 3):
            for _, state in asked:
                question_line(state, f"{state.stage} · {closing(state.text, moment)}")
    used = {source.quote for source, _ in asked}
    every = drafts_of(article)
    drafts = [draft for draft in every if draft.quote not in used]
    name = article.content_hash[:12]
    with session.reading() as ledger:
        model = of_model(ledger, article, every)
        pairs = with_twins(ledger, [*drafts, *model.drafts])
    work(article, Drafted(name, f"drafts-{name}", pairs, len(used), lambda _: number), model)
    with st.expander("Your own question"):
        ask_form(f"article-{article.id}", article=article.id)


def work(article: Article, drafted: Drafted, model: OfModel | None = None) -> None:
    """Show the possible questions beside the text they are from."""
    left, right = st.columns([3, 2], gap="large")
    with left:
        possible_questions(drafted)
        if model is not None:
            ask_model(model)
        if drafted.drafts and article.published_at is None:
            st.caption(
                "The article has no date, so deadlines count from the day of capture, "
                f"{day(article.captured_at)}."
            )
    with right:
        titled("Text")
        if not article.text:
            st.caption("The ledger has only the address of this article, not its text.")
        spans = [
            (draft.start, draft.end, drafted.key(draft))
            for draft, _ in drafted.drafts
            if not isinstance(draft, ProposedDraft)
        ]
        st.markdown("\n\n".join(marked(article.text, spans)))


def under_review(captured: Captured) -> None:
    """Show the capture for correction and, if it is one article, its possible questions."""
    for left_out in review.notes:
        st.info(as_text(left_out))
    articles = correct(captured)
    if len(articles) != 1:
        return
    row = library.as_row(articles[0], captured_at=captured.seen)

    def store(doing: session.Act) -> int:
        [(stored, _)] = store_checked(doing, articles, captured.seen)
        assert stored.id is not None
        return stored.id

    name = row.content_hash[:12]
    with session.reading() as ledger:
        pairs = with_twins(ledger, drafts_of(row))
    drafted = Drafted(name, stored_name(captured), pairs, 0, store)
    if review.unseen:
        review.unseen = False
        focus_first(drafted)
        st.rerun()
    work(row, drafted)


def everything() -> None:
    """Show the capture form, the capture under review, and the stored articles."""
    st.title("Articles", anchor=False)
    with session.reading() as ledger:
        rights = roles.member_rights(ledger, session.current_member(ledger), now=moment)
    if not rights.allows(Action.capture):
        st.info("You can read the articles. Capturing one requires the forecaster role.")
        shelf(may_capture=False)
        return
    if not st.query_params.keys().isdisjoint(("url", "text")):
        from_selection()
    captured = review.captured
    if captured is not None and not session.memory().done[stored_name(captured)]:
        under_review(captured)
    else:
        capture_form()
        with st.expander("Capture while you read"):
            share_link(session.address_of_app())
            st.caption(
                "Drag this link to your bookmarks bar. On any page, select a passage and click "
                "it: its possible questions open here. On a phone, install this page and share to "
                "it."
            )
    shelf(may_capture=True)


chosen = st.query_params.get("article", "")
if chosen.isdecimal():
    one(int(chosen))
else:
    everything()
