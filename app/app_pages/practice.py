"""Practice: how sure are you? On questions whose answer is known; nothing of it is stored."""

from __future__ import annotations

import secrets

import streamlit as st

from app.charts.records import reliability_chart
from app.markdown_text import as_text, counted, day, paragraphs
from app.session import Practice, memory, now, reading
from forecasts.exchange.samples import practice
from forecasts.exchange.samples.practice import Answer, Exercise
from forecasts.reports.render import wording

LEDGER, ARTICLES = "This ledger", "Three articles"

moment = now()
remembered = memory()


def exercises(of: str) -> list[Exercise]:
    """Return what there is to practise on."""
    if of == ARTICLES:
        return practice.of_articles(now=moment)
    with reading() as ledger:
        return practice.of_ledger(ledger, now=moment)


def ask(one: Exercise, doing: Practice) -> None:
    """Show a question without its answer, and take up how sure the reader is."""
    with st.container(border=True, key="card-ask"):
        st.subheader(as_text(one.title), anchor=False)
        st.caption(f"Asked on {day(one.asked)}, to close on {day(one.closes)}.")
        if one.about:
            st.markdown(paragraphs(one.about))
        if one.criteria:
            with st.expander("Resolution criteria"):
                st.markdown(paragraphs(one.criteria))
        with st.form(f"practice-{one.slug}", border=False):
            said = st.slider(
                "How sure are you that the answer is yes?",
                min_value=1,
                max_value=99,
                value=50,
                format="%d %%",
                key=f"sure-{one.slug}",
                help="As it looked when the question was asked. 50 %: it could go either way.",
            )
            if st.form_submit_button("Answer", type="primary", key="answer"):
                doing.answers.append(Answer(one, said / 100))
                doing.shown, doing.record = doing.answers[-1], None
                st.rerun()


def tell(last: Answer, doing: Practice) -> None:
    """Show what the answer was, and what the reader's earned."""
    one = last.exercise
    with st.container(border=True, key="card-tell"):
        st.subheader(as_text(one.title), anchor=False)
        answer = "yes" if one.answer else "no"
        st.markdown(f"The answer was **{answer}**. You said **{last.p:.0%}**.".replace("%", " %"))
        if one.note:
            st.caption(as_text(one.note))
        st.metric(
            "Brier (0–1)",
            f"{last.brier:.4f}",
            help="The squared distance from what came true: 0 is best, 0.25 is what 50 % gets.",
        )
        if st.button("Next question", type="primary", key="next"):
            doing.shown = None
            st.rerun()


def so_far(doing: Practice) -> None:
    """Show how the answers so far hold up, in a sentence, a table and a chart."""
    st.header("So far", anchor=False)
    if not doing.answers:
        st.caption("Nothing yet. What you answer here is not stored, and counts nowhere.")
        return
    if doing.record is None:
        doing.record = practice.record(doing.answers, now=moment)
    group = doing.record
    with st.container(key="figures-so-far"):
        left, right = st.columns(2)
    left.metric("Questions", f"{len(doing.answers):,}")
    right.metric(
        "Mean Brier (0–1)",
        wording.number(group.brier.mean, 4),
        help="0 is best; always saying 50 % gets 0.25.",
    )
    st.info(as_text(group.verdict.sentence))
    said = [one for one in group.bins if one.questions]
    st.table(
        {
            "You said": [wording.tied(wording.bin_range(b)) for b in said],
            "Questions": [str(b.questions) for b in said],
            "Mean": [wording.tied(wording.percent(b.forecast, 1)) for b in said],
            "Happened": [wording.tied(wording.percent(b.observed, 1)) for b in said],
            "95 % interval": [wording.tied(wording.percents(b.interval)) for b in said],
        },
        hide_index=True,
        border="horizontal",
    )
    diagram = reliability_chart(group)
    if diagram is not None:
        with st.expander("As a chart"):
            st.altair_chart(
                diagram,
                alt="Reliability diagram of your answers: how often what you called so likely "
                "happened. The table above has the same numbers.",
            )
    if st.button("Begin again", key="again"):
        remembered.practice = None
        st.rerun()


st.title("Practice", anchor=False)
st.caption(
    "Questions whose answer is known by now: say how sure you would have been. None of it is "
    "stored, and none of it counts in a track record."
)
of = st.segmented_control(
    "Questions of", [ARTICLES, LEDGER], default=ARTICLES, required=True, key="on",
    bind="query-params",
)  # fmt: skip
if remembered.practice is None:
    remembered.practice = Practice(seed=secrets.randbits(32))
going = remembered.practice
there = exercises(of)
following = practice.draw(there, {one.exercise.slug for one in going.answers}, seed=going.seed)
if going.shown is not None:
    tell(going.shown, going)
elif following is not None:
    ask(following, going)
elif there:
    st.success(f"That was all: {counted(len(there), 'question')}.")
else:
    st.info(
        "No yes-or-no question of this ledger is resolved yet. Practise on those from the "
        "articles meanwhile."
    )
so_far(going)
