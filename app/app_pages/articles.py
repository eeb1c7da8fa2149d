"""Articles: read a page, put its split right, store it, and make questions of its sentences."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time

import streamlit as st

from app.asking import Suggestion, ask_form
from app.session import Captured, act, memory, now, reading, settings, shown_errors
from app.words import as_text, closing, counted, day, link, link_to, marked, published, shortened
from forecasts.articles import library
from forecasts.articles.article import CapturedArticle, merge
from forecasts.articles.capture import capture, capture_bytes, capture_text
from forecasts.articles.drafts import Draft, draft_questions
from forecasts.errors import CaptureError
from forecasts.models import Article
from forecasts.questions import Stands

PER_PAGE = 20
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
    with shown_errors(), st.spinner("Reading …"):
        if way == "Pasted text":
            found = capture_text(pasted, captured_at=at)
        elif way == "Web address":
            found = capture(
                web_address(address),
                captured_at=at,
                allow_private=settings().allow_private_addresses,
            )
        elif upload is not None:
            found = capture_bytes(upload.getvalue(), captured_at=at)
        else:
            raise CaptureError("No file was chosen.", remedy="Choose an HTML or a text file.")
        remembered.hold(found, at)


def web_address(typed: str) -> str:
    """Return the address; CaptureError for anything else, a file of the server's above all."""
    typed = typed.strip()
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


def correct(captured: Captured) -> None:
    """Show what was read, each part open to correction, and store what is kept."""
    st.header("What was read", anchor=False)
    st.caption(
        f"{counted(len(captured.articles), 'article')}, nothing stored yet. Put right what is "
        "wrong: everything here can be edited."
    )
    edited = [part(captured, place) for place in range(len(captured.articles))]
    kept = [
        article
        for place, article in enumerate(edited)
        if st.session_state[field(captured, place, "keep")]
    ]
    with st.container(horizontal=True):
        store = st.button(
            f"Store {counted(len(kept), 'article')}",
            type="primary",
            disabled=not kept,
            key="store",
        )
        if st.button("Discard", key="discard"):
            remembered.captured = None
            st.rerun()
    if store:
        with act(stored_name(captured)) as doing:
            stored = library.store(
                doing.ledger, kept, member=doing.member, captured_at=captured.seen
            )
            new = sum(is_new for _, is_new in stored)
            known = len(stored) - new
            doing.say(
                f"Stored {counted(new, 'article')}."
                + (f" {counted(known, 'article')} stood here already." if known else "")
            )
            first, _ = stored[0]
            doing.go("app_pages/articles.py", {"article": str(first.id)})


def stored_name(captured: Captured) -> str:
    """Return the name of the act that stores this reading; once done, it is shown no more."""
    return f"store-{captured.number}"


def field(captured: Captured, place: int, name: str) -> str:
    """Return the key of one field of one article of this reading."""
    return f"captured-{captured.number}-{place}-{name}"


def part(captured: Captured, place: int) -> CapturedArticle:
    """Show one article that was read; return it as it is edited."""
    article = captured.articles[place]
    with st.expander(
        f"**{place + 1}. {as_text(shortened(article.title, 100))}** · "
        f"{counted(len(article.text.split()), 'word')}",
        expanded=len(captured.articles) <= 3,
    ):
        st.checkbox("Keep this article", value=True, key=field(captured, place, "keep"))
        title = st.text_input("Title", value=article.title, key=field(captured, place, "title"))
        left, right = st.columns(2)
        publisher = left.text_input(
            "Publisher", value=article.publisher or "", key=field(captured, place, "publisher")
        )
        appeared = right.date_input(
            "Published",
            value=None if article.published_at is None else article.published_at.date(),
            min_value=date.min,
            max_value=date.max,
            format="YYYY-MM-DD",
            key=field(captured, place, "published"),
            help="Deadlines such as “this fall” count from this day.",
        )
        text = st.text_area(
            "Text", value=article.text, height=240, key=field(captured, place, "text")
        )
        edited = replace(
            article,
            title=" ".join((title or "").split()) or article.title,
            publisher=(publisher or "").strip() or None,
            published_at=published_on(appeared, article.published_at),
            text=(text or "").strip(),
        )
        if place and st.button(
            "Merge with the one before",
            key=field(captured, place, "merge"),
            help="Where one article was taken for two.",
        ):
            articles = list(captured.articles)
            articles[place - 1 : place + 1] = [merge(edited_before(captured, place), edited)]
            remembered.hold(articles, captured.seen)
            st.rerun()
    return edited


def edited_before(captured: Captured, place: int) -> CapturedArticle:
    """Return the article before this one with the title and the text as edited."""
    before = captured.articles[place - 1]
    return replace(
        before,
        title=st.session_state[field(captured, place - 1, "title")] or before.title,
        text=st.session_state[field(captured, place - 1, "text")].strip(),
    )


def published_on(picked: date | None, known: datetime | None) -> datetime | None:
    """Return the day picked; the known time where that is of the same day."""
    if picked is None:
        return None
    if known is not None and known.date() == picked:
        return known
    return datetime.combine(picked, time(), UTC)


def shelf() -> None:
    """Show the stored articles, the newest first."""
    with reading() as ledger:
        articles = library.listing(ledger)
        counts = library.question_counts(ledger)
    st.header("Stored articles", anchor=False)
    if not articles:
        st.info("No articles yet. Paste one above, or give its web address.")
        return
    pages = max(1, -(-len(articles) // PER_PAGE))
    place = st.pagination(pages, key="page", bind="query-params") if pages > 1 else 1
    for article in articles[(place - 1) * PER_PAGE : place * PER_PAGE]:
        with st.container(gap=None):
            st.page_link(
                "app_pages/articles.py",
                label=as_text(article.title),
                query_params={"article": str(article.id)},
            )
            known = [
                as_text(article.publisher or ""),
                published(article.published_at),
                counted(counts.get(article.id or 0, 0), "question"),
            ]
            st.caption(" · ".join(part for part in known if part))


def one(number: int) -> None:
    """Show a stored article beside its drafts."""
    with reading() as ledger:
        article = library.article_numbered(ledger, number)
        asked = library.questions_of(ledger, article, now=moment)
    st.page_link("app_pages/articles.py", label="← All articles")
    st.title(as_text(article.title), anchor=False)
    known = [
        as_text(article.publisher or ""),
        as_text(article.author or ""),
        published(article.published_at),
        f"captured {day(article.captured_at)}",
    ]
    st.caption(" · ".join(part for part in known if part))
    if article.url:
        st.markdown(link(article.url, shortened(article.url, 80)))
    drafts = draft_questions(
        article.text, published_at=(article.published_at or article.captured_at).date()
    )
    done = {source.quote: stands for source, stands in asked}
    text, side = st.columns([1, 1], gap="large")
    with side:
        if asked:
            with st.expander(
                f"{counted(len(asked), 'question')} from this article", expanded=len(asked) <= 3
            ):
                for _, stands in asked:
                    question_line(stands)
        draft = pick(drafts, done)
        if draft is not None:
            register(article, draft, done)
    with text:
        st.header("Text", anchor=False)
        if draft is not None:
            st.caption("The chosen sentence is marked.")
        for paragraph in (
            marked(article.text, draft.start, draft.end)
            if draft
            else [as_text(part) for part in article.text.split("\n\n")]
        ):
            st.markdown(paragraph)


def question_line(stands: Stands) -> None:
    """Show a question that the article has, as a way to its page."""
    with st.container(gap=None):
        st.page_link(
            "app_pages/question.py",
            label=as_text(stands.text.title),
            query_params=link_to(stands.question),
        )
        st.caption(f"{stands.status} · {closing(stands.text, moment)}")


def pick(drafts: list[Draft], done: dict[str, Stands]) -> Draft | None:
    """Show the sentences that look ahead; return the one chosen."""
    st.header("Sentences that look ahead", anchor=False)
    if not drafts:
        st.caption("No sentence here looks ahead. You can still ask a question of your own.")
        st.page_link(
            "app_pages/questions.py",
            label="Ask a question",
            query_params={"view": "Ask a question"},
        )
        return None
    place = st.radio(
        "Sentence",
        range(len(drafts)),
        format_func=lambda i: (
            ("✓ " if drafts[i].quote in done else "") + as_text(shortened(drafts[i].quote, 140))
        ),
        captions=[as_text(draft_caption(draft)) for draft in drafts],
        key="draft",
        label_visibility="collapsed",
    )
    return drafts[place or 0]


def draft_caption(draft: Draft) -> str:
    """Return the deadline that the sentence gives, for a person."""
    return "no deadline in the text" if draft.close_date is None else f"by {day(draft.close_date)}"


def register(article: Article, draft: Draft, done: dict[str, Stands]) -> None:
    """Show the form that makes a question of the draft."""
    st.header("Make it a question", anchor=False)
    if draft.quote in done:
        st.caption("There is a question from this sentence already; another one may be asked.")
    if draft.close_date is not None and draft.close_date < moment.date():
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


chosen = st.query_params.get("article", "")
if chosen.isdecimal():
    one(int(chosen))
    st.stop()
st.title("Articles", anchor=False)
read_form()
reading_now = remembered.captured
if reading_now is not None and not remembered.done[stored_name(reading_now)]:
    correct(reading_now)
shelf()
