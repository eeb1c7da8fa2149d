"""The form that registers a question, and its optional fields, which other forms share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import streamlit as st
from sqlmodel import Session

from app.forms.dates import TypedDate, date_field, require_future
from app.markdown_text import as_text, shortened
from app.session import act, form_key, reading, rights_here
from app.times import zone
from forecasts.access import teams
from forecasts.access.roles import Rights
from forecasts.common.errors import BadInput
from forecasts.ledger.models import QuestionText, QuestionType, Role
from forecasts.questions import registry
from forecasts.questions.passages import find_passage
from forecasts.updates.ask import ask
from forecasts.values.typed_dates import deadline_in_title

ONLY_ME = "Only you can see it until it has criteria."


def ask_form(name: str, *, article: int | None = None, go_there: bool = False) -> None:
    """Show the form that registers a question.

    ``article``: the ID of the article it is taken from. ``go_there``: its page opens afterwards.
    """
    with reading() as ledger:
        rights = rights_here(ledger)
        to_ask = teams.teams_to_ask_in(ledger, rights)
    if not may_ask(rights, to_ask):
        st.info("You can read the questions. Asking one requires the forecaster role.")
        return
    key = form_key(name)
    kind = st.segmented_control(
        "Type",
        list(QuestionType),
        default=QuestionType.binary,
        required=True,
        format_func=lambda kind: _TYPES[kind],
        key=f"{key}-type",
        help="Yes or no, one of several options, a number, or a day.",
    )
    with st.container(border=True, key=f"around-{name}"):
        title = st.text_area(
            "Question",
            key=f"{key}-title",
            height="content",
            placeholder="Will … by …?",
            help="One sentence whose answer will be known.",
        )
        fields = _type_fields(key, kind or QuestionType.binary)
        left, right = st.columns(2)
        with left:
            closes = date_field(
                "Last day of forecasting",
                key=f"{key}-closes",
                help="Blank: the day that the question names. Forecasting ends when this day ends.",
                live=True,
            )
        with right:
            resolves = date_field(
                "Resolve by",
                key=f"{key}-resolves",
                help="When the outcome should be known. Optional.",
                live=True,
            )
        with st.form(key, border=False):
            detail_fields(key, to_ask)
            submitted = st.form_submit_button("Register question", key=f"{key}-go", type="primary")
    if submitted:
        details = typed_details(key)
        with act(key) as doing:
            text = registry.question_text(
                title=require_title(title),
                type=kind,
                open_time=doing.now,
                scheduled_close_time=_last_moment(title, closes, doing.now),
                scheduled_resolve_time=resolves.moment(doing.now),
                **details.fields(doing.ledger),
                **{
                    name: value.iso(doing.now) if isinstance(value, TypedDate) else value
                    for name, value in fields.items()
                },
            )
            sources = [] if article is None else [find_passage(doing.ledger, article)]
            asked = ask(
                doing.ledger,
                text,
                sources=sources,
                audience_chosen=details.visible_to is not None,
                **doing.by,
            )
            doing.say(
                f"Registered: {shortened(text.title)}"
                + (f" {ONLY_ME}" if asked.kept_private else "")
            )
            if go_there:
                doing.go("question", {"slug": asked.question.slug})


def may_ask(rights: Rights, to_ask: Sequence[str]) -> bool:
    """Return whether the reader may ask a question; ``to_ask``: the teams they may ask in."""
    return bool(to_ask) or rights.unrestricted or rights.general is not Role.viewer


@dataclass(frozen=True)
class Details:
    """The optional fields of a new question, as typed."""

    criteria: str
    background: str
    fine_print: str
    tags: str
    visible_to: str | None
    hide_crowd: bool
    family: str

    def words(self) -> dict[str, Any]:
        """Return the texts under their names in the ledger."""
        return {
            "resolution_criteria": self.criteria.strip(),
            "background": self.background.strip(),
            "fine_print": self.fine_print.strip(),
            "tags": [tag.strip() for tag in self.tags.split(",") if tag.strip()] or None,
            "family": self.family.strip(),
        }

    def fields(self, ledger: Session) -> dict[str, Any]:
        """Return all of them under their names in the ledger."""
        visibility = teams.visibility_fields(ledger, self.visible_to)
        return {**self.words(), "crowd_hidden": self.hide_crowd, **visibility}


def criteria_field(key: str, criteria: str = "") -> str:
    """Show the field for the resolution criteria; return its text."""
    return st.text_area(
        "Resolution criteria",
        value=criteria,
        key=f"{key}-criteria",
        height=110,
        placeholder="Yes if …, as reported by … No if …",
        help="Precise enough for a stranger to resolve it. Only you see a question without them.",
    )


def detail_fields(key: str, to_ask: list[str] | None, text: QuestionText | None = None) -> None:
    """Show the optional fields, as they are in ``text``.

    ``to_ask``: the teams that the reader may ask in; None leaves out the choice of its visibility.
    """
    criteria_field(key, text.resolution_criteria if text else "")
    left, right = st.columns(2)
    tags = ", ".join((text.tags if text else None) or [])
    left.text_input("Tags", value=tags, key=f"{key}-tags", placeholder="china, trade")
    if to_ask is not None:
        right.selectbox(
            "Visible to",
            [teams.EVERYONE, *to_ask, teams.ME],
            index=None,
            placeholder="Everyone",
            format_func=lambda audience: _AUDIENCES.get(audience) or as_text(audience),
            key=f"{key}-visible",
            help="A team’s question is resolved by the team’s resolvers.",
        )
        right.checkbox(
            "Hide other forecasts at first",
            key=f"{key}-hide",
            help="Members see them once they have forecast, or when the question closes.",
        )
    (left if text is None else right).text_input(
        "Family",
        value=text.family if text else "",
        key=f"{key}-family",
        help="Questions with related outcomes share a family; reports count each family as one.",
    )
    for column, label, name, said in (
        (left, "Background", "background", text.background if text else ""),
        (right, "Fine print", "fine-print", text.fine_print if text else ""),
    ):
        place = column if text is None else st
        place.text_area(label, value=said, key=f"{key}-{name}", height=90)


def typed_details(key: str) -> Details:
    """Return the texts of the fields that ``detail_fields`` showed."""
    typed = {name: st.session_state.get(f"{key}-{name}") for name in _DETAILS}
    return Details(
        criteria=typed["criteria"] or "",
        background=typed["background"] or "",
        fine_print=typed["fine-print"] or "",
        tags=typed["tags"] or "",
        visible_to=typed["visible"],
        hide_crowd=bool(typed["hide"]),
        family=typed["family"] or "",
    )


_DETAILS = ("criteria", "background", "fine-print", "tags", "visible", "hide", "family")
_AUDIENCES = {teams.EVERYONE: "Everyone", teams.ME: "Only me"}
_TYPES = {
    QuestionType.binary: "Binary",
    QuestionType.multiple_choice: "Multiple choice",
    QuestionType.numeric: "Numeric",
    QuestionType.date: "Date",
}


def _type_fields(key: str, kind: QuestionType) -> dict[str, object]:
    """Show the type's own fields; return them under their names in the ledger, dates as typed."""
    if kind == QuestionType.multiple_choice:
        lines = st.text_area(
            "Options, one per line", key=f"{key}-options", height=110, placeholder="Busan\nBeijing"
        )
        ordered = st.checkbox(
            "Ordered options",
            key=f"{key}-ordered",
            help="A near miss then scores better than a far one.",
        )
        options = [line.strip() for line in lines.splitlines() if line.strip()]
        return {"options": options, "ordered": ordered}
    if kind == QuestionType.date:
        left, right = st.columns(2)
        with left:
            earliest = date_field("Earliest", key=f"{key}-lower", first=True, live=True)
        with right:
            latest = date_field("Latest", key=f"{key}-upper", live=True)
        return {"lower_bound": earliest, "upper_bound": latest}
    if kind == QuestionType.numeric:
        columns = st.columns(3)
        lower = columns[0].text_input("Lowest", key=f"{key}-lower", placeholder="0")
        upper = columns[1].text_input("Highest", key=f"{key}-upper", placeholder="500")
        unit = columns[2].text_input("Unit", key=f"{key}-unit", placeholder="million t")
        return {"lower_bound": lower or None, "upper_bound": upper or None, "unit": unit or None}
    return {}


def require_title(title: str) -> str:
    """Return the question on one line; BadInput if it is blank."""
    if not title.strip():
        raise BadInput("The question is blank.", remedy="Ask it in one sentence.")
    return " ".join(title.split())


def _last_moment(title: str, closes: TypedDate, now: datetime) -> datetime:
    """Return the close time; BadInput if it is neither typed nor named, or past."""
    last = closes.moment(now)
    if last is None:
        named = deadline_in_title(title, now=now, zone=zone())
        if named is None:
            raise BadInput(
                "The question has no last day.",
                remedy="Name it in the question, or type the last day of forecasting.",
            )
        last = named.moment
    return require_future(last, now)
