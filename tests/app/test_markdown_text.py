"""Users' text on a page: shown exactly as written, and inert."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.markdown_text import as_text, link, marked, paragraphs, reworded, span, tagged
from app.views.import_preview import added
from forecasts.importing.frames import Imported
from forecasts.importing.record import Preview

JOINER = "\u2060"


def shown(markdown: str) -> str:
    """Return escaped text as a reader sees it: no backslashes, fences or invisible characters."""
    outside = re.compile(r"\\([!-/:-@\[-`{-~])|" + JOINER)
    parts = re.split(r"(?<!\\)(`+) ?(.+?) ?\1(?!`)", markdown)
    return "".join(
        part if place % 3 == 2 else "" if place % 3 else outside.sub(r"\1", part)
        for place, part in enumerate(parts)
    )


@pytest.mark.slow
@given(
    st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters=JOINER))
)
def test_escaped_words_read_as_they_were_written(words: str) -> None:
    plain = re.sub("[\u202a-\u202e\u2066-\u2069]", " ", words)
    assert shown(as_text(words)) == " ".join(plain.split())


@given(st.text("*_`$[]()<>#|~:\\!-=+.&a1 \n"))
def test_no_sign_that_markdown_acts_upon_stays_unescaped(words: str) -> None:
    assert not re.search(r"(?<!\\)(?:\\\\)*[*_`$\[\]()<>#|~!]", as_text(words))


@pytest.mark.parametrize(
    ("words", "torn"),
    [
        (":smile:", ":smile:"),
        (":material/home:", ":material/home:"),
        ("no address: https:// and www.", "https://"),
        ("no address: https:// and www.", "www."),
        ("ftp://example.org", "ftp://"),
        ("me@example", "me@example"),
        ("mailto:me", "mailto:me"),
        ("a -> b", "->"),
    ],
)
def test_the_renderers_own_patterns_are_broken_up(words: str, torn: str) -> None:
    read = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", as_text(words))
    assert torn not in read
    assert shown(as_text(words)) == words


@pytest.mark.parametrize(
    ("words", "address"),
    [
        ("see https://example.org/a_b?x=1&y=[2]==#z, now", "https://example.org/a_b?x=1&y=[2]==#z"),
        ("(HTTP://127.0.0.1:8501/a:b:c/--d)", "HTTP://127.0.0.1:8501/a:b:c/--d"),
        ("www.example.org.", "www.example.org"),
        ("write to me@news.example.org!", "me@news.example.org"),
        ("https://example.org/`tick`", "https://example.org/`tick`"),
    ],
)
def test_an_address_is_copied_as_it_is(words: str, address: str) -> None:
    markdown = as_text(words)
    assert JOINER not in markdown
    assert shown(markdown) == words
    [(_, span)] = re.findall(r"(?<!\\)(`+) ?(.+?) ?\1(?!`)", markdown)
    assert span.startswith(address)


@pytest.mark.parametrize("option", ["--remember", "--visible-to"])
def test_an_option_of_a_command_is_copied_unchanged(option: str) -> None:
    assert as_text(f"forecasts pull {option}, then") == f"forecasts pull `{option}`\\, then"


def test_an_address_that_is_its_own_label_is_copied_as_it_is() -> None:
    url = "https://example.org/a_b?x=:1:&y=2"
    assert link(url, url) == f"[`{url}`](<{url}>)"


def test_words_that_turn_the_direction_of_the_text_lose_that_power() -> None:
    assert as_text("safe\u202eexe") == "safe exe"


def test_paragraphs_stay_apart() -> None:
    assert paragraphs("One.\n\nTwo\nlines.") == "One\\.\n\nTwo lines\\."


def test_a_link_cannot_be_broken_out_of() -> None:
    assert link("https://example.org/a b>)", "A [label]") == (
        "[A \\[label\\]](<https://example.org/a%20b%3E)>)"
    )


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "urn:sha256:00", "file:///etc/passwd", None]
)
def test_only_web_addresses_become_links(url: str | None) -> None:
    assert link(url, "label") == "label"


def test_marked_passages_stand_out_and_their_paragraphs_stay_whole() -> None:
    text = "First. Second one.\n\nThird. A fourth."
    second = "[Second one\\.](#two)"
    assert marked(text, [(7, 18, "two")]) == [f"First\\. {second}", "Third\\. A fourth\\."]
    assert marked(text, [(27, 36, "four"), (7, 18, "two")]) == [
        f"First\\. {second}",
        "Third\\. [A fourth\\.](#four)",
    ]


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (timedelta(days=800), "2 years"),
        (timedelta(days=1, hours=5), "1 day"),
        (timedelta(hours=3), "3 hours"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(seconds=5), "less than a minute"),
    ],
)
def test_a_length_of_time_is_said_in_its_largest_unit(length: timedelta, said: str) -> None:
    assert span(length) == said


def test_the_additions_of_an_import_include_printed_scores() -> None:
    nothing = Imported(0, 0, 0, 0, 0, 0, 0)
    assert added(nothing) == []
    some = replace(nothing, forecasts=1)
    preview = Preview("fatebook", some, (), 0, 0, (), 0, (), (), printed=2, notes=())
    assert added(preview) == ["1 forecast", "2 printed scores"]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("Will it rain in May?", "Will it snow in May?", r"Will it ~~rain~~ **snow** in May\?"),
        ("As the gazette says.", "As the gazette says on Monday.", r"~~says\.~~ **says on"),
        ("one " * 20 + "two", "one " * 20 + "three", "… one one one one ~~two~~ **three**"),
        ("two " + "one " * 20, "one " * 20, "~~two~~ one one one one …"),
        ("a b c", "a **b** c", r"a ~~b~~ **\*\*b\*\*** c"),
    ],
)
def test_a_wording_shows_its_removed_and_added_words(before: str, after: str, said: str) -> None:
    assert said in str(reworded(before, after))


@pytest.mark.parametrize(
    ("before", "after"), [("", "a b"), ("a b", ""), ("a b c", "d e f"), ("a " * 2000, "b " * 2000)]
)
def test_wordings_with_little_in_common_are_shown_whole(before: str, after: str) -> None:
    assert reworded(before, after) is None


def test_a_figure_is_not_broken_between_lines_and_a_tag_is_framed() -> None:
    assert as_text("ranks 1 to 3") == "ranks 1\u00a0to\u00a03"
    assert as_text("(0.149 to 0.189), 5 to").replace("\\", "") == "(0.149\u00a0to\u00a00.189), 5 to"
    assert tagged(["a]b", "trade"]) == ":gray-badge[a\\]b] :gray-badge[trade]"
