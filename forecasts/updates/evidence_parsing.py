"""Parse evidence as people type it."""

from __future__ import annotations

import difflib
import re

from sqlmodel import Session

from forecasts.articles.library import find_article
from forecasts.common.errors import BadInput, Refused
from forecasts.common.limits import require_address
from forecasts.ledger.models import DIGEST_ADDRESS, EvidenceKind, Stance
from forecasts.updates.evidence import CitedEvidence
from forecasts.values.value_parsing import read_probability

_URL = re.compile(r"(https?://\S+)(?:\s+[-–—:]*\s*(.*))?", re.IGNORECASE | re.DOTALL)
_ARTICLE = re.compile(r"(?i)article\s+(\d+)")
_SHARE = re.compile(r"[\d.]+%")
_WORD = rf"(?:{'|'.join([*Stance, *EvidenceKind])}|{_SHARE.pattern})"
# A colon ends the qualifiers; before a web address a space is enough.
_QUALIFIED = re.compile(
    rf"({_WORD}(?:[\s,]+{_WORD})*)(?:\s*:\s+|[\s,:]+(?=https?://\S))(.*)",
    re.IGNORECASE | re.DOTALL,
)
# Any words in the place of qualifiers, which may be mistyped.
_MAYBE_QUALIFIED = re.compile(
    r"([^\n:]{1,60}?)(?:\s*:\s+|[\s,:]*(?=https?://\S))(.*)", re.IGNORECASE | re.DOTALL
)
_MOST_QUALIFIERS = 4  # one more than there can be, in case a typo splits a word
_SIMILARITY = 0.8  # to a stance or kind: accepts 'oposes', but not 'date' for 'data'
_SCHEME = re.compile(r"(?i)[a-z][a-z0-9+.-]*://\S*")
_STANCE_FIRST = re.compile(rf"(?i)(?:{'|'.join(Stance)})\b")
_EXAMPLE = "'opposes data 30%: https://example.org/a'"


def read_evidence(
    session: Session,
    text: str,
    *,
    stance: Stance | None = None,
    kind: EvidenceKind = EvidenceKind.news,
) -> CitedEvidence:
    """Return the evidence that ``text`` names: ``[stance] [kind] [share%]: SOURCE``.

    SOURCE is a web address, with a note after a blank, ``article 3`` of this ledger, or a note. The
    qualifiers before it come in any order and end with a colon, which a web address does not need:
    ``opposes data 30%: https://example.org/figures``. The defaults are ``stance`` and ``kind``,
    without a share.

    BadInput if a stance comes first but no colon follows, if a qualifier is given twice, and if one
    seems to be mistyped or a few other words precede an address; NotFound for an unknown article.
    """
    text = text.strip()
    match = _QUALIFIED.fullmatch(text)
    if match is None:
        if _STANCE_FIRST.match(text):
            raise BadInput(
                f"It is not clear where the evidence begins in {text!r}.",
                remedy=f"Put a colon before it, as in {_EXAMPLE}.",
            )
        _require_no_typo(text)
        return parse_evidence(session, text, stance=stance, kind=kind)
    qualifiers = re.split(r"[\s,]+", match[1].casefold())
    stances = [Stance(word) for word in qualifiers if word in set(Stance)]
    kinds = [EvidenceKind(word) for word in qualifiers if word in set(EvidenceKind)]
    shares = [word for word in qualifiers if _SHARE.fullmatch(word)]
    for name, given in (("stances", stances), ("kinds", kinds), ("shares", shares)):
        if len(given) > 1:
            raise BadInput(
                f"{text!r} gives one piece of evidence two {name}: {given[0]} and {given[1]}.",
                remedy="Give it one.",
            )
    return parse_evidence(
        session,
        match[2],
        stance=stances[0] if stances else stance,
        kind=kinds[0] if kinds else kind,
        share=_read_share(shares[0]) if shares else None,
    )


def parse_evidence(
    session: Session,
    source: str,
    *,
    stance: Stance | None,
    kind: EvidenceKind,
    share: float | None = None,
) -> CitedEvidence:
    """Return evidence from a web address and its note, ``article 3`` of this ledger, or a note."""
    source = source.strip()
    url, note = None, source
    if match := _ARTICLE.fullmatch(source):
        url, note = find_article(session, int(match[1])).address, ""
    elif source.startswith(DIGEST_ADDRESS):
        url, note = source, ""
    elif match := _URL.fullmatch(source):
        url, note = match[1], match[2] or ""
        if note:
            url = url.rstrip(",;:")
        if _URL.search(note):
            raise BadInput(
                f"{source!r} has more than one address.", remedy="Give each as a piece of its own."
            )
    elif _SCHEME.fullmatch(source):
        require_address(source, "The evidence")
    return CitedEvidence(url=url, note=note, kind=kind, stance=stance, share=share)


def _read_share(text: str) -> float:
    try:
        return read_probability(text)
    except (BadInput, Refused):
        raise BadInput(
            f"{text!r} is not a share of an update, which is from 0% to 100%.",
            remedy=f"Write it as in {_EXAMPLE}.",
        ) from None


def _require_no_typo(text: str) -> None:
    """Refuse mistyped qualifiers, which would otherwise become part of a supporting note.

    Before an address any few words are refused, as "for" and "+": the address would be lost.
    """
    match = _MAYBE_QUALIFIED.fullmatch(text)
    words = [] if match is None else re.split(r"[\s,]+", match[1].strip().casefold())
    if match is None or len(words) > _MOST_QUALIFIERS:
        return
    corrected = [_correct(word) for word in words]
    unknown = [word for word in words if word not in corrected]
    known = [word for word in corrected if word is not None]
    if len(known) < len(words) and not _URL.fullmatch(match[2].strip()):
        return
    guess = f"Did you mean {' '.join(known)}? " if len(known) == len(words) else ""
    raise BadInput(
        f"{' '.join(unknown)!r}, before the evidence in {text!r}, is not a stance, kind or share.",
        remedy=f"{guess}Write it as in {_EXAMPLE}; to keep all of it as a note, put 'supports: ', "
        "'opposes: ' or 'context: ' before it.",
    )


def _correct(word: str) -> str | None:
    """Return the share, or the most similar stance or kind; None if there is none."""
    if _SHARE.fullmatch(word):
        return word
    similar = difflib.get_close_matches(word, [*Stance, *EvidenceKind], n=1, cutoff=_SIMILARITY)
    return similar[0] if similar else None
