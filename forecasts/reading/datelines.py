"""The dateline that opens a report: place, day and agency, as in "OSLO, Nov 27 (Reuters) - ".

It has a day or an agency: "NATO - the alliance - will meet" opens without one. A place need not be
in capitals, but then a sentence with a capital follows: "Apple (AAPL) - the maker of the iPhone".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_NAME = r"[A-ZÀ-Þ][\w.'’-]*(?:[ /](?:(?:de|of|da|do|del|la|al|el|upon) )?[A-ZÀ-Þ][\w.'’-]*){0,3}"
_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?"
    r"|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\b\.?"
)
_DAY = rf"(?:{_MONTH} \d{{1,2}}|\d{{1,2}} {_MONTH})"
_DATELINE = re.compile(
    rf"(?:(?P<place>{_NAME}(?:, (?!{_DAY}){_NAME}){{0,2}})"
    rf"(?:, (?:[MTWFS][a-z]+day,? )?(?P<day>{_DAY}(?:,? \d{{4}})?))?|(?P<date>{_DAY},? \d{{4}}))"
    r"\s*(?:\((?P<agency>[A-ZÀ-Þ][\w .&’'-]{1,40})\)|(?P<wire>/[^/\n]{2,30}/))?"
    r"(?:\s*(?:[–—]|--)\s*|\s+-\s+)(?P<sentence>[\"'“‘(]?[A-ZÀ-Þ\d])?"
)


@dataclass(frozen=True, slots=True)
class Dateline:
    """A dateline that ends at ``end``; ``day`` as printed ('' without one), and the agency."""

    end: int
    day: str
    agency: str | None


def find_dateline(text: str) -> Dateline | None:
    """Return the dateline that ``text`` opens with, None without one.

    >>> find_dateline("OSLO, Nov 27 (Nordic Wire) - The bank kept its rate.")
    Dateline(end=29, day='Nov 27', agency='Nordic Wire')
    """
    found = _DATELINE.match(text)
    if found is None:
        return None
    day = found["day"] or found["date"] or ""
    in_capitals = found["place"] is not None and found["place"].partition(",")[0].isupper()
    if not (day or found["agency"] or found["wire"]) or not (in_capitals or found["sentence"]):
        return None
    end = found.end() if found["sentence"] is None else found.start("sentence")
    return Dateline(end, day, found["agency"])
