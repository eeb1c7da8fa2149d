"""Articles: capture a page, review and store its articles, and turn sentences into questions."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import streamlit as st

from app.forms.capture_review import correct, stored_name
from app.forms.captured import Review
from app.forms.question import Suggestion, ask_form
from app.markdown_text import as_text, closing, counted, dotted, link, marked, paragraphs, shortened
from app.session import (
    current_member,
    memory,
    now,
    page_state,
    reading,
    settings,
    shown_errors,
)
from app.times import day, published
from app.views.links import article_link, question_link
from app.views.lists import page_asked, search_field
from forecasts.access import roles
from forecasts.access.roles import Action
from forecasts.articles import library
from forecasts.articles.capture import capture, capture_bytes, capture_text
from forecasts.articles.drafting.drafts import Draft, drafts_of
from forecasts.articles.text_quotes import excerpt
from forecasts.common.errors import CaptureError
from forecasts.ledger.models import Article
from forecasts.questions import sources

SHELVES = ("All", "Without questions")
INPUTS = ("Pasted text", "Web address", "File")

moment = now()
review = page_state(Review)


def capture_form() -> None:
    """Show the three kinds of input, and capture the submitted one for review."""
    kind = st.segmented_control(
        "Source", INPUTS, default=INPUTS[0], required=True, key="way", label_visibility="collapsed"
    )
    with st.form("read"):
        pasted, address, upload = "", "", None
        if kind == "Pasted text":
            hint = "Paste an article, or a page with several"
            pasted = st.text_area("Text", key="pasted", height=180, placeholder=hint)
        elif kind == "Web address":
            address = st.text_input("Web address", key="address", placeholder="https://…")
        else:
            upload = st.file_uploader("HTML or text file", type=["html", "htm", "txt"])
        seen = st.date_input(
            "Seen on",
            value=moment.date(),
            min_value=date.min,  # by default, Streamlit offers ten years only
            max_value=moment.date(),
            format="YYYY-MM-DD",
            width=220,
            help="The day you saw the page (UTC). “2 days ago” counts from it.",
        )
        submitted = st.form_submit_button("Read", type="primary", key="read-go")
    if not submitted:
        return
    at = seen_at(seen)
    notes: list[str] = []
    with shown_errors(), st.spinner("Reading …"):
        if kind == "Pasted text":
            found = capture_text(pasted, captured_at=at, notify=notes.append)
        elif kind == "Web address":
            found = capture(
                web_address(address),
                captured_at=at,
                allow_private=settings().allow_private_addresses,
                notify=notes.append,
            )
        elif upload is not None:
            found = capture_bytes(upload.getvalue(), captured_at=at, notify=notes.append)
        else:
            raise CaptureError("No file was chosen.", remedy="Choose an HTML or text file.")
        review.start(found, at)
        for note in notes:
            st.info(as_text(note))


def web_address(typed: str) -> str:
    """Return the web address; CaptureError for anything else, such as a file on the server."""
    typed = typed.strip()
    if not typed:
        raise CaptureError("No web address was given.", remedy="Type or paste one.")
    if not typed.startswith(("http://", "https://")):
        raise CaptureError(
            f"{typed!r} is not a web address.", remedy="It begins with https:// or http://."
        )
    return typed


def seen_at(seen: date | None) -> datetime:
    """Return the time that relative dates count from: now, or noon of an earlier day."""
    if seen is None or seen >= moment.date():
        return moment
    return datetime.combine(seen, time(12), UTC)


def shelf() -> None:
    """Show the stored articles in pages, newest first."""
    st.header("Stored articles", anchor=False)
    with st.container(horizontal=True, vertical_alignment="top", key="shelf-filters"):
        words = search_field("Search", "words", "Title, publisher or text")
        which = st.segmented_control(
            "Show", SHELVES, default=SHELVES[0], required=True, key="shelf", bind="query-params"
        )
    with reading() as ledger:
        found = library.article_page(
            ledger, words=words, without_questions=which == SHELVES[1], number=page_asked()
        )
    if not found.total:
        st.info(
            "No articles match."
            if words or which == SHELVES[1]
            else "No articles yet. Paste one above, or enter its web address."
        )
        return
    st.caption(counted(found.total, "article"))
    for article, questions in found.articles:
        with st.container(gap=None):
            article_link(article)
            asked = counted(questions, "question") if questions else "no questions yet"
            date_of = published(article.published_at) or "no date"
            st.caption(dotted(article.publisher, date_of, asked))
    if found.pages > 1:
        st.pagination(found.pages, key="page", bind="query-params")


def one(number: int) -> None:
    """Show a stored article: its drafts, the form for the chosen draft, and the text."""
    with reading() as ledger:
        article = library.find_article(ledger, number)
        asked = sources.questions_from(ledger, article, now=moment)
    st.page_link("app_pages/articles.py", label="← All articles")
    st.title(as_text(shortened(article.title, 200)), anchor=False)
    date_of = published(article.published_at) or "no date"
    captured = f"captured {day(article.captured_at)}"
    st.caption(dotted(article.publisher, article.author, date_of, captured))
    if article.url:
        st.markdown(link(article.url, article.url))
    drafts = drafts_of(article)
    used = {source.quote for source, _ in asked}
    if asked:
        label = f"{counted(len(asked), 'question')} from this article"
        with st.expander(label, expanded=len(asked) <= 3):
            for _, state in asked:
                with st.container(gap=None):
                    question_link(state)
                    st.caption(f"{state.status} · {closing(state.text, moment)}")
    choice, work = st.columns([1, 1], gap="large")
    with choice:
        draft = pick(article, drafts, used)
    with work:
        register(article, draft, used)
    st.header("Text", anchor=False)
    with st.container(width=760):
        if not article.text:
            st.caption("The ledger has only the address of this article, not its text.")
        if draft is None:
            st.markdown(paragraphs(article.text))
        else:
            st.markdown("\n\n".join(marked(article.text, draft.start, draft.end)))


def pick(article: Article, drafts: list[Draft], used: set[str]) -> Draft | None:
    """Show the possible questions; return the chosen draft, or None for the reader's own."""
    st.header("Possible questions", anchor=False)
    if not drafts:
        st.caption("None found. You can still write your own question about the text.")
        return None
    if article.published_at is None:
        st.caption(
            "The article has no date, so deadlines count from the day of capture, "
            f"{day(article.captured_at)}."
        )
    labels = [
        ("✓ " if draft.quote in used else "") + as_text(shortened(draft.quote, 140))
        for draft in drafts
    ]
    labels.append("My own question")
    deadlines = [
        "no deadline in the text" if draft.close_date is None else f"by {day(draft.close_date)}"
        for draft in drafts
    ]
    long = len(drafts) > 6
    with st.container(height=520 if long else "content", border=long):
        unused = (place for place, draft in enumerate(drafts) if draft.quote not in used)
        place = st.radio(
            "Sentence",
            range(len(drafts) + 1),
            index=next(unused, 0),
            format_func=lambda place: labels[place],
            captions=[*deadlines, ""],
            key=f"draft-{len(used)}",  # after one is used, the next one is preselected
            label_visibility="collapsed",
        )
    return drafts[place] if place < len(drafts) else None


def register(article: Article, draft: Draft | None, used: set[str]) -> None:
    """Show the chosen sentence in context, and the form that registers a question from it."""
    st.header("New question", anchor=False)
    if draft is None:
        ask_form(f"article-{article.id}", Suggestion(article=article.id))
        return
    with st.container(border=True):
        shown, place = excerpt(article.text, draft.start, draft.end)
        st.markdown("\n\n".join(marked(shown, place, place + len(draft.quote))))
    if draft.quote in used:
        st.caption("This sentence already has a question. You can ask another one.")
    if draft.close_date is None:
        st.caption("The sentence gives no deadline. Choose the last day of forecasting below.")
    elif draft.close_date < moment.date():
        st.caption(f"The deadline in the text, {day(draft.close_date)}, has passed.")
    suggestion = Suggestion(draft.question, draft.close_date, article.id, draft.source)
    ask_form(f"draft-{article.id}-{draft.start}", suggestion)


def everything() -> None:
    """Show the capture form, the capture under review, and the stored articles."""
    st.title("Articles", anchor=False)
    with reading() as ledger:
        rights = roles.member_rights(ledger, current_member(ledger), now=moment)
    if not rights.allows(Action.capture):
        st.info("You can read the articles. Capturing one requires the forecaster role.")
        shelf()
        return
    st.header("Capture an article", anchor=False)
    capture_form()
    captured = review.captured
    if captured is not None and not memory().done[stored_name(captured)]:
        correct(captured)
    shelf()


chosen = st.query_params.get("article", "")
if chosen.isdecimal():
    one(int(chosen))
else:
    everything()
