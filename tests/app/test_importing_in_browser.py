"""Another platform's files in a browser: uploaded, previewed, imported, a decision undone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.app.browsing import IN_BROWSER, Server
from tests.platforms.metaculus_files import export, forecast, question

pytestmark = IN_BROWSER


def exported(folder: Path) -> list[Path]:
    """Return the files of an export in which the question about the quay is asked too."""
    now = datetime.now(UTC)
    opened, closes = (now - timedelta(days=9)), now + timedelta(days=60)
    asked = question(
        71,
        **{
            "Question Title": "Will the quay open soon?",
            "Post ID": 71,
            "Open Time": opened.isoformat(" "),
            "Scheduled Close Time": closes.isoformat(" "),
        },
    )
    made = forecast(71, at=f"{now - timedelta(days=2):%F %T}", **{"Probability Yes": "0.4"})
    return sorted(export(folder, [asked], [made]).glob("*.csv"))


def test_an_export_is_previewed_imported_and_compared_on_a_phone(
    page: Page, server: Server, tmp_path: Path
) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{server.base}/exchange")
    page.locator("input[type=file]").set_input_files(exported(tmp_path / "metaculus"))
    expect(page.get_by_role("combobox", name="Format")).to_have_value("Metaculus")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("tab", name="Questions (1)")).to_be_visible()
    wide = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    assert not wide
    for words in ("Will the quay open soon?", "new · 1 new forecast"):
        box = page.get_by_role("tabpanel").get_by_text(words).bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 390
    page.get_by_role("button", name="Import", exact=True).press("Enter")
    expect(page.get_by_text("Imported from Metaculus")).to_be_visible()
    page.get_by_role("button", name="Select all shown").press("Enter")
    expect(page.get_by_role("button", name="Join 1 selected")).to_be_visible()
    page.get_by_role("button", name="Not the same").press("Enter")
    expect(page.get_by_text("No two questions of different platforms")).to_be_visible()
    page.get_by_role("button", name="Undo").press("Enter")
    expect(page.get_by_role("button", name="Join 1 selected")).to_be_visible()
