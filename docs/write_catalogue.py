"""Write the description of the schema of a new ledger, in a file and on a server (``make docs``).

The server is that of the tests. ``forecasts.ledger.catalogue`` compares ledgers with it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from sqlalchemy import Engine

from forecasts.ledger.catalogue import described, place_of
from forecasts.ledger.database import open_engine
from forecasts.ledger.schema import empty_ledger
from tests.postgresql import Server


def lines(engine: Engine) -> str:
    """Return the description of a new ledger, as the file has it."""
    with engine.connect() as connection:
        found = described(connection)
    return "".join("\t".join((*one, found[one])) + "\n" for one in sorted(found))


def new_ledgers() -> Iterator[Engine]:
    """Yield a new ledger in a file, and one on a server."""
    yield empty_ledger()
    server = Server()
    try:
        with server.fresh() as url:
            engine = open_engine(url)
            yield engine
            engine.dispose()
    finally:
        server.stop()


if __name__ == "__main__":
    for new in new_ledgers():
        place_of(new.dialect.name).write_text(lines(new), "utf-8")
