"""Empty pages show an example of what will be there."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.conftest import visit, words

pytestmark = pytest.mark.slow

PAGES = ("questions", "articles", "my_scores", "track_record", "compare", "arena", "team",
         "resolve")  # fmt: skip


def test_each_empty_page_shows_an_example_and_one_first_step(app: AppTest) -> None:
    seen = set()
    for page in (*PAGES, "practice"):
        visit(app, page, on="This ledger")
        assert "Example" in words(app), page
        [picture] = [image for shown in app.image for image in shown.proto.imgs]
        assert picture.alt.startswith("Example: "), page
        seen.add(picture.alt)
        assert not app.exception
    assert len(seen) == len(PAGES)  # Practice leads to a track record
    app.button(key="built-in").click().run()
    assert app.segmented_control(key="on").value == "Built-in set"
    assert not app.image
