"""A feed of the newest resolutions, in Atom (RFC 4287)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5
from xml.etree import ElementTree as Xml

from forecasts.common.text import on_one_line
from forecasts.common.times import iso
from forecasts.publication.question_view import QuestionView
from forecasts.publication.record import Publication

_MOST = 100  # entries
_ATOM = "http://www.w3.org/2005/Atom"


def feed(publication: Publication, views: Sequence[QuestionView], *, url: str) -> str:
    """Return the feed; without ``url``, the site's address, its links are relative.

    An entry keeps its id when an outcome is corrected, and has a later time then.
    """
    root = Xml.Element("feed", xmlns=_ATOM)
    _add(root, "title", f"Resolutions: {publication.title}")
    _add(root, "id", f"{url}feed.xml" if url else _id(publication.title))
    resolved = [
        (resolution.recorded_at, view)
        for view in views
        if (resolution := view.question.state.resolution) is not None
    ]
    resolved.sort(key=lambda one: one[0], reverse=True)
    newest = resolved[0][0] if resolved else None
    # A feed must have a time; before the first resolution it is that of the last forecast.
    _add(root, "updated", iso(_whole(newest or publication.numbers.last or _EPOCH)))
    _add(_add(root, "author"), "name", publication.title)
    _add(root, "generator", "Forecast Ledger")
    if url:
        _add(root, "link", rel="self", type="application/atom+xml", href=f"{url}feed.xml")
    _add(root, "link", rel="alternate", type="text/html", href=f"{url}index.html")
    for recorded_at, view in resolved[:_MOST]:
        entry = _add(root, "entry")
        state, page = view.question.state, f"{url}questions/{view.stem}.html"
        _add(entry, "title", f"{view.status}: {view.text.title}")
        _add(entry, "id", _id(f"{state.slug} {iso(state.question.recorded_at)}"))
        _add(entry, "updated", iso(_whole(recorded_at)))
        _add(entry, "link", rel="alternate", type="text/html", href=page)
        _add(entry, "summary", _summary(view))
    Xml.indent(root, "")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{Xml.tostring(root, encoding="unicode")}\n'


_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00Z")


def _summary(view: QuestionView) -> str:
    value, what = view.headline
    score = f" {view.score_name}: {view.score}." if view.score else ""
    note = f" {view.question.note}" if view.question.note else ""
    return f"{view.status}. Forecast: {value} ({what}).{score}{note}"


def _add(parent: Xml.Element, name: str, words: str = "", **attributes: str) -> Xml.Element:
    element = Xml.SubElement(parent, name, attributes)
    if words:
        element.text = on_one_line(words)
    return element


def _id(name: str) -> str:
    return f"urn:uuid:{uuid5(NAMESPACE_URL, f'forecast-ledger:{name}')}"


def _whole(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)
