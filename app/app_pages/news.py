"""News: new articles by the questions that they bear on, possible new questions, and the feeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import streamlit as st

from app import session
from app.components.scripts import mount_keyboard
from app.forms.drafts import Drafted, possible_questions, with_twins
from app.forms.forecast import forecast_act, forecast_form
from app.markdown_text import as_text, closing, dotted, page_reference, quoted, shortened, span
from app.session import Undo, act, form, form_key
from app.times import published, when
from app.views.empty import empty
from app.views.widgets import page_link, progress, question_link, shown_page, titled
from forecasts.access import roles
from forecasts.access.roles import Action
from forecasts.articles import library
from forecasts.common.text import count
from forecasts.ledger.models import Article, FeedKeep
from forecasts.news import feeds, inbox, matches, reading, sources
from forecasts.news.inbox import Report, Subject, Waiting
from forecasts.resolution import proposals
from forecasts.scores.crowd_moves import crowd_moves

AT_ONCE = 4  # questions, on a page of the list: each form costs some hundredths of a second
REPORTS = 3  # articles of a question
FEEDS = 20  # on a page of the list
ARTICLES = 5  # on a page, with their possible questions
DRAFTS = 2  # of an article
PASSAGE = 240  # characters
REFUSED = 5  # addresses that are named

CHANGES: dict[str, tuple[Callable[..., object], str]] = {
    "Pause": (feeds.pause, "Paused: {}."),
    "Resume": (feeds.resume, "Resumed: {}."),
    "Try again": (feeds.resume, "The next run reads it: {}."),
    "Only matches": (
        partial(feeds.keep, which=FeedKeep.matched),
        "Only its articles on open questions are listed: {}.",
    ),
    "List all": (partial(feeds.keep, which=FeedKeep.all), "All of its articles are listed: {}."),
    "Remove": (feeds.remove, "Removed: {}. Its articles are kept."),
}

moment = session.now()


def about(title: str, waiting: Sequence[Waiting]) -> list[tuple[str, str]]:
    """Show questions with the articles that bear on them; return their forms' keys and titles."""
    titled(title, count(len(waiting), "question") if waiting else "nothing new")
    shown = shown_page(waiting, f"news-{title}", AT_ONCE)
    with session.reading() as ledger:
        page = inbox.subjects(ledger, shown, now=moment, texts=REPORTS)
        mine = [(one.state.text, one.forecast) for one in page if one.forecast is not None]
        moves = crowd_moves(ledger, mine, now=moment)
    placed = session.in_place(title, {one.state.slug: one for one in page})
    for one in placed:
        with st.container():
            if one is not None:
                move = moves.get(one.state.id)
                crowd = "" if move is None else f"the crowd moved: {move.before} → {move.now}"
                card(one, crowd)
    return [(forecast_act(one.state), one.state.text.title) for one in placed if one is not None]


def card(one: Subject, crowd: str) -> None:
    """Show a question, the articles that bear on it, and the form for a forecast that cites one."""
    with st.container(border=True, gap="xsmall", key=f"news-{one.state.slug}"):
        question_link(one.state)
        made = one.forecast and one.forecast.made_at
        own = f"you forecast {span(moment - made)} ago" if made else ""
        st.caption(dotted(own, crowd, closing(one.state.text, moment)))
        for report in one.reports[:REPORTS]:
            suggested(one, report)
        if len(one.reports) > REPORTS:
            st.caption(f"{count(len(one.reports) - REPORTS, 'more article')}")
        if rights.allows(Action.forecast):
            articles = [report.article for report in one.reports[:REPORTS]]
            forecast_form(one.state, one.forecast, articles, quick=True, cites=articles[0].address)


def suggested(one: Subject, report: Report) -> None:
    """Show why an article bears on a question, and the ways to dismiss it."""
    article, suggestion = report.article, report.suggestion
    with st.container(gap=None):
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.markdown(named(article, report.others), width="content")
            if rights.allows(Action.forecast):
                with st.popover("Dismiss", type="tertiary", width="content"):
                    words = as_text(", ".join(suggestion.words))
                    st.caption(f"Shared words: {words}.")
                    dismissal(one, article, "Dismiss this article", kind=False)
                    dismissal(one, article, "Dismiss all with only these words", kind=True)
        st.caption(f"“{as_text(shortened(suggestion.passage, PASSAGE))}”")
        if suggestion.told:
            decides(one, report)


def decides(one: Subject, report: Report) -> None:
    """Show the sentence that seems to say yes, and the button that proposes that outcome."""
    article, told = report.article, report.suggestion.told
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.markdown(f"**Seems to say yes:** “{as_text(shortened(told, PASSAGE))}”", width="stretch")
        key = form_key(f"propose-{one.state.slug}-{article.id}")
        if rights.allows(Action.propose) and st.button(
            "Propose yes", help="Someone who may resolve the question decides.", key=f"{key}-yes"
        ):
            with act(key) as doing:
                proposals.propose(
                    doing.ledger,
                    one.state.question,
                    "yes",
                    note=f"“{told}” ({article.title})",
                    source=article.url or "",
                    known_at=min(article.published_at or article.captured_at, doing.now),
                    **doing.by,
                )
                doing.say(f"Proposed: yes on {quoted(one.state.text.title)}.")


def dismissal(one: Subject, article: Article, label: str, *, kind: bool) -> None:
    """Show the button that dismisses an article for a question."""
    key = form_key(f"dismiss-{one.state.slug}-{article.id}")
    if st.button(label, key=f"{key}-{'kind' if kind else 'one'}", type="tertiary"):
        question, by = one.state.question, quoted(one.state.text.title, 80)

        def undo() -> None:
            with act(form_key(f"reopen-{one.state.slug}-{article.id}")) as doing:
                row = library.find_article(doing.ledger, article.id)
                inbox.reopen(doing.ledger, question, row, **doing.by)
                doing.say(f"The article is back for {by}.")

        with act(key) as doing:
            row = library.find_article(doing.ledger, article.id)
            inbox.dismiss(doing.ledger, question, row, kind=kind, **doing.by)
            doing.say(f"Dismissed for {by}.", Undo("Suggests the article again.", undo))


def named(article: Article, others: int) -> str:
    """Return an article's title as a link to it, with its publisher and day, as Markdown."""
    title = page_reference("articles", shortened(article.title, 120), article=article.id)
    more = f"and {count(others, 'similar report')}" if others else ""
    said = dotted(article.publisher, published(article.published_at), more)
    return f"{title} · {said}" if said else title


def other_articles(others: Sequence[tuple[Article, int]]) -> None:
    """Show the newest other articles, each with the questions that it could become."""
    titled("Other articles", count(len(others), "article"))
    page = shown_page(others, "news-others", ARTICLES)
    with session.reading() as ledger:
        ids = [article.id for article, _ in page] if rights.allows(Action.ask) else []
        found = inbox.drafts_in(ledger, ids, now=moment)
        drafts = {
            id_: [
                (draft, twin)
                for draft, twin in with_twins(ledger, [draft for _, draft in some])
                if twin is None
            ][:DRAFTS]
            for id_, some in found.items()
        }
    for article, like in page:
        with st.container(gap="xsmall"):
            st.markdown(f"**{named(article, like)}**")
            if drafts.get(article.id):
                name, number = article.content_hash[:12], article.id
                drafted = Drafted(
                    name, f"news-{name}", drafts[number], 0, partial(stored, number), listed=True
                )
                possible_questions(drafted)


def stored(number: int, _: session.Act) -> int:
    """Return the number of an article that is stored already."""
    return number


def compare(many: int) -> None:
    """Show the button that compares all articles with the questions, as the next run does."""
    more = count(many, "more article")
    if st.button(f"Compare {more} with the questions", key="compare-news"):
        with session.shown_errors(), st.spinner("Comparing …"):
            matches.catch_up_apart(session.engine(), clock=session.now, now=session.now())
            st.rerun()


def my_feeds(*, opened: bool) -> None:
    """Show the member's feeds with their state, and the form that adds one."""
    with session.reading() as ledger:
        own = feeds.listing(ledger, member=session.current_member(ledger))
    failed = sum(bool(one.reason) for one in own)
    label = count(len(own), "feed") + (f", {failed} failed" if failed else "")
    with st.expander(label if own else "Feeds", expanded=opened or bool(failed)):
        with form("add-feed", row=True) as key:
            address = st.text_input(
                "Site or feed",
                placeholder="https://news.example",
                help="A website (its feed is found for you), a feed or a news sitemap.",
                key=f"{key}-address",
            )
            added = st.form_submit_button("Add feed", key=f"{key}-save")
        if added:
            add(key, address)
        failed_first = sorted(own, key=lambda one: not one.reason)
        for one in shown_page(failed_first, "news-feeds", FEEDS):
            with st.container(horizontal=True, gap="small", vertical_alignment="center"):
                read = "not read yet" if one.read_at is None else f"read {when(one.read_at)}"
                paused = "paused" if one.paused else ""
                said = dotted(paused, read, count(one.articles, "article"), one.reason)
                title = as_text(shortened(one.title, 100))
                st.markdown(f"**{title}** · {said}", width="stretch")
                change(one, "Resume" if one.paused else "Try again" if one.reason else "Pause")
                change(one, "Only matches" if one.keep is FeedKeep.all else "List all")
                change(one, "Remove")
        if own and st.button("Read now", key="read-feeds"):
            read_now()


def add(key: str, address: str) -> None:
    """Add the feeds at an address, which is fetched first, outside any transaction; read them."""
    allowed = session.settings().allow_private_addresses
    with session.shown_errors():
        with st.spinner("Looking for a feed …"):
            with session.reading() as ledger:
                shared = roles.is_shared_ledger(ledger)
            how: Any = {"now": moment, "allow_private": allowed, "shared": shared}
            found = sources.find_feeds(address.strip(), **how)
        with act(key, goes_on=True) as doing:
            added = feeds.add_all(doing.ledger, found, allow_private=allowed, **doing.by)
            if not added.feeds and added.refused:
                raise added.refused[0][1]
        if form_key("add-feed") != key:  # else it is shown why not
            problems = "".join(
                f"Not added: {shortened(address, 80)}: {error} "
                for address, error in added.refused[:REFUSED]
            )
            if more := len(added.refused[REFUSED:]):
                problems += f"{count(more, 'more address', 'more addresses')} not added. "
            said = ""
            for word, wanted in (("Added", True), ("Already added", False)):
                named = [one.title for one, is_new in added.feeds if is_new is wanted]
                said += f"{word}: {shortened(', '.join(named), 100)}. " if named else ""
            read_now(said + problems)


def change(one: feeds.FeedInfo, label: str) -> None:
    """Show the button that pauses, resumes or removes a feed."""
    key = form_key(f"feed-{label}-{one.address}")
    help_ = "Lists only its articles on open questions." if label == "Only matches" else None
    if st.button(label, key=f"{key}-go", type="tertiary", help=help_):
        with act(key) as doing:
            verb, done = CHANGES[label]
            verb(doing.ledger, one.address, **doing.by)
            doing.say(f"{done.format(shortened(one.title, 80))}")


def read_now(added: str = "") -> None:
    """Read the member's feeds; then say how many articles came."""
    help_ = "Articles that came so far are kept."
    with session.shown_errors(), progress("Reading feeds", help_) as show:
        with act(form_key("make-feeds-due"), goes_on=True) as doing:
            reading.make_due(doing.ledger, None, **doing.by)
        due, read = 0, 0

        def on_start(many: int) -> None:
            nonlocal due
            due = many

        def on_result(result: reading.Result) -> None:
            nonlocal read
            read += 1
            show(as_text(result.title), read / due)

        summary = reading.read_due(
            session.engine(),
            now=session.now(),
            clock=session.now,
            on_start=on_start,
            on_result=on_result,
            allow_private=session.settings().allow_private_addresses,
            member=member,
        )
        came = f"{count(read, 'feed')} read, {count(summary.articles, 'new article')}."
        if summary.problems:
            came += f" {count(summary.problems, 'feed')} failed: see the list."
        session.memory().confirm(added + came, session.now())
    st.rerun()


st.title("News", anchor=False)
with session.reading() as ledger:
    member = session.current_member(ledger)
    rights = roles.member_rights(ledger, member, now=moment)
    news = inbox.overview(ledger, member, now=moment)
has_articles = bool(news.waiting or news.others)
if not has_articles:
    with empty("articles", "No news yet. Add a feed, and its articles appear here."):
        page_link("articles", "Or paste an article")
if rights.allows(Action.capture):
    my_feeds(opened=not has_articles)
if has_articles:
    if news.uncompared and rights.allows(Action.capture):
        compare(news.uncompared)
    lists = [
        about("On your questions", [one for one in news.waiting if one.forecast is not None]),
        about("On other questions", [one for one in news.waiting if one.forecast is None]),
    ]
    mount_keyboard("news", lists)
    other_articles(news.others)
