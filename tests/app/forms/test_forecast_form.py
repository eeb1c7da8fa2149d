"""The form on the Question page: its initial value, its messages, its evidence."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import NumberInput

from forecasts.access.members import find_member
from forecasts.common.errors import DatabaseError
from forecasts.ledger import database
from forecasts.ledger.models import LinkKind, LinkStrength
from forecasts.questions import links, registry
from forecasts.updates import updates
from forecasts.values.value import Value, format_value, value_of
from tests.app.conftest import columns, confirmed, errors, fill, forecasts, say, submit, visit
from tests.app.forms.test_undo import press_undo
from tests.conftest import day

pytestmark = pytest.mark.slow


def cited(engine: Engine, slug: str) -> list[tuple[str, str, float | None, str]]:
    """Return stance, kind, share and source of the newest forecast's evidence."""
    with database.reading(engine) as ledger:
        question = registry.find(ledger, slug)
        newest, _ = updates.history(ledger, question)[-1]
        return [
            (citation.stance, evidence.kind, citation.share, evidence.url or evidence.note)
            for citation, evidence in updates.evidence_of(ledger, question)[newest.id or 0]
        ]


def save(app: AppTest, slug: str, number: int = 0) -> None:
    app.button(key=f"forecast-{slug}#{number}-save").click().run()


@pytest.mark.parametrize(
    ("slug", "value", "fields", "said"),
    [
        ("quay", Value(probability=5 / 7), [71], "71.4%"),
        ("port", Value(probabilities=(1 / 3,) * 3), [33] * 3, "Busan 33.3%"),
    ],
)
def test_the_form_begins_with_the_current_forecast_which_saves_unchanged(
    furnished: AppTest, engine: Engine, slug: str, value: Value, fields: list[int], said: str
) -> None:
    say(engine, slug, value)
    visit(furnished, "question", slug=slug)
    assert [slider.value for slider in furnished.slider] == fields
    save(furnished, slug)
    assert confirmed(furnished)[0].startswith(f"Saved: still {said}")
    assert [value_of(one) for one in forecasts(engine, slug, "alice")] == [value, value]


def test_each_piece_of_evidence_has_its_own_stance_kind_and_share(
    furnished: AppTest, engine: Engine
) -> None:
    visit(furnished, "question", slug="quay")
    key = "forecast-quay#0"
    submit(furnished, f"{key}", "add", value="35%", evidence="https://example.org/paint")
    furnished.button(key=f"{key}-add").click().run()
    # The typed text is kept, and nothing is saved.
    assert furnished.text_input(key=f"{key}-value").value == "35%"
    assert furnished.text_input(key=f"{key}-evidence").value == "https://example.org/paint"
    assert confirmed(furnished) == []
    furnished.selectbox(key=f"{key}-2-article").select_index(0)
    fill(furnished, f"{key}-2", stance="opposes", share=60)
    fill(furnished, f"{key}-3", evidence="Quays open late", stance="context", kind="base_rate")
    save(furnished, "quay")
    assert errors(furnished) == ""
    assert cited(engine, "quay") == [
        ("opposes", "news", None, "https://example.org/paint"),
        ("opposes", "news", 0.6, "https://example.org/harbour"),
        ("context", "base_rate", None, "Quays open late"),
    ]
    assert confirmed(furnished) == [
        "Saved: 35% on “Will the quay open?”. Evidence: 2 against yes, 1 as context."
    ]


def test_unclear_evidence_is_refused_and_the_fields_keep_their_text(
    furnished: AppTest, engine: Engine
) -> None:
    visit(furnished, "question", slug="quay")
    key = "forecast-quay#0"
    submit(furnished, key, "add", value="35%", evidence="a")
    furnished.number_input(key=f"{key}-2-share").set_value(50)
    save(furnished, "quay")
    assert "Evidence 2 has a share but no source." in errors(furnished)
    furnished.selectbox(key=f"{key}-article").select_index(0)
    save(furnished, "quay")
    assert "Evidence 1 names both an article and 'a'." in errors(furnished)
    assert confirmed(furnished) == []
    assert furnished.text_input(key=f"{key}-value").value == "35%"
    assert len(forecasts(engine, "quay")) == 1


def test_the_stance_is_proposed_from_the_direction_of_the_update(
    furnished: AppTest, engine: Engine
) -> None:
    say(engine, "quay", 0.4)
    visit(furnished, "question", slug="quay")
    key = "forecast-quay#0"
    for typed, proposed in ((".2", "lowers it"), ("40%", "context only"), ("60", "raises it")):
        furnished.text_input(key=f"{key}-value").input(typed).run()
        stance = furnished.selectbox(key=f"{key}-stance")
        assert (stance.value, stance.placeholder) == (None, f"{proposed} (proposed)")
        assert (stance.label, stance.options[0]) == ("Effect on “yes”", "raises it")
    furnished.text_input(key=f"{key}-evidence").input("The paint is dry")
    save(furnished, "quay")
    assert cited(engine, "quay") == [("supports", "news", None, "The paint is dry")]


def test_a_stance_against_the_update_is_questioned_once(furnished: AppTest, engine: Engine) -> None:
    say(engine, "quay", 0.4)
    visit(furnished, "question", slug="quay")
    key = "forecast-quay#0"
    fill(furnished, f"{key}", value="60", evidence="The strike", stance="opposes")
    save(furnished, "quay")
    assert "moves towards yes, but all its evidence opposes it" in errors(furnished)
    assert "save again if it is right" in errors(furnished)
    assert confirmed(furnished) == []
    # Another mismatch is asked about again.
    fill(furnished, f"{key}", value="20", stance="supports")
    save(furnished, "quay")
    assert "moves away from yes, but all its evidence supports it" in errors(furnished)
    save(furnished, "quay")
    assert errors(furnished) == ""
    assert confirmed(furnished) == [
        "Saved: 40% → 20% on “Will the quay open?”. Evidence: 1 for yes."
    ]


def test_an_unset_slider_is_not_a_forecast_and_a_typed_value_moves_it(furnished: AppTest) -> None:
    visit(furnished, "question", slug="quay")
    key = "forecast-quay#0"
    assert furnished.slider(key=f"{key}-slider").label == "Probability slider, not set"
    save(furnished, "quay")
    assert "The probability is blank." in errors(furnished)
    furnished.text_input(key=f"{key}-value").input("33.3%").run()
    # A typed value moves the slider, which is then another widget.
    slider = furnished.slider(key=f"{key}-slider~1")
    assert (slider.label, slider.value) == ("Probability slider", 33)
    assert (slider.step, slider.min, slider.max) == (1, 0, 100)
    for turn, (place, written) in enumerate(((80, "80%"), (0, "0.1%")), start=1):
        furnished.slider(key=f"{key}-slider~1").set_value(place).run()
        assert furnished.text_input(key=f"{key}-value~{turn}").value == written


def test_the_effect_is_on_the_option_that_changes_most(furnished: AppTest, engine: Engine) -> None:
    visit(furnished, "question", slug="port")
    stance = furnished.selectbox(key="forecast-port#0-stance")
    assert stance.label == "Effect on the option that changes most"
    assert stance.placeholder == "follows your update"
    typed = "Busan=10%, Ulsan=50%, Other=40%"
    furnished.text_input(key="forecast-port#0-value").input(typed).run()
    stance = furnished.selectbox(key="forecast-port#0-stance").select("opposes")
    assert stance.label == "Effect on “Busan”"
    furnished.text_input(key="forecast-port#0-evidence").input("The strike")
    save(furnished, "port")
    assert "Evidence: 1 against “Busan”." in confirmed(furnished)[0]


def report(app: AppTest, key: str, *, places: dict[str, float | None] | None = None) -> None:
    """Let the browser report the form's sliders and number fields where it draws them.

    Streamlit drops a drawing that the next run overtakes, with the value that it sets. The browser
    then has the later one alone, so a widget is where it begins. ``places``: where others are.
    """
    for widget in (*app.slider, *app.number_input):
        name = str(widget.key).removeprefix(key).split("~")[0]
        if not str(widget.key).startswith(f"{key}-") or name.endswith("-share"):
            continue
        begun = widget.proto.default
        if isinstance(widget, NumberInput):
            begun = [begun] if widget.proto.HasField("default") else [None]
        # A browser that has not heard that a widget is disabled reports it too.
        widget._value = (places or {}).get(name, begun[0])


def saved_by_alice(engine: Engine, slug: str) -> list[str]:
    """Return alice's forecasts on the question, in words."""
    return [format_value(forecast) for forecast in forecasts(engine, slug, "alice")]


@pytest.mark.parametrize(
    ("page", "slug", "typed", "saved"),
    [
        ("question", "quay", "44", ["44%"]),
        ("today", "quay", "", []),
        ("question", "port", "Busan=50%, Ulsan=30%", ["option 1 50%, option 2 30%, option 3 20%"]),
        ("today", "depth", "10%=5, 50%=10", ["10th percentile: 5, 50th: 10"]),
    ],
)
def test_the_typed_value_is_saved_despite_missed_drawings(
    furnished: AppTest, engine: Engine, page: str, slug: str, typed: str, saved: list[str]
) -> None:
    visit(furnished, page, **({"slug": slug} if page == "question" else {}))
    key = f"{'quick' if page == 'today' else 'forecast'}-{slug}#0"
    furnished.text_input(key=f"{key}-value").input(typed).run()
    furnished.run()
    report(furnished, key)
    furnished.button(key=f"{key}-save").click().run()
    assert [words.replace("\xa0", " ") for words in saved_by_alice(engine, slug)] == saved


@pytest.mark.parametrize(
    ("slug", "typed", "moved"),
    [
        ("quay", "4x", {"-slider": 80}),
        ("port", "44", {"-option-0": 80}),
        ("depth", "44", {"-level-2": 12.0}),
    ],
)
def test_nothing_is_moved_over_a_text_that_cannot_be_read(
    furnished: AppTest, engine: Engine, slug: str, typed: str, moved: dict[str, float | None]
) -> None:
    visit(furnished, "question", slug=slug)
    key = f"forecast-{slug}#0"
    furnished.text_input(key=f"{key}-value").input(typed).run()
    assert all(
        widget.disabled
        for widget in (*furnished.slider, *furnished.number_input)
        if any(name in str(widget.key) for name in moved)
    )
    report(furnished, key, places=moved)
    save(furnished, slug)
    assert "4" in furnished.text_input(key=f"{key}-value").value
    assert saved_by_alice(engine, slug) == []
    furnished.text_input(key=f"{key}-value").input("").run()
    report(furnished, key, places=moved)
    furnished.run()
    save(furnished, slug)
    assert len(saved_by_alice(engine, slug)) == 1


def link_surely(engine: Engine, one: str, other: str) -> None:
    """Say that the first question implies the second, for certain."""
    with database.writing(engine) as ledger:
        ends = [registry.find(ledger, slug) for slug in (one, other)]
        links.link(
            ledger,
            *ends,
            LinkKind.implies,
            strength=LinkStrength.certain,
            member=find_member(ledger, "alice"),
            now=day(2),
        )


def test_a_contradiction_is_noticed_before_saving_and_mended_by_one_click(
    furnished: AppTest, engine: Engine
) -> None:
    link_surely(engine, "quay", "rain")
    say(engine, "rain", 0.3)
    visit(furnished, "question", slug="quay")
    assert not furnished.warning
    for fits, typed in ((True, "20%"), (False, "50%")):
        furnished.text_input(key="forecast-quay#0-value").input(typed).run()
        assert fits != bool(furnished.warning)
    assert "contradict each other" in furnished.warning[0].value
    table = columns(furnished, "Coherent")
    assert list(table["Coherent"]) == ["40%", "40%"]
    assert sorted(table["Move"]) == ["+10.0 points", "−10.0 points"]
    furnished.button(key="forecast-quay#0-coherent-0-2").click().run()
    assert confirmed(furnished)[0] == "Saved 2 coherent forecasts."
    for slug in ("quay", "rain"):
        newest = forecasts(engine, slug, "alice")[-1]
        assert newest.probability == 0.4
        assert newest.rationale == "To fit my other forecasts."
    press_undo(furnished)
    assert confirmed(furnished)[0] == "Undone: 2 coherent forecasts."
    assert forecasts(engine, "rain", "alice")[-1].probability == 0.3
    assert forecasts(engine, "quay", "alice")[-1].withdrawn


def test_a_contradiction_is_shown_before_it_is_saved_and_hinders_nobody(
    furnished: AppTest, engine: Engine
) -> None:
    link_surely(engine, "quay", "rain")
    say(engine, "rain", 0.3)
    visit(furnished, "question", slug="quay")
    submit(furnished, "forecast-quay#0", "save", value="50%")
    assert "Not saved yet" in furnished.info[0].value
    assert forecasts(engine, "quay", "alice") == []
    furnished.button(key="forecast-quay#0-save").click().run()
    assert confirmed(furnished)[0].startswith("Saved: 50%")


def test_a_ledger_that_cannot_be_read_leaves_the_form_as_it_is(
    furnished: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit(furnished, "question", slug="quay")

    def gone(*_: object, **__: object) -> None:
        raise DatabaseError("The ledger was not reached.")

    monkeypatch.setattr("app.forms.coherence.contradictions", gone)
    furnished.text_input(key="forecast-quay#0-value").input("50%").run()
    assert not furnished.exception
    assert furnished.text_input(key="forecast-quay#0-value").value == "50%"
