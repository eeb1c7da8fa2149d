"""Articles: read a page, put its split right, store it, and make questions of its sentences."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import streamlit as st

from app.forms.capture_review import correct, stored_name
from app.forms.question import Suggestion, ask_form
from app.markdown_text import (
    as_text,
    closing,
    counted,
    day,
    link,
    marked,
    paragraphs,
    published,
    shortened,
)
from app.session import (
    current_member,
    memory,
    now,
    reading,
    settings,
    shown_errors,
)
from app.views.links import page_asked, question_link
from forecasts.access import roles
from forecasts.access.roles import Action
from forecasts.articles import library
from forecasts.articles.capture import capture, capture_bytes, capture_text
from forecasts.articles.drafting.drafts import Draft
from forecasts.articles.text_quotes import excerpt
from forecasts.common.errors import CaptureError
from forecasts.ledger.models import Article
from forecasts.questions import sources
from forecasts.questions.standing import Stands

SHELVES = ("All", "Inbox: no question yet")
WAYS = ("Pasted text", "Web address", "File")

moment = now()
remembered = memory()


def read_form() -> None:
    """Show the three ways to hand a page over, and read what was handed over."""
    way = st.segmented_control(
        "Source", WAYS, default=WAYS[0], required=True, key="way", label_visibility="collapsed"
    )
    with st.form("read"):
        pasted, address, upload = "", "", None
        if way == "Pasted text":
            pasted = st.text_area(
                "Text",
                key="pasted",
                height=180,
                placeholder="Paste an article, or a whole page with several",
            )
        elif way == "Web address":
            address = st.text_input("Web address", key="address", placeholder="https://…")
        else:
            upload = st.file_uploader("HTML or text file", type=["html", "htm", "txt"])
        seen = st.date_input(
            "Seen on",
            value=moment.date(),
            min_value=date.min,  # without it, Streamlit offers ten years only
            max_value=moment.date(),
            format="YYYY-MM-DD",
            width=220,
            help="The day on which you saw the page (UTC): “2 days ago” counts from it.",
        )
        submitted = st.form_submit_button("Read", type="primary", key="read-go")
    if not submitted:
        return
    at = seen_at(seen)
    left_out: list[str] = []
    with shown_errors(), st.spinner("Reading …"):
        if way == "Pasted text":
            found = capture_text(pasted, captured_at=at, tell=left_out.append)
        elif way == "Web address":
            found = capture(
                web_address(address),
                captured_at=at,
                allow_private=settings().allow_private_addresses,
                tell=left_out.append,
            )
        elif upload is not None:
            found = capture_bytes(upload.getvalue(), captured_at=at, tell=left_out.append)
        else:
            raise CaptureError("No file was chosen.", remedy="Choose an HTML or a text file.")
        remembered.hold(found, at)
        for sentence in left_out:
            st.info(as_text(sentence))


def web_address(typed: str) -> str:
    """Return the address; CaptureError for anything else, a file of the server's above all."""
    typed = typed.strip()
    if not typed:
        raise CaptureError("No web address was given.", remedy="Write or paste one.")
    if not typed.startswith(("http://", "https://")):
        raise CaptureError(
            f"{typed!r} is not a web address.", remedy="It begins with https:// or http://."
        )
    return typed


def seen_at(seen: date | None) -> datetime:
    """Return the moment from which relative dates count: now, or noon of an earlier day."""
    if seen is None or seen >= moment.date():
        return moment
    return datetime.combine(seen, time(12), UTC)


def shelf() -> None:
    """Show the stored articles, a page at a time, the newest first."""
    st.header("Stored articles", anchor=False)
    with st.container(horizontal=True, vertical_alignment="top", key="shelf-filters"):
        words = st.text_input(
            "Search",
            key="words",
            type="search",
            placeholder="Words of the title, publisher or text",
            bind="query-params",
        )
        which = st.segmented_control(
            "Which", SHELVES, default=SHELVES[0], required=True, key="shelf", bind="query-params"
        )
    with reading() as ledger:
        found = library.shelf(
            ledger, words=words or "", unasked=which == SHELVES[1], number=page_asked()
        )
    if not found.passing:
        st.info(
            "No article fits."
            if words or which == SHELVES[1]
            else "No articles yet. Paste one above, or give its web address."
        )
        return
    st.caption(counted(found.passing, "article"))
    for article, questions in found.articles:
        with st.container(gap=None):
            st.page_link(
                "app_pages/articles.py",
                label=as_text(article.title),
                query_params={"article": str(article.id)},
            )
            known = [
                as_text(article.publisher or ""),
                published(article.published_at) or "no date",
                counted(questions, "question") if questions else "no question yet",
            ]
            st.caption(" · ".join(part for part in known if part))
    if found.pages > 1:
        st.pagination(found.pages, key="page", bind="query-params")


def one(number: int) -> None:
    """Show a stored article: its drafts, the chosen one in its place, the form, and the text."""
    with reading() as ledger:
        article = library.article_numbered(ledger, number)
        asked = sources.questions_of(ledger, article, now=moment)
    st.page_link("app_pages/articles.py", label="← All articles")
    st.title(as_text(shortened(article.title, 200)), anchor=False)
    known = [
        as_text(article.publisher or ""),
        as_text(article.author or ""),
        published(article.published_at) or "no date",
        f"captured {day(article.captured_at)}",
    ]
    st.caption(" · ".join(part for part in known if part))
    if article.url:
        st.markdown(link(article.url, article.url))
    drafts = library.drafts_of(article)
    done = {source.quote for source, _ in asked}
    if asked:
        with st.expander(
            f"{counted(len(asked), 'question')} from this article", expanded=len(asked) <= 3
        ):
            for _, stands in asked:
                question_line(stands)
    choice, work = st.columns([1, 1], gap="large")
    with choice:
        draft = pick(article, drafts, done)
    with work:
        register(article, draft, done)
    st.header("Text", anchor=False)
    with st.container(width=760):
        if not article.text:
            st.caption("Only the address of this article is known: there is no text to read.")
        if draft is None:
            st.markdown(paragraphs(article.text))
        else:
            st.markdown("\n\n".join(marked(article.text, draft.start, draft.end)))


def question_line(stands: Stands) -> None:
    """Show a question that the article has, as a way to its page."""
    with st.container(gap=None):
        question_link(stands)
        st.caption(f"{stands.status} · {closing(stands.text, moment)}")


def pick(article: Article, drafts: list[Draft], done: set[str]) -> Draft | None:
    """Show the sentences that look ahead; return the chosen one, None for none of them."""
    st.header("Sentences that look ahead", anchor=False)
    if not drafts:
        st.caption("None was found here. You can still ask a question of your own about the text.")
        return None
    if article.published_at is None:
        st.caption(
            "The article has no date: deadlines in it count from the day of capture, "
            f"{day(article.captured_at)}."
        )
    long = len(drafts) > 6
    with st.container(height=520 if long else "content", border=long):
        unused = (place for place, draft in enumerate(drafts) if draft.quote not in done)
        place = st.radio(
            "Sentence",
            range(len(drafts) + 1),
            index=next(unused, 0),
            format_func=lambda place: (
                ("✓ " if drafts[place].quote in done else "")
                + as_text(shortened(drafts[place].quote, 140))
                if place < len(drafts)
                else "None of these: a question of my own"
            ),
            captions=[*(as_text(draft_caption(draft)) for draft in drafts), ""],
            key=f"draft-{len(done)}",  # once one is used, the next one is offered
            label_visibility="collapsed",
        )
    return drafts[place] if place < len(drafts) else None


def draft_caption(draft: Draft) -> str:
    """Return the deadline that the sentence gives, for a person."""
    return "no deadline in the text" if draft.close_date is None else f"by {day(draft.close_date)}"


def register(article: Article, draft: Draft | None, done: set[str]) -> None:
    """Show the chosen sentence among its neighbours, and the form that makes a question of it."""
    st.header("Make it a question", anchor=False)
    if draft is None:
        ask_form(f"article-{article.id}", Suggestion(article=article.id))
        return
    with st.container(border=True):
        shown, place = excerpt(article.text, draft.start, draft.end)
        st.markdown("\n\n".join(marked(shown, place, place + len(draft.quote))))
    if draft.quote in done:
        st.caption("There is a question from this sentence already; another one may be asked.")
    if draft.close_date is None:
        st.caption("The sentence names no deadline: say below until when the question is open.")
    elif draft.close_date < moment.date():
        st.caption(f"The deadline in the text, {day(draft.close_date)}, has passed.")
    ask_form(
        f"draft-{article.id}-{draft.start}",
        Suggestion(
            title=draft.question,
            closes=draft.close_date,
            article=article.id,
            quote=draft.quote,
            prefix=draft.prefix,
            suffix=draft.suffix,
        ),
    )


def everything() -> None:
    """Show the form to read a page with, what was read and is not stored yet, and what is."""
    st.title("Articles", anchor=False)
    with reading() as ledger:
        rights = roles.rights_of(ledger, current_member(ledger), now=moment)
    if not rights.allow(Action.capture):
        st.info("You may read the articles here. To capture one takes a forecaster’s role.")
        shelf()
        return
    st.header("Capture an article", anchor=False)
    read_form()
    reading_now = remembered.captured
    if reading_now is not None and not remembered.done[stored_name(reading_now)]:
        correct(reading_now)
    shelf()


chosen = st.query_params.get("article", "")
if chosen.isdecimal():
    one(int(chosen))
else:
    everything()
