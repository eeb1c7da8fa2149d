"""Documents: every format says the same, and takes everyone's words as words."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import typst

from forecasts.common.text import on_one_line, printable, without_formulas
from forecasts.documents.as_csv import as_csv
from forecasts.documents.as_html import as_html
from forecasts.documents.as_json import as_json
from forecasts.documents.as_markdown import as_markdown, escaped
from forecasts.documents.as_pdf import as_pdf
from forecasts.documents.as_text import as_text
from forecasts.documents.charts import Chart, Series, percent_axis
from forecasts.documents.document import (
    Beside,
    Block,
    Bullets,
    Document,
    Facts,
    Figure,
    Finding,
    Quote,
    Section,
    Table,
    Term,
)
from tests.nasty import MARKUP, WORDS

WRITERS: list[Callable[[Document], str | bytes]] = [as_text, as_markdown, as_html, as_pdf]
CHART = Chart(
    percent_axis("Forecast"),
    percent_axis("Happened"),
    (Series("line", "curve", ((0.0, 0.0), (1.0, 1.0)), "calibrated"),),
)


def of(*blocks: Block, title: str = "Rain") -> Document:
    return Document(title, (Section("Blocks", blocks=blocks),))


def with_every_block(word: str) -> Document:
    table = Table(word, (word, "Number"), ((word, "1"),), note=word)
    blocks: tuple[Block, ...] = (
        word,
        table,
        Figure(word, word, word, (CHART,), table, listed=True),
        Facts(((word, word),)),
        Quote(word),
        Bullets((word,)),
        Beside((table, Figure(word, word, word, (CHART,)))),
    )
    section = Section(word, (Finding(word, sign="◆"),), blocks)
    term = Term(word, word)
    return Document(word, (section,), word, (word,), (term,), (term,), ((word, word),))


class Page(HTMLParser):
    """The tags, attributes and text of a page, as a browser reads them."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("write", WRITERS)
def test_equal_documents_have_equal_bytes(write: Callable[[Document], str | bytes]) -> None:
    assert write(with_every_block("word")) == write(with_every_block("word"))
    assert write(Document("Nothing", ()))


def test_a_row_of_a_table_can_be_put_in_words() -> None:
    table = Table("", ("Name", "Number"), tuple((f"n{n}", str(n)) for n in range(5)))
    assert table.in_words[1] == "Name: n1; Number: 1"
    assert [row[1] for row in table.thinned(3).rows] == ["0", "3", "4"]


def test_every_format_has_every_block() -> None:
    made = of(
        "A paragraph.",
        Facts((("Type", "binary"), ("From", "Fatebook")), ("", "https://example.org/1")),
        Quote("First line\nsecond line"),
        Bullets(("one", "other")),
        Table("", ("Question", "Brier"), (("rain", "0.1"),), links=("questions/rain.html",)),
    )
    assert as_text(made) == (
        "Rain\n\nBlocks\nA paragraph.\n\n"
        "Type: binary\nFrom: Fatebook (https://example.org/1)\n\n"
        "  First line\n  second line\n\n"
        "one\nother\n\n"
        "Question  Brier\nrain        0.1\n"
    )
    assert as_markdown(made) == (
        "# Rain\n\n## Blocks\n\nA paragraph.\n\n"
        "- Type: binary\n- From: [Fatebook](<https://example.org/1>)\n\n"
        "> First line\n> second line\n\n"
        "- one\n- other\n\n"
        "| Question | Brier |\n| :-- | --: |\n| [rain](<questions/rain.html>) | 0\\.1 |\n"
    )
    page = Page(as_html(made))
    assert {"dl", "blockquote", "ul", "table", "th"} <= set(page.tags)
    addresses = [value for name, value in page.attributes if name == "href"]
    assert addresses == ["https://example.org/1", "questions/rain.html"]
    # Pages elsewhere learn nothing from a link, and cannot reach back.
    rels = [value for name, value in page.attributes if name == "rel"]
    assert rels == ["nofollow noopener noreferrer"]
    assert "First line\nsecond line" in page.text


@pytest.mark.parametrize("word", WORDS)
def test_a_page_shows_any_words_and_runs_no_script(word: str) -> None:
    source = as_html(with_every_block(word))
    page = Page(source)
    assert not {"script", "img", "b", "i"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on") or name == "src"]
    assert "default-src 'none'" in source
    assert "url(" not in source
    assert "@import" not in source
    assert printable(source) == source
    assert on_one_line(word) in on_one_line(page.text)


@pytest.mark.parametrize("word", WORDS)
def test_markdown_shows_any_words_without_markup(word: str) -> None:
    shown = escaped(word)
    assert not re.search(r"[*_`$^\[\]<>|{}#~&!@]|:[a-z]+:", re.sub(r"\\.", "", shown))
    assert re.sub(r"\\(.)", r"\1", shown).replace("\u2060", "") == on_one_line(word)
    written, plain = (as_markdown(with_every_block(on_one_line(w))) for w in (word, "word"))
    assert f"\n## {shown}\n" in written
    assert printable(written.replace("\u2060", "")) == written.replace("\u2060", "")
    for line, other in zip(written.splitlines(), plain.splitlines(), strict=True):
        assert line.count(" | ") == other.count(" | ")
        assert line.startswith(other.partition("word")[0])


def test_control_characters_hide_no_markup() -> None:
    assert escaped("\x00# ana\x1b[2J\u202e\u200b- bo\x9b1m") == r"\# ana\[2J- bo1m"


def test_a_link_cannot_end_its_address() -> None:
    made = of(Facts((("From", "x"),), ("https://example.org/> <b>\n# y",)))
    assert "(<https://example.org/%3E%20%3Cb%3E%0A#%20y>)" in as_markdown(made)
    assert "<b>" not in as_html(made)


@pytest.mark.parametrize("word", WORDS)
def test_a_terminal_gets_no_control_characters_and_no_markup(word: str) -> None:
    written = as_text(with_every_block(word))
    assert printable(written) == written
    if word in MARKUP:
        assert on_one_line(word) in on_one_line(written)


def test_a_pdf_takes_no_words_for_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    headings: list[Any] = []

    def query(template: Path, **given: Any) -> bytes:
        del given["timestamp"]
        headings.extend(json.loads(typst.query(template, "heading.where(level: 2)", **given)))
        return b""

    monkeypatch.setattr("typst.compile", query)
    sections = tuple(Section(word) for word in WORDS)
    as_pdf(Document("Words", sections))
    assert {one["body"]["func"] for one in headings} == {"text"}
    assert [on_one_line(one["body"]["text"]) for one in headings] == list(map(on_one_line, WORDS))


@pytest.mark.parametrize("lines", [1, 36])  # without a smaller chart, 36 take two pages
def test_the_first_page_of_a_record_has_its_chart_which_is_smaller_below_long_findings(
    lines: int,
) -> None:
    figure = Figure("Outcomes", "Higher is later.", "A line.", (CHART,))
    findings = (Finding("Rain came. " * 6 * lines),)
    section = Section("Ann", findings, (figure,), basis=("How.",))
    pages = re.search(rb"/Count (\d+)", as_pdf(Document("Rain", (section,))))
    assert pages is not None
    assert pages[1] == b"2"


def test_a_pdf_has_characters_that_its_fonts_lack() -> None:
    assert as_pdf(of("習近平")).startswith(b"%PDF")


def test_lines_of_text_keep_to_the_width() -> None:
    words = "a few words of ordinary length " * 9
    table = Table("", ("Name", "Note", "Number"), ((words, words, "1"),), text_columns=2)
    made = of(words, Facts((("Fact", words),)), Quote(words), Bullets((words,)), table)
    for width in (60, 100):
        assert max(map(len, as_text(made, width=width).splitlines())) <= width


def test_a_narrow_table_leaves_out_columns_and_names_them() -> None:
    table = Table("", ("", *(f"Number {n}" for n in range(9))), (("x" * 40, *["12.345678"] * 9),))
    drawn = as_text(of(table), width=60)
    assert max(map(len, drawn.splitlines())) <= 60
    assert drawn.count("12.345678") == 4
    left_out = "Left out here: Number 8; Number 7; Number 6; Number 5; Number 4."
    assert left_out in on_one_line(drawn)


def test_optional_columns_go_before_a_name_is_broken() -> None:
    names = [f"{place:02} klmnopqrstuvwxyzabcde"[:24] for place in range(3)]
    head = ("", *(f"Heading {n}" for n in range(6)))
    rows = tuple((name, *["0.123 to 0.456"] * 6) for name in names)
    drawn = as_text(of(Table("", head, rows, optional=("Heading 5", "Heading 4"))), width=100)
    assert "Left out here: Heading 5" in on_one_line(drawn)
    for name in names:
        assert re.search(rf"(?m)^{name}  .*0\.456$", drawn)


def test_optional_columns_beyond_seven_are_left_out_also_where_they_fit() -> None:
    head = ("", *(f"Heading {n}" for n in range(9)))
    drawn = as_text(of(Table("", head, (("a", *"012345678"),), optional=head[7:])), width=100)
    assert "Left out here: Heading 6; Heading 7; Heading 8." in on_one_line(drawn)
    rest = Table("", head, (("a", *"012345678"),))  # all of them are needed
    assert "Left out" not in as_text(of(rest), width=110)


def test_of_several_sections_a_text_shows_the_summaries() -> None:
    sections = tuple(Section(f"S{n}", (), ("a block",), ("a summary",)) for n in range(2))
    assert "a block" not in as_text(Document("Rain", sections))
    assert as_text(Document("Rain", sections)).count("a summary") == 2
    assert "a block" in as_text(Document("Rain", sections[:1]))


def test_a_text_explains_the_key_terms_and_says_where_the_others_are() -> None:
    key, other = Term("AUC", "the area."), Term("CRPS", "the other.")
    made = Document("Rain", (), terms=(key, other), key_terms=(key,))
    assert "AUC: the area." in as_text(made)
    assert "the other." not in as_text(made)
    assert "The other terms are explained" in as_text(made)
    assert "The other terms" not in as_markdown(made)


@dataclass(frozen=True)
class Rain:
    name: str
    chance: float | None
    interval: tuple[float, float] | None = None
    SCHEMA = "rain-1"


def test_csv_has_full_precision_blanks_for_nothing_and_no_formulas() -> None:
    rows = [Rain("=1+1", 0.1 + 0.2, (0.1, 0.2)), Rain("dry", None)]
    columns = {"name": "name", "chance": "chance", "upper": "interval.1", "flag": lambda _: True}
    written = as_csv(rows, columns, Rain("about", 1.0), ("name",))
    assert list(csv.reader(io.StringIO(written))) == [
        ["name", "chance", "upper", "flag", "name"],
        [without_formulas("=1+1"), "0.30000000000000004", "0.2", "true", "about"],
        ["dry", "", "", "true", "about"],
    ]


def test_json_names_its_schema_and_has_no_infinite_number() -> None:
    rain = {"name": "é", "chance": None, "interval": None}
    assert json.loads(as_json(Rain("é", None))) == {"schema": "rain-1"} | rain
    with pytest.raises(ValueError, match="JSON"):
        as_json(Rain("x", float("inf")))
