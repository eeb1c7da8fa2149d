"""Titles of simulated questions, about places that do not exist."""

from __future__ import annotations

from collections.abc import Mapping

# A family is one subject in one place; its questions are about different events.
SUBJECTS: Mapping[str, tuple[str, ...]] = {
    "markets": ("will the {} index close above the level of its opening day?",
                "will the {} bank raise its rate?",
                "will a company of the {} exchange leave it?",
                "will the {} currency gain on the quarter before?"),
    "politics": ("will the {} parliament pass the budget?",
                 "will the {} coalition lose a partner?",
                 "will the {} government call an election?",
                 "will the {} mayor keep the post?"),
    "diplomacy": ("will {} sign the fishing treaty?",
                  "will {} send an ambassador to its neighbour?",
                  "will the {} truce be extended?",
                  "will {} be host to the next round of talks?"),
    "science": ("will the {} telescope see first light?",
                "will the {} trial report its main result?",
                "will the {} laboratory repeat its finding?",
                "will the {} mission reach its orbit?"),
    "weather": ("will {} see its warmest month since records began?",
                "will the {} reservoir be more than half full?",
                "will a named storm reach {}?",
                "will the first snow in {} come earlier than last year?"),
}  # fmt: skip
PLACES = (
    "Aldermoor", "Brenholt", "Carrowick", "Dunmarsh", "Elverin", "Farrowdale", "Grimsund",
    "Halvora", "Istermark", "Jorvale", "Keldrin", "Lowmere", "Morvath", "Nethersea", "Ostrany",
    "Pellworth", "Quillane", "Ravensby", "Sundholm", "Tarnwick",
)  # fmt: skip


def title_and_subject(number: int, family: int, position: int) -> tuple[str, str]:
    """Return the title and the subject of the question with that number.

    ``position`` counts the questions of its family from 0.
    """
    subject = list(SUBJECTS)[family % len(SUBJECTS)]
    events = SUBJECTS[subject]
    # Every pair of subject and place is used once before it is repeated with other events.
    turn, place = divmod(family // len(SUBJECTS), len(PLACES))
    event = events[(position + family + 2 * turn) % len(events)].format(PLACES[place])
    return f"Simulated question {number:03d}: {event}", subject


def numeric_title(number: int, family: int) -> str:
    """Return the title of a numeric question; for the others see ``title_and_subject``."""
    place = PLACES[family // len(SUBJECTS) % len(PLACES)]
    return f"Simulated question {number:03d}: at how many points will the {place} index close?"
