"""Practice: forecast questions with known answers. Nothing is stored."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace

import streamlit as st

from app.components.scripts import focus_on
from app.markdown_text import as_text, paragraphs
from app.session import now, page_state, reading, shown_errors
from app.times import day
from app.views.documents import chart, report_table
from app.views.empty import empty
from app.views.widgets import metrics, switch
from forecasts.common.text import count
from forecasts.documents.numbers import number
from forecasts.reports import figures, wording
from forecasts.samples import practice
from forecasts.values.value import format_probability
from forecasts.values.value_parsing import read_percent_field

LEDGER, BUILT_IN = "This ledger", "Built-in set"
FIELD = "act-practice"  # the key of the container with the field


@dataclass
class Practice:
    """The practice answers of this browser session; kept nowhere else."""

    seed: int = field(default_factory=lambda: secrets.randbits(32))
    answers: list[practice.Answer] = field(default_factory=list)
    shown: practice.Answer | None = None


moment = now()
going = page_state(Practice)


def ask(one: practice.Exercise) -> None:
    """Show a question without its answer, and the form for a probability."""
    with st.container(border=True, key="card-ask"):
        st.subheader(as_text(one.title), anchor=False)
        st.caption(f"Asked on {day(one.asked)}, closes on {day(one.closes)}.")
        if one.about:
            st.markdown(paragraphs(one.about))
        if one.criteria:
            with st.expander("Resolution criteria"):
                st.markdown(paragraphs(one.criteria))
        with (
            st.form(f"practice-{one.slug}", border=False),
            st.container(key=FIELD, horizontal=True, vertical_alignment="bottom"),
        ):
            typed = st.text_input(
                label="Probability of yes",
                placeholder="30, .3 or 3:7",
                max_chars=20,
                width=180,
                key=f"sure-{one.slug}",
            )
            answered = st.form_submit_button("Answer", type="primary", key="answer")
        if answered:
            with shown_errors():
                going.answers.append(practice.Answer(one, read_percent_field(typed)))
                going.shown = going.answers[-1]
                focus_on(FIELD)
                st.rerun()


def result(last: practice.Answer) -> None:
    """Show the answer to the last question, and the score of the reader's forecast."""
    one = last.exercise
    with st.container(border=True, key="card-tell", gap="xsmall"):
        answer = "yes" if one.answer else "no"
        st.markdown(
            f"The answer was **{answer}**. You said **{format_probability(last.p)}**: Brier "
            f"**{number(last.brier)}**."
        )
        st.caption(as_text(one.title))
        if one.note:
            st.caption(as_text(one.note))


def so_far() -> None:
    """Show how the answers so far hold up, in a sentence, a table and a chart."""
    st.header("So far", anchor=False)
    if not going.answers:
        st.caption("No answers yet. Your calibration appears here as you answer.")
        return
    group = practice.record(going.answers, now=moment)
    brier = number(group.brier.mean), "0 is best; always saying 50% scores 0.25."
    answered = f"{len(going.answers):,}", ""
    metrics("so-far", {"Questions": answered, "Mean Brier (0–1)": brier})
    st.info(as_text(wording.of(group.verdict.sentence, wording.YOU)))
    filled = tuple(one for one in group.bins if one.questions)
    report_table(figures.bins(replace(group, bins=filled)))
    if group.curve:
        with st.expander("Chart"):
            diagram = figures.reliability("", group).charts[0]
            chart(
                diagram,
                (
                    "Reliability diagram of your answers: how often the answer was yes at each "
                    "probability. The table above has the same numbers."
                ),
                height=380,
            )
    if st.button("Start over", key="again"):
        going.seed, going.answers, going.shown = secrets.randbits(32), [], None
        st.rerun()


def to_built_in() -> None:
    """Choose the built-in questions."""
    st.session_state["on"] = BUILT_IN


st.title("Practice", anchor=False)
st.caption(
    "Forecast questions with known answers. Nothing is stored or counted in your track record."
)
source = switch("Practise with", [BUILT_IN, LEDGER], "on")
if source == BUILT_IN:
    available = practice.of_articles(now=moment)
else:
    with reading() as ledger:
        available = practice.of_ledger(ledger, now=moment)
following = practice.draw(available, {one.exercise.slug for one in going.answers}, seed=going.seed)
if going.shown is not None:
    result(going.shown)
if following is not None:
    ask(following)
elif available:
    st.success(f"All done: {count(len(available), 'question')}.")
else:
    with empty("track_record", "This ledger has no resolved yes-or-no questions yet."):
        st.button("Practise with the built-in set", key="built-in", on_click=to_built_in)
so_far()
