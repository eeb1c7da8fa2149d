"""The form on the Question page: its initial value, its messages, its evidence."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import NumberInput

from forecasts.access.members import member_or_new
from forecasts.ledger import database
from forecasts.questions import registry
from forecasts.updates import updates
from forecasts.values.value import Value, format_value
from tests.app.conftest import visit
from tests.conftest import ask, day

UNSEEN: dict[int, str | None] = {**dict.fromkeys(map(ord, "\\`\u2060")), 0xA0: " "}


def toasts(app: AppTest) -> list[str]:
    return [toast.value.translate(UNSEEN) for toast in app.toast]


def errors(app: AppTest) -> str:
    said = "\n".join(error.value for error in app.error)
    return said.translate(UNSEEN)


def cited(engine: Engine, slug: str) -> list[tuple[str, str, float | None, str]]:
    """Return stance, kind, share and source of the newest forecast's evidence."""
    with database.reading(engine) as ledger:
        question = registry.find(ledger, slug)
        newest, _ = updates.history(ledger, question)[-1]
        return [
            (citation.stance, evidence.kind, citation.share, evidence.url or evidence.note)
            for citation, evidence in updates.evidence_of(ledger, question)[newest.id or 0]
        ]


def say(engine: Engine, slug: str, value: Value) -> None:
    with database.writing(engine) as ledger:
        alice = member_or_new(ledger, "alice", now=day(0))
        updates.update(ledger, registry.find(ledger, slug), value, member=alice, now=day(3))


def save(app: AppTest, slug: str, number: int = 0) -> None:
    app.button(key=f"forecast-{slug}#{number}-save").click().run()


def test_it_starts_from_what_stands_and_saving_it_unchanged_says_so(
    furnished: AppTest, engine: Engine
) -> None:
    say(engine, "quay", Value(probability=5 / 7))
    visit(furnished, "question", slug="quay")
    assert furnished.text_input(key="forecast-quay#0-value").value == "71.4286%"
    assert furnished.slider(key="forecast-quay#0-slider").value == 71
    save(furnished, "quay")
    assert toasts(furnished) == ["Saved: still 71.4% on “Will the quay open?”."]
    with database.reading(engine) as ledger:
        path = updates.history(ledger, registry.find(ledger, "quay"))
    assert [forecast.probability for forecast, _ in path[1:]] == [5 / 7, 5 / 7]


def test_saving_says_before_and_after(furnished: AppTest, engine: Engine) -> None:
    say(engine, "quay", Value(probability=0.4))
    visit(furnished, "question", slug="quay")
    furnished.slider(key="forecast-quay#0-slider").set_value(9).run()
    save(furnished, "quay")
    assert toasts(furnished) == ["Saved: 40% → 9% on “Will the quay open?”."]
    assert furnished.text_input(key="forecast-quay#1-value").value == "9%"


def test_the_options_start_from_the_standing_percentages(
    furnished: AppTest, engine: Engine
) -> None:
    thirds = (1 / 3, 1 / 3, 1 / 3)
    say(engine, "port", Value(probabilities=thirds))
    visit(furnished, "question", slug="port")
    values = [furnished.slider(key=f"forecast-port#0-option-{n}").value for n in range(3)]
    assert values == [33] * 3
    save(furnished, "port")
    assert toasts(furnished)[0].startswith("Saved: still Busan 33.3%")
    with database.reading(engine) as ledger:
        newest, _ = updates.history(ledger, registry.find(ledger, "port"))[-1]
    assert newest.probabilities == list(thirds)


def test_a_withdrawal_says_what_stood(furnished: AppTest, engine: Engine) -> None:
    say(engine, "quay", Value(probability=0.4))
    visit(furnished, "question", slug="quay")
    furnished.button(key="withdraw-quay#0-go").click().run()
    assert toasts(furnished) == ["Withdrew 40% from “Will the quay open?”."]


def test_several_pieces_of_evidence_are_taken_each_with_its_own_stance_kind_and_share(
    furnished: AppTest, engine: Engine
) -> None:
    visit(furnished, "question", slug="quay")
    key = "forecast-quay#0"
    furnished.text_input(key=f"{key}-value").input("35%")
    furnished.text_input(key=f"{key}-evidence").input("https://example.org/paint")
    furnished.button(key=f"{key}-add").click().run()
    furnished.button(key=f"{key}-add").click().run()
    # The typed text is kept, and nothing is saved.
    assert furnished.text_input(key=f"{key}-value").value == "35%"
    assert furnished.text_input(key=f"{key}-evidence").value == "https://example.org/paint"
    assert toasts(furnished) == []
    furnished.selectbox(key=f"{key}-2-article").select_index(0)
    furnished.selectbox(key=f"{key}-2-stance").select("opposes")
    furnished.number_input(key=f"{key}-2-share").set_value(60)
    furnished.text_input(key=f"{key}-3-evidence").input("Quays open late")
    furnished.selectbox(key=f"{key}-3-stance").select("context")
    furnished.selectbox(key=f"{key}-3-kind").select("base_rate")
    save(furnished, "quay")
    assert errors(furnished) == ""
    assert cited(engine, "quay") == [
        ("opposes", "news", None, "https://example.org/paint"),
        ("opposes", "news", 0.6, "https://example.org/harbour"),
        ("context", "base_rate", None, "Quays open late"),
    ]
    assert toasts(furnished) == [
        "Saved: 35% on “Will the quay open?”. Evidence: 2 against yes, 1 as context."
    ]


@pytest.mark.parametrize(
    ("first", "second", "rule"),
    [
        ({"evidence": "a", "article": 0}, {}, "Evidence 1 names both an article and 'a'."),
        ({"evidence": "a", "share": 70}, {"evidence": "b", "share": 50}, "sum to 1.2"),
        ({"evidence": "a"}, {"share": 50}, "Evidence 2 has a share but no source."),
        ({"evidence": "a"}, {"evidence": "a"}, "cited twice"),
    ],
)
def test_evidence_that_is_not_clear_is_refused_and_the_words_stay(
    furnished: AppTest,
    engine: Engine,
    first: dict[str, str | int],
    second: dict[str, str | int],
    rule: str,
) -> None:
    visit(furnished, "question", slug="quay")
    key = "forecast-quay#0"
    furnished.text_input(key=f"{key}-value").input("35%")
    furnished.button(key=f"{key}-add").click().run()
    for at, fields in ((key, first), (f"{key}-2", second)):
        for name, given in fields.items():
            if name == "evidence":
                furnished.text_input(key=f"{at}-evidence").input(str(given))
            elif name == "article":
                furnished.selectbox(key=f"{at}-article").select_index(int(given))
            else:
                furnished.number_input(key=f"{at}-share").set_value(int(given))
    save(furnished, "quay")
    assert rule in errors(furnished)
    assert toasts(furnished) == []
    assert furnished.text_input(key=f"{key}-value").value == "35%"
    with database.reading(engine) as ledger:
        assert len(updates.history(ledger, registry.find(ledger, "quay"))) == 1


def test_an_article_that_was_pasted_can_be_cited(app: AppTest, engine: Engine) -> None:
    from forecasts.articles import library
    from forecasts.reading.article import CapturedArticle

    pasted = CapturedArticle(
        title="Pasted", publisher=None, author=None, published_at=None, url=None, text="Words."
    )
    with database.writing(engine) as ledger:
        alice = member_or_new(ledger, "alice", now=day(0))
        [(article, _)] = library.store(ledger, [pasted], member=alice, captured_at=day(0))
        address = article.address
        ask(ledger, alice, slug="rain")
    visit(app, "question", slug="rain")
    app.text_input(key="forecast-rain#0-value").input("35%")
    app.selectbox(key="forecast-rain#0-article").select_index(0)
    save(app, "rain")
    assert cited(engine, "rain") == [("opposes", "news", None, address)]


@pytest.mark.parametrize(
    ("slug", "label"),
    [("quay", "Effect on “yes”"), ("depth", "Effect on a higher number"),
     ("port", "Effect on the option that changes most")],
)  # fmt: skip
def test_it_says_what_evidence_speaks_for(furnished: AppTest, slug: str, label: str) -> None:
    visit(furnished, "question", slug=slug)
    stance = furnished.selectbox(key=f"forecast-{slug}#0-stance")
    assert (stance.label, stance.value, stance.options[0]) == (label, None, "raises it")
    assert stance.placeholder == "follows your update"


def test_the_stance_is_unset_and_proposed_from_the_direction_of_the_move(
    furnished: AppTest, engine: Engine
) -> None:
    say(engine, "quay", Value(probability=0.4))
    visit(furnished, "question", slug="quay")
    key = "forecast-quay#0"
    for typed, proposed in (("60", "raises it"), (".2", "lowers it"), ("40%", "context only")):
        furnished.text_input(key=f"{key}-value").input(typed).run()
        stance = furnished.selectbox(key=f"{key}-stance")
        assert (stance.value, stance.placeholder) == (None, f"{proposed} (proposed)")
    furnished.text_input(key=f"{key}-value").input("60")
    furnished.text_input(key=f"{key}-evidence").input("The paint is dry")
    save(furnished, "quay")
    assert cited(engine, "quay") == [("supports", "news", None, "The paint is dry")]


def test_a_stance_against_the_move_is_asked_about_before_it_is_saved(
    furnished: AppTest, engine: Engine
) -> None:
    say(engine, "quay", Value(probability=0.4))
    visit(furnished, "question", slug="quay")
    key = "forecast-quay#0"
    furnished.text_input(key=f"{key}-value").input("60")
    furnished.text_input(key=f"{key}-evidence").input("The strike")
    furnished.selectbox(key=f"{key}-stance").select("opposes")
    save(furnished, "quay")
    assert "moves towards yes, but all its evidence opposes it" in errors(furnished)
    assert "save again if it is right" in errors(furnished)
    assert toasts(furnished) == []
    # Another mismatch is asked about again.
    furnished.text_input(key=f"{key}-value").input("20")
    furnished.selectbox(key=f"{key}-stance").select("supports")
    save(furnished, "quay")
    assert "moves away from yes, but all its evidence supports it" in errors(furnished)
    save(furnished, "quay")
    assert errors(furnished) == ""
    assert toasts(furnished) == ["Saved: 40% → 20% on “Will the quay open?”. Evidence: 1 for yes."]


@pytest.mark.parametrize(
    ("typed", "shown"),
    [("30", "30%, odds"), (".3", "30%, odds"), ("0.3", "30%, odds"), ("3:7", "30%, odds"),
     ("1/3", "33.3%, odds"), ("1", "1%, odds"), ("1.0", "could be 1% or 100%"),
     ("130", "must be from 0% to 100%")],
)  # fmt: skip
def test_what_is_typed_is_read_beside_a_percent_sign_and_shown_before_it_is_saved(
    furnished: AppTest, typed: str, shown: str
) -> None:
    visit(furnished, "question", slug="quay")
    furnished.text_input(key="forecast-quay#0-value").input(typed).run()
    said = [caption.value.translate(UNSEEN) for caption in furnished.caption]
    assert [words for words in said if shown in words]


def test_a_slider_that_nobody_set_says_so_and_is_not_a_forecast(
    furnished: AppTest, engine: Engine
) -> None:
    visit(furnished, "question", slug="quay")
    key = "forecast-quay#0"
    assert furnished.slider(key=f"{key}-slider").label == "Probability slider, not set"
    save(furnished, "quay")
    assert "The probability is blank." in errors(furnished)
    furnished.text_input(key=f"{key}-value").input("3:7").run()
    # A typed value moves the slider, which is then another widget.
    slider = furnished.slider(key=f"{key}-slider~1")
    assert (slider.label, slider.value) == ("Probability slider", 30)
    slider.set_value(80).run()
    assert furnished.text_input(key=f"{key}-value~1").value == "80%"


def test_of_options_it_names_the_one_that_moves_most_as_they_are_typed(
    furnished: AppTest, engine: Engine
) -> None:
    visit(furnished, "question", slug="port")
    typed = "Busan=10%, Ulsan=50%, Other=40%"
    furnished.text_input(key="forecast-port#0-value").input(typed).run()
    stance = furnished.selectbox(key="forecast-port#0-stance").select("opposes")
    assert stance.label == "Effect on “Busan”"
    furnished.text_input(key="forecast-port#0-evidence").input("The strike")
    save(furnished, "port")
    assert "Evidence: 1 against “Busan”." in toasts(furnished)[0]


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
    with database.reading(engine) as ledger:
        alice = member_or_new(ledger, "alice", now=day(0))
        path = updates.history(ledger, registry.find(ledger, slug), alice)
    return [format_value(forecast) for forecast, _ in path]


@pytest.mark.parametrize("page", ["today", "question"])
@pytest.mark.parametrize(
    ("slug", "typed", "saved"),
    [
        ("quay", "44", ["44%"]),
        ("quay", "4x", []),
        ("quay", "", []),
        ("port", "Busan=50%, Ulsan=30%", ["option 1 50%, option 2 30%, option 3 20%"]),
        ("port", "44", []),
        ("port", "", []),
        ("depth", "10%=5, 50%=10", ["10th percentile: 5, 50th: 10"]),
        ("depth", "44", []),
        ("depth", "", []),
    ],
)
def test_what_is_saved_is_what_was_typed_whatever_drawing_the_browser_missed(
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
