"""The sentences whose titles a person has judged, and the figures of the drafts on them.

    .venv/bin/python -m tests.reading.drafting.judged             # the development half
    .venv/bin/python -m tests.reading.drafting.judged held-out    # the other half

writes the titles of that half as they are drafted now into ``corpus/judged.tsv``, clears the
verdict on each changed title, prints the titles without a verdict, and the figures. A verdict is
"yes" if a stranger would accept the title as a question: it names what it is about, reads as
English, and asks what the sentence leaves open. ``acceptable`` is with the sentence beside it, as
on the page; ``alone`` is without it: the title has its last day, and nothing in it could be any.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path

from forecasts.articles.drafts import Draft, draft_questions
from forecasts.reading.drafting.strength import Strength
from tests.tables import table

FILE = Path(__file__).parent / "corpus" / "judged.tsv"
HALVES = ("development", "held-out")

Row = dict[str, str]


@dataclass(frozen=True)
class Figures:
    """The accuracy of the drafts; ``titles`` and ``kinds`` are shares of all drafts.

    ``alone``: the share of the strong drafts whose title is acceptable alone.
    """

    sentences: int
    precision: float
    recall: float
    deadlines: float
    kinds: float
    titles: float
    alone: float

    def __str__(self) -> str:
        return (
            f"{self.sentences} sentences: precision {self.precision:.3f}, "
            f"recall {self.recall:.3f}, deadline right {self.deadlines:.3f}, "
            f"kind right {self.kinds:.3f}, acceptable titles {self.titles:.3f}, "
            f"strong titles acceptable alone {self.alone:.3f}"
        )


def corpus(part: str) -> list[Row]:
    """Return the rows of a part of the corpus."""
    return table(FILE.with_name(f"{part}.tsv"))


def all_rows() -> list[Row]:
    return corpus("judged")


def half_of(row: Row) -> str:
    return HALVES[sha256(row["sentence"].encode()).digest()[0] % 2]


def rows_of(half: str) -> list[Row]:
    return [row for row in all_rows() if half_of(row) == half]


def draft_of(row: Row) -> Draft | None:
    found = draft_questions(row["sentence"], published_at=date.fromisoformat(row["published"]))
    return found[0] if found else None


def title_of(row: Row) -> str:
    draft = draft_of(row)
    return draft.question if draft else ""


def measure(half: str) -> Figures:
    rows = [(row, draft_of(row)) for row in rows_of(half)]
    labelled = [row for row, _ in rows if row["draft"] == "yes"]
    drafted = [(row, draft) for row, draft in rows if draft]
    right = [(row, draft) for row, draft in drafted if row["draft"] == "yes"]
    deadlines = [
        row["close_date"] == (draft.close_date.isoformat() if draft.close_date else "")
        for row, draft in right
    ]
    accepted = [
        row["title"] == draft.question and row["acceptable"] == "yes" for row, draft in drafted
    ]
    alone = [row["alone"] == "yes" for row, draft in drafted if draft.strength is Strength.strong]
    return Figures(
        sentences=len(rows),
        precision=len(right) / len(drafted),
        recall=len(right) / len(labelled),
        deadlines=sum(deadlines) / len(right),
        kinds=sum(row["kind"] == draft.kind for row, draft in right) / len(right),
        titles=sum(accepted) / len(drafted),
        alone=sum(alone) / len(alone),
    )


def main(half: str) -> None:
    rows = all_rows()
    for row in rows:
        title = title_of(row)
        if half_of(row) == half and title != row["title"]:
            row |= {"title": title} | dict.fromkeys(("acceptable", "alone"), "" if title else "no")
        if half_of(row) == half and title and not (row["acceptable"] and row["alone"]):
            print(f"{row['sentence']}\n    {title}")
    with FILE.open("w", encoding="utf-8", newline="") as file:
        names = list(rows[0])
        file.write("\t".join(names) + "\n")
        file.writelines("\t".join(row[name] for name in names) + "\n" for row in rows)
    print(f"{half}: {measure(half)}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else HALVES[0])
