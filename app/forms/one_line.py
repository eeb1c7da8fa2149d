"""The one line: a question, its last day and a probability in a row; Enter saves them.

The line may hold all three: "Will it rain in London tomorrow? 30%". Its reading is shown in the
fields beside it as it is typed, where it can be corrected; a field that was corrected counts. Of
several deadlines, "by March, June 2027? 10, 30", it makes a group.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import streamlit as st

from app import session
from app.components.scripts import focus_on, mount_keyboard
from app.forms import question
from app.forms.capture_review import Review
from app.forms.coherence import in_words, offer_order, require_seen
from app.forms.dates import choose_meaning, future_date
from app.forms.wording_advice import wording_advice
from app.markdown_text import as_text, quoted
from app.session import reading
from app.times import day, zone
from forecasts.common.errors import BadInput, DatabaseError, LedgerError
from forecasts.common.text import count
from forecasts.common.times import in_zone
from forecasts.ledger.models import QuestionType
from forecasts.questions import registry
from forecasts.updates.ask import LONGEST, Line, ask, pasted_line, read_line
from forecasts.updates.ask_group import GroupLine, ask_group, read_group, read_probabilities
from forecasts.updates.evidence_parsing import read_evidence
from forecasts.updates.typed_values import require_offered_range
from forecasts.values.asked_type import ASKED_FOR
from forecasts.values.typed_dates import Doubtful
from forecasts.values.value import Value, format_probability
from forecasts.values.value_parsing import read_percent_field

_NAME = "one-line"
_TITLE, _CLOSES, _PROBABILITY = _FIELDS = "title", "closes", "probability"
_SHOWN_FOR = timedelta(minutes=10)
_PAINTED = 0.1  # seconds in which the browser shows the answer, before it is busy with the page


@dataclass(frozen=True)
class _Typed:
    """The line with its fields as typed, before they are read."""

    line: Line
    closes: str
    probability: str

    def last_moment(self, moment: datetime) -> datetime:
        """Return when forecasting ends; BadInput without a date."""
        if self.closes:
            return future_date(self.closes, moment)
        if self.line.doubt is not None:
            raise self.line.doubt
        return question.last_moment(self.line.title, self.line.closes, moment)

    def doubt(self, moment: datetime) -> LedgerError | None:
        """Return why there is no last day, None if there is one."""
        try:
            self.last_moment(moment)
        except LedgerError as error:
            return error
        return None

    def value(self) -> float:
        """Return the probability; BadInput without one."""
        typed = self.probability or self.line.probability
        if not typed:
            raise BadInput("It has no probability yet.", remedy="Type one beside it, such as 30.")
        return read_percent_field(typed)

    def group(self, moment: datetime) -> GroupLine | None:
        """Return the group that several deadlines ask for, as corrected beside; None for one."""
        found = read_group(self.line.typed, now=moment, zone=zone())
        if found is None:
            return None
        if self.probability:
            found = replace(found, probabilities=read_probabilities(self.probability))
        if self.closes:
            days = [future_date(one, moment) for one in self.closes.split(",")]
            if len(days) != len(found.members):
                raise BadInput(
                    f"{count(len(found.members), 'deadline')} in the question, "
                    f"{len(days)} beside it.",
                    remedy="Separate them by commas.",
                )
            moved = zip(found.members, days, strict=True)
            found = replace(found, members=tuple(replace(m, closes=at) for m, at in moved))
        return found


@dataclass(frozen=True)
class _Saved:
    """The questions saved last, in words, and the fields of their line as typed."""

    slugs: tuple[str, ...]
    words: str
    typed: dict[str, str]
    at: datetime
    chosen: tuple[str, str] | None


@dataclass
class _Entry:
    """The line's memory in one browser session."""

    saved: _Saved | None = None
    fields: dict[str, str] = field(default_factory=dict)  # to put back in the next run
    is_new: bool = False  # what is saved, and the page beside the line does not show it yet
    closes: str = ""  # as filled in from the line
    probability: str = ""
    # Every text filled in since the last save: while someone types on, the browser may still send
    # one that has since been replaced.
    filled: set[str] = field(default_factory=set)
    binary: str = ""  # a title that seemed to ask for another type
    chosen: tuple[str, str] | None = None  # words with two meanings, and the day chosen for them
    refused: str | None = None  # the line that was refused last: nothing beside it says "Saved"

    def choose(self, phrase: str, meant: str) -> None:
        """Keep a day that was chosen, which may have been filled in before, for these words."""
        self.filled.discard(meant)
        self.chosen = (phrase, meant)


@st.fragment
def one_line_entry(*, example: str = "") -> None:
    """Show the line that registers and forecasts a question, and the last one saved with it.

    The confirmation and the blank line do not wait for the page, which runs again after them. The
    blank line comes first: with the old one still there, its link would ask whether to lose it.
    ``example``: a line that one click fills in, for an empty ledger.
    """
    key, entry = session.form_key(_NAME), session.page_state(_Entry)
    if session.page_state(Review).pasted:
        st.switch_page("app_pages/articles.py")
    _put_into_fields(key, entry)
    with st.container(key=f"act-{_NAME}", gap="xsmall"):
        row = st.container(key=f"{_NAME}-row", horizontal=True, gap="small")
        submitted = bool(st.session_state.get(f"{key}-save"))
        with st.container(key=f"{_NAME}-answer"):
            if submitted:
                with suppress(DatabaseError):  # it is shown
                    _save(key)
                key = session.form_key(_NAME)
                _put_into_fields(key, entry)
                with row:
                    _fields(key)
            is_fresh = entry.saved and session.now() - entry.saved.at < _SHOWN_FOR
            if entry.saved and is_fresh and _text(key, _TITLE) != entry.refused:
                _confirmation(entry.saved)
        try:
            with reading() as ledger:
                to_ask = question.teams_to_ask_in(ledger)
        except DatabaseError as error:
            if not submitted:  # else it is shown already
                session.show(error)
                with row:
                    _fields(key)  # what was typed would be lost with them
            session.retry([])
            return
        if to_ask is None:
            return
        if not submitted:
            with row:
                _fields(key)
        typed = _typed(key)
        group = _group(typed, session.now())
        if typed.line.title and not submitted:
            st.caption(_understood(typed, session.now()))
        if group is not None:
            offer_order(key, group, f"{key}-{_PROBABILITY}", f"act-{_NAME}")
        elif isinstance(doubt := typed.doubt(session.now()), Doubtful):
            choose_meaning(doubt, f"{key}-{_CLOSES}", chosen=entry.choose)
        if typed.line.type != QuestionType.binary:
            with st.container(key="goes-along"):  # by which the keyboard's script knows
                question.full_form_link(typed.line)
            args = (key, entry, typed.line.title)
            st.button("It is yes or no", key=f"{key}-binary", on_click=_take_as_binary, args=args)
        if example and not typed.line.title:
            label = f"Try: {as_text(example)}"
            st.button(label, key=f"{key}-example", on_click=_try, args=(key, example))
        with st.container(key=f"{_NAME}-more"), st.expander("Criteria, evidence, tags, team"):
            st.text_input(
                label="Evidence", placeholder="https://… or a note", key=f"{key}-evidence"
            )
            question.detail_fields(key, to_ask)
            wording_advice(
                key, typed.line.title, type=typed.line.type, scheduled_close_time=typed.closes
            )
    mount_keyboard(_NAME, longest=LONGEST, on_pasted=partial(_pasted, key))
    if entry.is_new:
        entry.is_new = False
        time.sleep(_PAINTED)
        st.rerun()


def _fields(key: str) -> None:
    """Show the three fields and the button that saves them."""
    how: Any = {"live": True, "label_visibility": "collapsed"}
    st.text_input(
        "New question",
        key=f"{key}-title",
        placeholder="Will … by …? 30%",
        on_change=_fill,
        args=(key,),
        **how,
    )
    st.text_input("Last day", key=f"{key}-closes", placeholder="closes", width=130, **how)
    label = "Probability of the new question"
    st.text_input(label, key=f"{key}-probability", placeholder="%", width=90, **how)
    # During an outage too: an Enter without it waits, and would save once the ledger is back.
    st.button("Save", key=f"{key}-save", type="primary")


def _text(key: str, name: str) -> str:
    return (st.session_state.get(f"{key}-{name}") or "").strip()


def _line(key: str, entry: _Entry) -> Line:
    text = _text(key, _TITLE)
    is_binary = bool(entry.binary) and text.startswith(entry.binary)
    return read_line(text, now=session.now(), zone=zone(), is_binary=is_binary)


def _take_as_binary(key: str, entry: _Entry, title: str) -> None:
    entry.binary = title
    _fill(key)


def _typed(key: str) -> _Typed:
    """Return the texts of the three fields."""
    closes, probability = _text(key, _CLOSES), _text(key, _PROBABILITY)
    entry = session.page_state(_Entry)
    line = _line(key, entry)
    # A field filled in and left alone is read from the line, with the words it came from.
    return _Typed(
        line,
        "" if closes == entry.closes else closes,
        "" if probability == entry.probability else probability,
    )


def _fill(key: str) -> None:
    """Fill the fields beside the line with its reading, unless they were corrected."""
    entry = session.page_state(_Entry)
    line = _line(key, entry)
    closes = "" if line.closes is None else _iso(line.closes)
    probability = line.probability or ""
    with suppress(LedgerError):  # else it is shown as typed, and refused
        if group := _group(_Typed(line, "", ""), session.now()):
            closes = ", ".join(_iso(one.closes) for one in group.members)
            probability = in_words(group.probabilities)
        else:
            probability = format_probability(read_percent_field(probability))
    words = line.doubt.phrase if isinstance(line.doubt, Doubtful) else line.phrase
    if entry.chosen is not None and entry.chosen[0] != words:
        entry.filled.add(entry.chosen[1])
        entry.chosen = None
    for name, reading_ in ((_CLOSES, closes), (_PROBABILITY, probability)):
        text = _text(key, name)
        # To fill in the same again would replace what is being typed there in the browser.
        if text in ("", *entry.filled) and text != reading_:
            st.session_state[f"{key}-{name}"] = reading_
    entry.closes, entry.probability = closes, probability
    entry.filled |= {closes, probability}


def _iso(last: datetime) -> str:
    return f"{in_zone(last, zone()):%Y-%m-%d}"


def _group(typed: _Typed, moment: datetime) -> GroupLine | None:
    """Return the group of several deadlines; None for one, or where a field cannot be read."""
    with suppress(LedgerError):
        return typed.group(moment)
    return None


def _put_into_fields(key: str, entry: _Entry) -> None:
    """Put the line back into the fields after an undo."""
    texts = entry.fields
    for name, text in texts.items():
        st.session_state[f"{key}-{name}"] = text
    entry.fields = {}
    if texts or not _text(key, _TITLE):  # a new line, or the page is opened again
        entry.closes = entry.probability = ""
        entry.filled = set()
    if not texts and not _text(key, _TITLE):
        entry.chosen = None


def _pasted(key: str, pasted: str) -> None:
    """Put a pasted question into the line, or hand an article over to its page."""
    line = pasted_line(pasted, now=session.now(), zone=zone())
    if line is None:
        review = session.page_state(Review)
        review.captured, review.pasted = None, pasted
    else:
        _try(key, line)


def _try(key: str, example: str) -> None:
    st.session_state[f"{key}-{_TITLE}"] = example
    _fill(key)
    focus_on(f"act-{_NAME}")


def _understood(typed: _Typed, moment: datetime) -> str:
    """Return the reading as Markdown, or the missing part."""
    parts = []
    if typed.line.type != QuestionType.binary:
        return f"This asks for {ASKED_FOR[typed.line.type]}, which the full form has fields for."
    try:
        if group := typed.group(moment):
            group.require_whole()
            pairs = zip(group.members, group.probabilities, strict=True)
            read = (f"{as_text(one.label)} **{format_probability(p)}**" for one, p in pairs)
            return f"{len(group.members)} questions · {' · '.join(read)}"
        typed.line.require_clear()
        closes = f"closes **{as_text(day(typed.last_moment(moment)))}**"
        parts.append(closes + ("" if typed.closes else f" (“{as_text(typed.line.phrase)}”)"))
        parts.append(f"**{format_probability(typed.value())}**")
    except LedgerError as error:
        parts.append(as_text(str(error)))
    return " · ".join(parts)


def _save(key: str) -> None:
    """Save the line; after a refusal, the wrong field is next."""
    _fill(key)  # the fields may still show the reading of an earlier text
    typed, details, entry = _typed(key), question.typed_details(key), session.page_state(_Entry)
    evidence = st.session_state.get(f"{key}-evidence") or ""
    before, wrong = entry.saved, _TITLE
    with session.act(key, goes_on=True) as doing:
        question.require_title(typed.line.title)
        how: Any = {
            "audience_chosen": details.visible_to is not None,
            "evidence": [read_evidence(doing.ledger, evidence)] if evidence.strip() else [],
            "origin": "app",
            **doing.by,
        }
        fields = details.fields(doing.ledger)
        wrong = _PROBABILITY
        if group := typed.group(doing.now):
            slugs, words = _ask_group(doing, key, group, how | fields)
        else:
            wrong = _TITLE
            typed.line.require_clear()
            wrong = _CLOSES
            last = typed.last_moment(doing.now)
            wrong = _PROBABILITY
            value = Value(probability=typed.value())
            require_offered_range(value, session.lowest_probability())
            wrong = _TITLE
            text = registry.question_text(
                title=typed.line.title,
                open_time=doing.now,
                scheduled_close_time=last,
                **fields,
            )
            asked = ask(doing.ledger, text, value, **how)
            read_from = "" if typed.closes else f" (“{typed.line.phrase}”)"
            slugs = (asked.question.slug,)
            words = question.asked_message(
                f"{format_probability(typed.value())} on {quoted(text.title, 100)}, "
                f"closes {day(last)}{read_from}.",
                asked,
            )
        texts = {name: _text(key, name) for name in _FIELDS}
        entry.saved = _Saved(slugs, words, texts, doing.now, entry.chosen)
        entry.is_new = True
        focus_on(f"act-{_NAME}")
    if session.form_key(_NAME) == key:  # refused
        entry.saved, entry.is_new, entry.refused = before, False, _text(key, _TITLE)
        focus_on(f"{key}-{wrong}")


def _ask_group(
    doing: session.Act, key: str, group: GroupLine, how: dict[str, Any]
) -> tuple[tuple[str, ...], str]:
    """Register and forecast a group; return its questions and the words that say so.

    Refused once if the probabilities contradict each other; saved again as they are, they are
    meant.
    """
    group.require_whole()
    for p in group.probabilities:
        require_offered_range(Value(p), session.lowest_probability())
    require_seen(key, group)
    asked = ask_group(doing.ledger, group, **how)
    said = f"{in_words(group.probabilities)} on {quoted(group.title, 100)} with "
    words = question.asked_message(f"{said}{count(len(group.members), 'deadline')}.", asked)
    return tuple(one.state.slug for one in asked.group.members), words


def _confirmation(saved: _Saved) -> None:
    """Show the saved question with a link to it and an undo."""
    key = session.form_key(f"{_NAME}-undo")
    with st.container(key=f"{_NAME}-saved", horizontal=True, vertical_alignment="center"):
        st.markdown(f":green[**Saved:**] {as_text(saved.words)}")
        query = {"slug": saved.slugs[0]}
        st.page_link("app_pages/question.py", label="Open", query_params=query)
        undone = st.button("Undo", key=f"{key}-go", type="tertiary")
    if undone:
        with session.act(key) as doing:
            question.discard_all(doing, saved.slugs)
            doing.say("Discarded. The line is back in its field.")
            entry = session.page_state(_Entry)
            entry.saved, entry.fields, entry.chosen = None, saved.typed, saved.chosen
            focus_on(f"act-{_NAME}")
