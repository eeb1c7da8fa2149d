"""The publisher, author and time beside a title.

An *imprint* is a line with nothing else: "Example Times · 2 days ago", "By Jane Doe", "• Example
Times", "Source: Example Times". Names of persons and publishers look alike, but publishers are
called Times, Post or Wire, or have a name in capital letters.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from forecasts.reading.lines import LONG, ends_as_sentence, words
from forecasts.reading.page.dates import find_timestamp

_LABEL = re.compile(
    r"(?:time|date|clock|calendar|icon"
    r"|(?:first |last )?(?:posted|published|updated|modified)(?: on| at)?"
    r"|created|on|at|as of|(?:release|publi(?:cation|sh)) date|reading time|from|source|via|by)?"
    r"\s*[:.]?",
    re.IGNORECASE,
)
_ASIDE = re.compile(
    r"(?:\d+\s*-?\s*min(?:ute)?s?(?: read)?|\d[\d,.]*k?\s+(?:comments?|views?|shares?|reads?)"
    r"|share|save|print|listen|(?:last )?(?:updated|modified|edited)\b.*"
    r"|(?-i:UTC|GMT|[A-Z]{1,2}[SD]?T)|breaking|exclusive|live|premium|free|@[\w.]+"
    r"|\d{1,2}[:.]\d{2}\s*(?:[ap]\.?m\.?)?(?: \(?[A-Z]{2,4}\)?)?"
    r"|(?:(?:staff|senior|chief|deputy|contributing|special|guest|freelance|political|economics?"
    r"|business|foreign|diplomatic|world|science|health|technology|legal|sports?|opinion|national)"
    r" )+(?:writer|reporter|correspondent|editor|columnist|contributor)s?)",
    re.IGNORECASE,
)
_FIELD = re.compile(
    r"(?P<label>title|headline|source|publisher|publication|outlet|site|author|url|link)\s*:\s*"
    r"(?P<value>\S.*)",
    re.IGNORECASE,
)
_URL = re.compile(r"https?://\S+", re.IGNORECASE)
_SEPARATOR = re.compile(r"\s*[•·|‧∙—–]\s*|\s+[-/]\s+|,\s+(?=[A-Z])|\t+|\s{3,}")
_BYLINE = re.compile(
    r"(?:(?:written|reported|posted|story|words|text) )?by:?\s+"
    r"(?P<names>(?-i:[A-ZÀ-Þ])[\w.'’-]*(?:,? (?:and |& )?[\w.'’-]+){0,11})",
    re.IGNORECASE,
)
_OWNER = re.compile(
    r"(?:(?:©|\(c\)|copyright)[\s©]*(?:(?:19|20)\d{2}(?:\s*[-–]\s*(?:19|20)?\d{2})?)?,?\s*(?:by )?"
    r"|read (?:the )?(?:(?:full|original|whole) )?(?:(?:story|article) )?(?:on|at) "
    r"|visit (?=.* for the full story))"
    r"(?P<name>.{3,60}?)"
    r"(?:\.? all rights reserved\b.*| for the full story| \(?(?:19|20)\d{2}\)?|)\.?$",
    re.IGNORECASE,
)
_IN_BRACKETS = re.compile(r"(?P<title>\S.{10,200}?)\s+[(\[](?P<rest>[^()\[\]]{4,80})[)\]]")
_BAR = re.compile(r"\s+[|•·–—-]\s+")
_NUMBERED = re.compile(r"\d{1,2}[.)]\s")
_HANDLE = re.compile(r"by [a-z][\w.-]{1,30}")
# "Jane Roe in Sund" is a byline if it is beside a time; elsewhere it may be a title.
_REPORTER = r"[A-ZÀ-Þ][\w.'’-]+(?: (?:[A-ZÀ-Þ][\w.'’-]*|de|van|von|bin|al)){1,3}"
_NAMES_IN_PLACE = re.compile(
    rf"(?P<names>{_REPORTER}(?:(?:, | and |, and ){_REPORTER})*)"
    r" in [A-ZÀ-Þ][\w.'’-]+(?:,? [A-ZÀ-Þ][\w.'’-]+){0,3}"
)
_ROLE = re.compile(
    r"\b(?:staff|writers?|reporter|correspondent|editor|columnist|contributor|bureau|chief|analyst"
    r"|special|senior)\b",
    re.IGNORECASE,
)
_SECTION = re.compile(
    r"(?:world|politics|business|economy|markets?|finance|technology|tech|science|health|sports?"
    r"|opinion|culture|arts|entertainment|lifestyle|environment|climate|energy|asia"
    r"|asia[- ]pacific|africa|europe|americas|middle east|u\.?s\.?|u\.?k\.?|china|india|japan"
    r"|international|national|local|news|general|travel|education|law|crime|defen[cs]e|security"
    r"|top stories|breaking news|features?|analysis|commentary|editorial|explainer)",
    re.IGNORECASE,
)
_PUBLISHER = re.compile(
    r"\b(?:times|post|news|herald|guardian|reuters|afp|ap|bbc|cnn|nbc|cbs|abc|npr|pbs|rfi|dw"
    r"|journal|tribune|gazette|daily|weekly|wire|newswire|today|review|magazine|press|observer"
    r"|standard|tv|radio|network|mail|chronicle|globe|star|sun|telegraph|independent|economist"
    r"|diplomat|bloomberg|axios|politico|quarterly|monthly|scientist|newsroom|mercury|almanac|nikkei|nhk|xinhua|jazeera|agency|broadcasting|media"
    r"|report|digest|bulletin|courier|dispatch|ledger|monitor|mirror|express|insider|online|week"
    r"|world|hill|yahoo|business|record|register|sentinel|examiner|inquirer|argus|echo|advocate"
    r"|wired|verge|atlantic|forbes|fortune|newsweek|spectator|statesman|hindu|nation|scmp"
    r"|euronews|public|quartz|vox|slate|semafor)\b|\.(?:com|org|net|io|co|ai|in|uk|jp|news)\b",
    re.IGNORECASE,
)
_SMALL = {"of", "the", "and", "for", "de", "la", "le", "el", "on", "in", "&", "du", "des", "to"}


@dataclass(slots=True)
class Imprint:
    """The contents of an imprint line; ``relative`` times ("2 days ago") have no date."""

    names: list[str] = field(default_factory=list)
    title: str | None = None
    author: str | None = None
    when: datetime | None = None
    relative: bool = False
    url: str | None = None


def read_imprint(text: str, captured_at: datetime, *, bullet: bool = False) -> Imprint | None:
    """Return the imprint in a line, or None if the line has anything else."""
    if len(text) > LONG:
        return None
    if _URL.fullmatch(text):
        return Imprint(url=text)
    imprint = Imprint()
    if labelled := _FIELD.fullmatch(text):
        label, value = labelled["label"].lower(), labelled["value"]
        if label in ("title", "headline"):
            imprint.title = value
        elif label in ("url", "link"):
            imprint.url = value if _URL.fullmatch(value) else None
        elif label == "author":
            imprint.author = without_time(value, captured_at) or None
        else:
            imprint.names.append(value)
        return imprint if label != "source" or is_name(value) else None
    if (with_title := _after_title(text, captured_at)) is not None:
        return with_title
    stamp = find_timestamp(text, captured_at)
    sides = [text]
    if stamp is not None:
        sides, imprint.when = [stamp.before, stamp.after], stamp.when
        imprint.relative = re.search(r"\d{4}|\d[/.-]\d", text) is None
    pieces = (piece for side in sides for piece in _SEPARATOR.split(side.removesuffix(" /")))
    for part in (piece.strip(" ,;()[]-–—") for piece in pieces):
        byline = _BYLINE.fullmatch(part)
        if _LABEL.fullmatch(part) or _ASIDE.fullmatch(part) or _is_time(part, captured_at):
            continue
        if byline is not None and imprint.author is None:
            imprint.author = byline["names"]
        elif stamp is not None and imprint.author is None and _HANDLE.fullmatch(part):
            imprint.author = part.removeprefix("by ")
        elif imprint.author is not None and _ROLE.search(part):
            continue
        elif imprint.author is not None and is_name(part) and not is_publisher(part):
            imprint.author += ", " + part
        elif is_name(name := re.sub(r"^(?:source|via|from):?\s+", "", part, flags=re.IGNORECASE)):
            imprint.names.append(name)
        else:
            return None
    is_dated = imprint.when is not None or imprint.author is not None
    return imprint if is_dated or (bullet and imprint.names) else None


def without_time(names: str, captured_at: datetime) -> str:
    """Return names joined by commas, without the times and asides between them."""
    parts = (part.strip(" ,;()[]-–—/") for part in re.split(r"\s*[•·|‧∙]\s*|\s+[–—]\s+", names))
    named = (part for part in parts if words(part) and not is_aside(part))
    return ", ".join(part for part in named if not _is_time(part, captured_at))


def _is_time(text: str, captured_at: datetime) -> bool:
    stamp = find_timestamp(text, captured_at)
    return stamp is not None and not stamp.before and not stamp.after


def _after_title(text: str, captured_at: datetime) -> Imprint | None:
    """Return a title with the imprint after it: "Title (Example Times, June 29)"."""
    pieces = _BAR.split(text)
    title, rest = " ".join(pieces[:-2]), " | ".join(pieces[-2:])
    if match := _IN_BRACKETS.fullmatch(text):
        title, rest = match["title"], match["rest"]
    if len(words(title)) < 4 or is_name(title) or ends_as_sentence(title):
        return None
    imprint = read_imprint(rest, captured_at)
    if imprint is None or imprint.when is None or len(imprint.names) != 1:
        return None
    imprint.title = title
    return imprint


def reporter_names(text: str) -> str | None:
    """Return the names in "Jane Roe in Sund" and "Jane Roe and John Doe in Velmora"."""
    match = _NAMES_IN_PLACE.fullmatch(text)
    return match["names"] if match is not None and not is_publisher(match["names"]) else None


def site_owner(text: str) -> str | None:
    """Return the owner of the site in a footer line: "© 2025 Example Times"."""
    match = _OWNER.match(text)
    name = match["name"].strip(" .,|·") if match is not None else ""
    return name if is_name(name) and is_publisher(name) else None


def is_name(text: str) -> bool:
    """Return whether a line can be the name of a person or a publisher."""
    parts = text.split()
    if not 1 <= len(parts) <= 7 or len(text) > 60 or text[-1] in "?!…;,":
        return False
    if ":" in text or _NUMBERED.match(text):
        return False
    if text.endswith(".") and not re.search(r"\b(?:Inc|Ltd|Co|Jr|[A-Z]\.[A-Z])\.$", text):
        return False
    if len(parts) == 1:
        return text[0].isalnum() and any(map(str.isalpha, text))
    return all(part in _SMALL or part[0].isupper() or part[0].isdigit() for part in parts) or (
        len(parts) <= 3 and is_publisher(text) and all(part.isalnum() for part in parts)
    )


def is_publisher(text: str) -> bool:
    """Return whether a name looks like that of a newspaper, an agency or a site."""
    return len(words(text)) <= 7 and (
        _PUBLISHER.search(text) is not None
        or re.fullmatch(r"[A-Z][A-Z\d&]{1,7}(?:[ -][A-Z\d]{1,3}|-[A-Z]+)?", text) is not None
        or re.match(r"The [A-Z]", text) is not None
    )


def is_publisher_name(text: str) -> bool:
    """Return whether a line consists of a publisher's name."""
    return is_name(text) and is_publisher(text)


def publisher_and_author(names: Sequence[str]) -> tuple[str | None, str | None]:
    """Return the publisher and the author among the names at a head; None if missing."""
    counts = Counter(_without_place(name) for name in names if _SECTION.fullmatch(name) is None)
    if not counts:
        return None, None

    def likelihood(name: str) -> tuple[bool, bool, int]:
        # Of two publishers, one in capitals may be a place.
        return is_publisher(name), is_publisher(name) and not name.isupper(), counts[name]

    publisher = max(reversed(counts), key=likelihood)
    author = next((name for name in counts if name != publisher and is_person(name)), None)
    return publisher, author


def _without_place(name: str) -> str:
    """Return a publisher's name without its place or office: "BBC News, Sund", "Hindu Bureau"."""
    if is_publisher(name):
        name = re.sub(r"(?<=\w) (?:Bureau|Staff|Desk|Newsroom)$", "", name)
    first, comma, place = name.partition(", ")
    return first if comma and is_publisher(first) and not is_publisher(place) else name


def is_person(name: str) -> bool:
    """Return whether a name can be a person's and does not look like a publisher's."""
    return (
        2 <= len(name.split()) <= 4 and not is_publisher(name) and not any(map(str.isdigit, name))
    )


def is_aside(line: str) -> bool:
    """Return whether a line at a head is neither title nor imprint, as "Share", "5 min read"."""
    return _ASIDE.fullmatch(line) is not None or _SECTION.fullmatch(line) is not None
