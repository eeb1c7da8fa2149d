"""Publish one's own record: its site, with the proof, as an archive to download."""

from __future__ import annotations

import streamlit as st

from app.markdown_text import as_text
from app.session import current_member, now, reading, settings, shown_errors
from forecasts.operations.stamps import folder_of_proofs, stamps
from forecasts.publication import facts
from forecasts.publication.publish import Published, publish_as_zip


def publish_record() -> None:
    """Show the part that builds the site of the reader's own record."""
    with st.popover("Publish"):
        st.caption(
            "Your record as a site with its proof, for any web server. It has only what everyone "
            "may see."
        )
        url = st.text_input(
            "Address",
            placeholder="https://example.org/record/",
            key="publish-url",
            help="Optional: where the site will be, for links in its feed and cards.",
        )
        if not st.button("Build the site", key="publish"):
            return
        with shown_errors(), st.spinner("Building the site …"):
            done, archive = _built(url.strip())
            for said in filter(None, [facts.may_be_private(done.record), *done.record.withheld]):
                st.warning(as_text(said))
            st.download_button(
                "Download",
                data=archive,
                file_name="record.zip",
                mime="application/zip",
                key="download-site",
                on_click="ignore",
                type="primary",
            )


def _built(url: str) -> tuple[Published, bytes]:
    chosen = settings()
    with reading() as ledger:
        me = current_member(ledger)
        stamped = stamps(folder_of_proofs(ledger, chosen.proofs_folder), roots=chosen.stamp_roots)
        return publish_as_zip(
            ledger,
            who=me,
            member=me,
            stamps={one.digest: one.file.read_bytes() for one in stamped if not one.fault},
            url=url,
            now=now(),
        )
