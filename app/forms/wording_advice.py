"""The linter beside a form: one line on the question as typed, with a button for each fix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

import streamlit as st

from app.markdown_text import as_text, shortened
from app.session import now
from app.times import zone
from forecasts.common.text import count
from forecasts.ledger.models import QuestionText
from forecasts.questions.linting import as_written, read_written
from forecasts.reading.lint import Finding, Fix, lint, mended

_MOST = 8  # findings shown; the others follow once these are mended
_LONG = 160  # characters of a change that is shown in full


def wording_advice(key: str, title: str, stored: QuestionText | None = None, **given: Any) -> None:
    """Show the findings on a question as typed. ``given``: its other fields, in the ledger's names.

    ``stored``: the wording that is changed, of which the fields that are not given stay.

    The fields for its texts have the keys ``KEY-title``, ``KEY-criteria`` and ``KEY-fine-print``. A
    field that the form does not have takes no fix; an edge case then goes to the criteria.
    """
    typed = {name: st.session_state.get(place) for name, place in _places(key).items()}
    if not title.strip():
        return
    before = {} if stored is None else asdict(as_written(stored))
    question = read_written({**before, **typed, **given, "title": title}, now=now(), zone=zone())
    found = lint(question, now=now())[:_MOST]
    if not found:
        return
    faults = sum(one.level == "fault" for one in found)
    label = f"Wording: {count(faults, 'fault')}" if faults else "Wording: advice"
    with st.expander(label, key=f"{key}-wording"):
        for number, one in enumerate(found):
            _finding(key, number, one, _in_form(key, one.fix))


def _places(key: str) -> Mapping[str, str]:
    """Return the keys of a form's fields by their names in the ledger."""
    ends = {"title": "title", "resolution_criteria": "criteria", "fine_print": "fine-print"}
    return {name: f"{key}-{end}" for name, end in ends.items()}


def _in_form(key: str, fix: Fix | None) -> Fix | None:
    """Return the fix for a field that the form shows, None if it has none."""
    if fix is None or _places(key).get(fix.field) in st.session_state:
        return fix
    return Fix("resolution_criteria", fix.new) if not fix.old else None


def _finding(key: str, number: int, one: Finding, fix: Fix | None) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        words = as_text(one.why)
        if fix is not None:
            words += f" {_said(fix)}"
            st.button(
                "Add" if not fix.old else "Replace" if fix.new else "Remove",
                key=f"{key}-mend-{number}",
                help="Change the text of the question",
                on_click=partial(_apply, key, fix),
            )
        st.caption(words)


def _said(fix: Fix) -> str:
    if not fix.old:
        return f"**{as_text(fix.new)}**"
    if fix.new and len(fix.old) > _LONG:
        return "**Swap Yes and No.**"
    said = f"**{as_text(shortened(fix.old))}**"
    return f"{said} → **{as_text(fix.new)}**" if fix.new else said


def _apply(key: str, fix: Fix) -> None:
    place = _places(key)[fix.field]
    st.session_state[place] = mended(st.session_state.get(place) or "", fix)
