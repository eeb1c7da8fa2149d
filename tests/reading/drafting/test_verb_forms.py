"""Verb forms: bases of gerunds and present forms, and past forms."""

from __future__ import annotations

import re

import pytest

from forecasts.reading.drafting.verb_forms import base_of_gerund, base_of_present, past_forms

GERUNDS = """\
closing:close cutting:cut selling:sell meeting:meet lying:lie withdrawing:withdraw changing:change
bringing:bring taking:take striking:strike losing:lose passing:pass raising:raise using:use
suing:sue creating:create beating:beat visiting:visit writing:write waiting:wait voting:vote
targeting:target filing:file sailing:sail ruling:rule scheduling:schedule doubling:double
hiring:hire preparing:prepare clearing:clear monitoring:monitor offering:offer resuming:resume
becoming:become claiming:claim joining:join declining:decline winning:win beginning:begin
opening:open convening:convene postponing:postpone cleaning:clean trading:trade loading:load
deciding:decide avoiding:avoid including:include building:build escaping:escape developing:develop
stopping:stop sending:send engaging:engage merging:merge plunging:plunge paying:pay leaving:leave
cancelling:cancel expelling:expel going:go seeing:see describing:describe imposing:impose
launching:launch holding:hold running:run planning:plan tightening:tighten entering:enter
producing:produce banning:ban editing:edit firing:fire storing:store referring:refer
dividing:divide seizing:seize easing:ease invoking:invoke dying:die relying:rely quoting:quote
recruiting:recruit
"""


def test_a_gerund_gives_its_base() -> None:
    for gerund, base in re.findall(r"(\w+):(\w+)", GERUNDS):
        assert base_of_gerund(gerund) == base


@pytest.mark.parametrize(
    ("present", "subject", "base"),
    [
        ("meets", "the council", "meet"),
        ("applies", "the ban", "apply"),
        ("plays", "the team", "play"),
        ("goes into effect", "the law", "go into effect"),
        ("meet", "the ministers", "meet"),
        ("meet", "Brega and Sund", "meet"),
        ("vote", "the council", ""),
    ],
)
def test_a_present_form_gives_its_base_if_it_agrees(present: str, subject: str, base: str) -> None:
    assert base_of_present(present, subject) == base


def test_past_forms_are_regular_or_listed() -> None:
    assert past_forms("close") == ("closed",)
    assert past_forms("apply") == ("applied",)
    assert past_forms("take") == ("took", "taken")
    assert "planned" in past_forms("plan")
