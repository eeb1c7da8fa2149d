"""Draft questions from generated texts, each with a deadline: no text may take a server's time.

    python -m benchmarks.drafting [--texts N] [--seed N]

A text repeats words of the grammar, its cues, single characters or a pair of them, up to 20,000
characters. Each may take ``DEADLINE_S`` of the processor.
"""

from __future__ import annotations

import argparse
import inspect
import pkgutil
import random
import re
import sys
import time
from datetime import date
from importlib import import_module
from pathlib import Path

from forecasts.articles.drafts import draft_article
from forecasts.reading import drafting

DEADLINE_S = 1.0
LENGTHS = (50, 200, 1_000, 1_000, 5_000, 20_000)
CHARACTERS = [*" ,.-—'\"()0123456789aAe\n:;%$€/\\?!…”_\t\u00a0"]


def words() -> list[str]:
    """Return the words of the grammar."""
    modules = [f"{drafting.__name__}.{one.name}" for one in pkgutil.iter_modules(drafting.__path__)]
    sources = [inspect.getsource(import_module(one)) for one in modules]
    rules = Path(drafting.__path__[0]).glob("*.toml")
    sources += [path.read_text(encoding="utf-8") for path in rules]
    return sorted({word for source in sources for word in re.findall(r"[A-Za-z]{2,}", source)})


def text(rng: random.Random, known: list[str]) -> str:
    """Return a text of one of several kinds."""
    cues = [
        "will",
        "is expected to",
        "by the end of",
        "on",
        "Friday",
        "31 March 2026",
        "half",
        "of",
    ]
    cues += ["the first", "2026", "a 70 percent chance", "$", "1,000", "million", "Mr.", "U.S."]
    length, parts = rng.choice(LENGTHS), [known, cues, CHARACTERS, known + cues]
    chosen, space = rng.choice(parts), rng.choice(["", " ", " ", ", ", ". ", "\n"])
    if rng.random() < 0.5:  # one unit, again and again
        unit = space.join(rng.choice(chosen) for _ in range(rng.randint(1, 4))) + space
        body = unit * (length // max(1, len(unit)) + 1)
    else:
        body = space.join(rng.choice(chosen) for _ in range(length))
    ends = [rng.choice(["", "The council will ", "The council "]), rng.choice(["", " by Friday."])]
    return f"{ends[0]}{body[:length]}{ends[1]}"


def main() -> None:
    """Measure, and say which text was the slowest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    rng, known, late = random.Random(chosen.seed), words(), 0
    slowest, said = 0.0, ""
    for _ in range(chosen.texts):
        given, began = text(rng, known), time.process_time()
        draft_article(given, published_at=date(2026, 1, 5), title=given[:200])
        took = time.process_time() - began
        late += took > DEADLINE_S
        if took > slowest:
            slowest, said = took, f"{took:.3f} s for {len(given):,} characters: {given[:60]!r}"
    print(f"{late:,} of {chosen.texts:,} texts were late. The slowest: {said}")
    sys.exit(1 if late else 0)


if __name__ == "__main__":
    main()
