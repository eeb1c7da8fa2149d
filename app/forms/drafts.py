"""The possible questions of an article: correct and forecast them, register one or several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

import streamlit as st
from sqlmodel import Session
from streamlit.delta_generator import DeltaGenerator

from app.components.scripts import focus_on
from app.forms.by_model import dismissal
from app.forms.coherence import in_words, offer_order, require_seen
from app.forms.dates import choose_meaning, future_date
from app.forms.question import asked_message, criteria_field, require_title, undo_of
from app.forms.wording_advice import wording_advice
from app.markdown_text import as_text, quoted, shortened
from app.session import Act, act, form_key, lowest_probability, now
from app.times import day, local_day, zone
from app.views.widgets import question_link, titled
from forecasts.articles.drafts import Draft
from forecasts.common.errors import BadInput, LedgerError
from forecasts.common.text import count
from forecasts.ledger.models import Question, QuestionText, QuestionType
from forecasts.proposals.decisions import decide, is_changed
from forecasts.proposals.questions import ProposedDraft
from forecasts.questions import registry
from forecasts.questions.groups import member_title
from forecasts.questions.passages import find_passage
from forecasts.questions.same_questions import find_duplicates
from forecasts.questions.standing import QuestionState
from forecasts.reading.drafting.deadlines import find_deadlines
from forecasts.reading.drafting.intervals import long_date
from forecasts.reading.drafting.strength import Strength
from forecasts.updates.ask import Asked, ask
from forecasts.updates.ask_group import (
    AskedGroup,
    GroupLine,
    ask_group,
    read_days,
    read_group,
    read_probabilities,
)
from forecasts.updates.typed_values import read_typed, require_offered_range
from forecasts.values.typed_dates import Doubtful, read_date
from forecasts.values.value import Value, format_probability, format_value

CARDS = 30  # shown at first, and more on each press


@dataclass(frozen=True)
class Drafted:
    """An article with its drafts that have no question yet, each with its twin in the ledger.

    ``name``: of its fields; ``act``: of the act that registers some; ``store``: gives the
    article's ID, and stores it first if it is only captured. ``listed``: among other articles, so
    without a header, without its text beside it, and the page stays.
    """

    name: str
    act: str
    drafts: Sequence[tuple[Draft, QuestionState | None]]
    registered: int
    store: Callable[[Act], int]
    listed: bool = False

    def key(self, draft: Draft) -> str:
        """Return the name of the draft's fields, and of the links between it and the text."""
        return f"draft-{self.name}-{draft.place}"


@dataclass(frozen=True)
class _Corrected:
    """A draft as corrected: texts as typed."""

    key: str
    draft: Draft
    title: str
    closes: str
    value: str
    criteria: str
    fine_print: str

    def text(self, moment: datetime) -> QuestionText:
        """Return the question; BadInput names a missing part."""
        title = require_title(self.title)
        if not self.closes.strip():
            raise BadInput(
                "The sentence gives no deadline.", remedy="Type the last day: “by 31 March”."
            )
        return registry.question_text(
            title=title,
            open_time=moment,
            scheduled_close_time=future_date(self.closes, moment),
            resolution_criteria=self.criteria.strip(),
            fine_print=self.fine_print.strip(),
            **self.draft.type_fields,
        )

    def forecast(self, text: QuestionText, moment: datetime) -> Value | None:
        """Return the typed forecast, None if the field is blank."""
        if not self.value.strip():
            return None
        value = read_typed(self.value, None, text, now=moment, zone=zone())
        return require_offered_range(value, lowest_probability())

    def group(self, moment: datetime) -> GroupLine | None:
        """Return the group if the last day or the question names several; None for one."""
        if self.draft.kind is not QuestionType.binary:
            return None
        title = require_title(self.title)
        days = read_days("Will it happen", "by", self.closes, now=moment, zone=zone())
        if days:
            as_drafted = self.title == self.draft.question
            members = [
                replace(
                    one,
                    title=self.draft.question_by(local_day(one.closes))
                    if as_drafted
                    else member_title(title, one.label),
                )
                for one in days
            ]
            group = GroupLine(title, tuple(members))
        elif (read := read_group(title, now=moment, zone=zone())) is not None:
            group = read
        else:
            return None
        group = replace(group, probabilities=read_probabilities(self.value))
        if group.probabilities:
            group.require_whole()
            for p in group.probabilities:
                require_offered_range(Value(p), lowest_probability())
        return group


def with_twins(
    ledger: Session, drafts: Sequence[Draft]
) -> list[tuple[Draft, QuestionState | None]]:
    """Return each draft with the question that already asks it, if any."""
    return list(zip(drafts, find_duplicates(ledger, drafts, now=now()), strict=True))


def focus_first(article: Drafted) -> None:
    """Focus the forecast of the first draft in the next run; folded ones come last."""
    if article.drafts:
        draft, _ = min(article.drafts, key=lambda one: bool(_doubt(*one)))
        focus_on(f"act-{article.key(draft)}")


@st.fragment
def possible_questions(article: Drafted) -> None:
    """Show the drafts to correct, forecast and register; doubtful ones are folded."""
    if not article.listed:
        parts = [count(len(article.drafts), "draft")] if article.drafts else []
        parts += [f"{article.registered} registered"] if article.registered else []
        titled("Possible questions", *(parts or ["none found"]))
    if not article.drafts:
        st.caption("You can still write your own question about the text.")
        return
    clear = [one for one in article.drafts if not _doubt(*one)]
    doubtful = [one for one in article.drafts if _doubt(*one)]
    act_key = form_key(article.act)
    # Each card costs a hundredth of a second, and a long text has a thousand drafts.
    shown_key = f"drafts-{article.name}-shown"
    most: int = st.session_state.get(shown_key, CARDS)
    cards = [_card(article, act_key, *one) for one in clear[:most]]
    if (left := most - len(cards)) and doubtful:
        with st.expander(f"{len(doubtful)} doubtful", expanded=not clear):
            cards += [_card(article, act_key, *one) for one in doubtful[:left]]
    if hidden := len(article.drafts) - len(cards):
        label, args = f"Show {min(hidden, CARDS)} more", (shown_key, most + CARDS)
        st.button(label, key=f"{shown_key}-more", on_click=_show, args=args)
    if ticked := [one for one, chosen, _ in cards if chosen]:
        label = f"Register {count(len(ticked), 'selected question')}"
        if st.button(label, key=f"{act_key}-all", type="primary"):
            _register(article, act_key, ticked)
    for one, _, answer in cards:
        if answer is not None:
            with answer:
                _register(article, act_key, [one])


def _show(key: str, many: int) -> None:
    """Let the next run show so many cards."""
    st.session_state[key] = many


def _doubt(draft: Draft, twin: QuestionState | None) -> str:
    """Return why a draft is doubtful, as Markdown; '' if it is not."""
    if draft.told:
        return f"The article already tells the outcome: “{as_text(shortened(draft.told, 160))}”"
    if twin is not None:
        return "There is already a question like this:"
    return f"Weak: {as_text(draft.reason)}." if draft.strength is Strength.weak else ""


def _card(
    article: Drafted, act_key: str, draft: Draft, twin: QuestionState | None
) -> tuple[_Corrected, bool, DeltaGenerator | None]:
    """Show a draft; return it as corrected, whether it is selected, and the place of the answer.

    That is None unless it is registered now.
    """
    key = article.key(draft)
    with st.container(border=True, gap="xsmall", key=f"act-{key}"):
        with st.container(horizontal=True, gap="small"):
            label = f"Select: {as_text(shortened(draft.question or draft.quote, 60))}"
            chosen = st.checkbox(label, label_visibility="collapsed", key=f"{key}-tick")
            title = st.text_area(
                label="Question",
                height="content",
                placeholder="Will … by …?",
                label_visibility="collapsed",
                key=f"{key}-title",
                value=draft.question,
            )
        with st.container(horizontal=True, gap="small", key=f"{key}-row"):
            width: Any = 110 if draft.kind is QuestionType.binary else "stretch"
            example = _example(draft)
            value = st.text_input(
                label="Forecast",
                live=True,
                label_visibility="collapsed",
                key=f"{key}-value",
                placeholder=example,
                width=width,
            )
            closes = st.text_input(
                label="Last day",
                live=True,
                placeholder="closes",
                width=140,
                label_visibility="collapsed",
                key=f"{key}-closes",
                value="" if draft.close_date is None else draft.close_date.isoformat(),
                on_change=_reword,
                args=(key, draft),
            )
            submitted = st.button("Register", key=f"{act_key}-{draft.place}-save")
        criteria, fine_print = _words(key, draft)
        corrected = _Corrected(key, draft, title or "", closes, value, criteria, fine_print)
        answer = st.container() if submitted else None
        if answer is None:
            st.caption(_understood(corrected))
            _ask_which_day(corrected)
            _offer_each(corrected)
            with suppress(LedgerError):
                if group := corrected.group(now()):
                    offer_order(key, group, f"{key}-value", f"act-{key}")
        if doubt := _doubt(draft, twin):
            st.caption(f":orange[{doubt}]")
            if twin is not None:
                question_link(twin)
        why = "" if draft.strength is Strength.weak else f" · {as_text(draft.reason)}"
        quote = f"“{as_text(draft.quote)}”"
        is_marked = not article.listed and not isinstance(draft, ProposedDraft)
        st.caption(f"{f'[{quote}](#{key})' if is_marked else quote}{why}")
        if isinstance(draft, ProposedDraft):
            dismissal(draft)
        with (
            st.container(key=f"{key}-more"),
            st.expander("Criteria", key=f"{key}-opened", on_change="rerun") as opened,
        ):
            criteria_field(key, criteria)
            if isinstance(draft, ProposedDraft):
                field = f"{key}-fine-print"
                st.text_area("Fine print", value=draft.fine_print, key=field, height=90)
            if opened.open:  # each costs a hundredth of a second
                wording_advice(
                    key, corrected.title, scheduled_close_time=closes, **draft.type_fields
                )
    return corrected, chosen, answer


def _words(key: str, draft: Draft) -> tuple[str, str]:
    """Return the criteria and the fine print as typed; at first as a model proposes them."""
    proposed = ("", "")
    if isinstance(draft, ProposedDraft):
        proposed = (draft.criteria, draft.fine_print)
    fields = (f"{key}-criteria", f"{key}-fine-print")
    criteria, fine_print = map(st.session_state.get, fields, proposed)
    return criteria or "", fine_print or ""


def _reword(key: str, draft: Draft) -> None:
    """Name a changed last day in the question too, unless its wording was edited."""
    worded = f"{key}-worded"
    with suppress(LedgerError):
        last = read_date(st.session_state[f"{key}-closes"], now=now(), zone=zone())
        if st.session_state[f"{key}-title"] == st.session_state.get(worded, draft.question):
            new = draft.question_by(local_day(last)) if draft.question else ""
            st.session_state[f"{key}-title"] = st.session_state[worded] = new


def _example(draft: Draft) -> str:
    """Return an example of a forecast for the draft."""
    if draft.kind is QuestionType.multiple_choice and len(draft.options) > 1:
        return f"{draft.options[0]}=60%, {draft.options[1]}=40%"
    if draft.kind.is_quantitative and draft.lower_bound and draft.upper_bound:
        return "10%=…, 50%=…, 90%=…"
    return "%"


def _understood(one: _Corrected) -> str:
    """Return the forecast and the last day as read, as Markdown, or why they cannot be read."""
    try:
        moment = now()
        if group := one.group(moment):
            said = list(map(format_probability, group.probabilities))
            said = said or [""] * len(group.members)
            pairs = zip(group.members, said, strict=True)
            read = (
                f"{as_text(named.label)} **{p}**" if p else as_text(named.label)
                for named, p in pairs
            )
            return f"{len(group.members)} questions · {' · '.join(read)}"
        text = one.text(moment)
        closes = f"closes **{as_text(day(text.scheduled_close_time))}**"
        value = one.forecast(text, moment)
    except LedgerError as error:
        return as_text(str(error))
    if value is None:
        return closes
    return f"**{as_text(shortened(format_value(value, text.options), 120))}** · {closes}"


def _ask_which_day(one: _Corrected) -> None:
    """Ask for the meaning of a last day that has two; the question then names the chosen one."""
    with suppress(LedgerError):
        try:
            one.text(now())
        except Doubtful as doubt:
            reword = partial(_reword, one.key, one.draft)
            choose_meaning(doubt, f"{one.key}-closes", chosen=lambda *_: reword())


def _offer_each(one: _Corrected) -> None:
    """Offer to ask for each deadline of the sentence, where it has several."""
    found = find_deadlines(one.draft.quote, anchor=local_day(now()))
    days = list(dict.fromkeys(limit.last_day for limit in found))
    is_open = one.draft.kind is QuestionType.binary and "," not in one.closes
    if len(days) > 1 and one.draft.close_date in days and is_open:
        args = (f"{one.key}-closes", ", ".join(map(long_date, sorted(days))))
        st.button(
            f"Ask for each of {len(days)} deadlines",
            key=f"{one.key}-each",
            help="One group, with a question for each.",
            on_click=_fill,
            args=args,
        )


def _fill(field: str, text: str) -> None:
    st.session_state[field] = text


def _register(article: Drafted, key: str, chosen: Sequence[_Corrected]) -> None:
    """Register the chosen drafts in one transaction; the next one on the page is next."""
    with act(key) as doing:
        asked: list[Asked | AskedGroup] = []
        number = article.store(doing)
        for one in chosen:
            try:
                sources = [find_passage(doing.ledger, number, one.draft.source)]
                if group := one.group(doing.now):
                    require_seen(one.key, group)
                    how: Any = {"sources": sources, "origin": "app", **doing.by}
                    how["resolution_criteria"] = one.criteria.strip()
                    how["fine_print"] = one.fine_print.strip()
                    group_asked = ask_group(doing.ledger, group, **how)
                    asked.append(group_asked)
                    _decide(doing, one, group_asked.group.members[0].state.question, None)
                    continue
                text = one.text(doing.now)
                value = one.forecast(text, doing.now)
                single = ask(doing.ledger, text, value, sources=sources, origin="app", **doing.by)
                asked.append(single)
                _decide(doing, one, single.question, text)
            except LedgerError as error:
                error.message = f"{quoted(one.title, 80)}: {error.message}"
                raise
        if len(asked) == 1:
            message = _registered(asked[0])
        else:
            many = sum(one.count for one in asked)
            said = sum(one.forecasts for one in asked)
            message = f"Registered {many} questions, {said} with your forecast."
        slugs = [slug for one in asked for slug in _slugs(one)]
        doing.say(asked_message(message, *asked), undo_of(slugs))
        if not article.listed:
            doing.go("articles", {"article": str(number)})
        focus_on(f"act-{chosen[-1].key}", following=True)


def _decide(doing: Act, one: _Corrected, question: Question, text: QuestionText | None) -> None:
    """Record that a model's proposal became this question; ``text`` None: one of a group."""
    if isinstance(one.draft, ProposedDraft):
        changed = text is None or is_changed(one.draft, text)
        decide(doing.ledger, one.draft.number, question, changed=changed, **doing.by)


def _slugs(asked: Asked | AskedGroup) -> list[str]:
    if isinstance(asked, AskedGroup):
        return [one.state.slug for one in asked.group.members]
    return [asked.question.slug]


def _registered(asked: Asked | AskedGroup) -> str:
    if isinstance(asked, AskedGroup):
        message = f"Registered: {shortened(asked.group.title)} ({asked.count} questions)"
        said = in_words(asked.probabilities)
    else:
        message = f"Registered: {shortened(asked.text.title)}"
        said = ""
        if asked.forecast is not None:
            said = shortened(format_value(asked.forecast, asked.text.options), 100)
    return f"{message} Your forecast: {said}." if said else message
