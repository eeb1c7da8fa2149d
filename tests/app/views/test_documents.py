"""Every block of a document on a page; of several figures, the reader picks one."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

pytestmark = pytest.mark.slow


def page() -> None:
    from dataclasses import replace

    from app.views.documents import ending, section
    from forecasts.documents import charts
    from forecasts.documents import document as of

    axis = charts.percent_axis("Forecast")
    line = charts.Chart(axis, axis, (charts.Series("line", "curve", charts.DIAGONAL),))
    table = of.Table("", ("Name", "Brier"), (("Ann", "0.1"),), note="0 is best.")
    ann, bob = (of.Figure(name, name, f"{name} rises.", (line,), table) for name in ("Ann", "Bob"))
    plot = charts.Forest(-1, 1, 0, (charts.ForestRow("Ann", (0.2,), (0.1, 0.3), "+0.2"),))
    blocks: tuple[of.Block, ...] = (
        "It is *her* text.",
        of.Bullets(("one", "two")),
        of.Facts((("Type", "Date"), ("Source", "a page")), ("", "https://example.org")),
        of.Quote("Line 1\nLine 2"),
        replace(table, plot=plot, plot_heading="Difference"),
        replace(table, plot=replace(plot, rows=(None,))),
        of.Beside((table, of.Figure("Cy", "Cy", "Cy falls.", (line,)))),
    )
    section(of.Section("Pairs", blocks=(*blocks, ann, bob)))
    section(of.Section("Words", blocks=("Alone.",)))
    wide = of.Table("", ("Name", *"ABCDEFG"), (("Ann", *"1234567"),), optional=tuple("BCDEFG"))
    section(of.Section("Wide", blocks=(replace(wide, terms=(of.Term("F", "is explained."),)),)))
    ending(of.Document("Report", (), scope="All questions.", notes=("A note.",)))


def test_every_block_is_shown_and_one_of_several_figures() -> None:
    app = AppTest.from_function(page).run()
    assert [one.value for one in app.header] == ["Pairs", "Words", "Wide"]
    text, bullets, quote, *others = (one.value.replace("\\.", ".") for one in app.markdown)
    assert (text, bullets) == (r"It is \*her\* text.", "- one\n- two")
    assert [line.strip() for line in quote.splitlines()] == ["Line 1", "Line 2"]
    assert others == ["Cy falls.", "Ann rises.", "Alone."]
    facts, *said = (one.value.replace("\\", "") for one in app.caption)
    assert facts.startswith("Type: Date  \nSource: [a page](")
    assert said == [
        *["0 is best."] * 4,
        "F: is explained. [All terms](terms)",
        "A note.",
        "All questions.",
    ]
    *narrow, wide, more, still_more = app.table
    assert len(narrow) == 4
    heads = [list(table.value.columns) for table in (wide, more, still_more)]
    assert heads == [["Name", "A"], ["Name", *"BCD"], ["Name", *"EFG"]]
    assert [one.label for one in app.expander] == ["In words", "More columns"]
    assert len(app.get("vega_lite_chart")) == 3
    picked = app.selectbox[0].select("Bob").run()
    assert r"Bob rises\." in [one.value for one in picked.markdown]
