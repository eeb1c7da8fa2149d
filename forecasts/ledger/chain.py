"""The chain of hashes: the rows it covers, and how they are hashed.

Every row of the tables in ``SEALED`` has an entry, written in the row's transaction (``append``).
A row of the tables in ``STATES`` may change: each of its states has an entry, and so has its end,
with ``NOTHING`` as the row's hash. The newest counts.

An entry is a link in two chains: the ledger's, in the order of storage, and its question's.

    hash     = SHA-256 of {"at", "before", "kind", "number", "place", "previous", "question", "row",
               "row_id"}
    row      = SHA-256 of the stored row without a person's words, but with their hash as "words"
    words    = SHA-256 of the entry's salt, followed by a person's words in the row, if any

each over canonical JSON: UTF-8, sorted keys, no spaces, floats as Python's repr. ``before`` is the
hash of the ledger's previous entry, ``previous`` that of the question's, ``NOTHING`` for the first.
``at`` is the time of the act.
A later change to a row therefore changes the hash of every later entry, and with it the published
digest (``verification``).

Words are hashed with a salt of their own so that they can be removed (``privacy``): without the
salt nobody can find them by guessing, and the row hash stays the same. A row without words has a
salt too: then its hash does not give away a probability to someone who tries them all, so entries
can be shown to strangers without their rows (``publication``). Entries of earlier releases
have a salt only if their rows have words, and no "words" otherwise.

Nulls are left out of the JSON. So is a column added by a later schema while it has the value that
all earlier rows had (``LATER``): a row has the same hash under every schema.

Rejected: one entry for an update with its citations (entries for rows need no rule about which
rows belong together); a table of the chains' ends (anyone who can cut a chain can cut that too).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import repeat
from json.encoder import encode_basestring
from math import isfinite
from typing import Any

from sqlalchemy import JSON, Boolean, Integer, Select, String, Table, Text, null, select
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

from forecasts.common.errors import BadInput
from forecasts.common.times import utc
from forecasts.ledger.columns import Real, Time

NOTHING = "0" * 64  # the hash before the first entry
# An entry's place, its question and number there, and the table, id and hash of its row.
Link = tuple[int, int | None, int | None, str, int, str]
# The tables whose rows have entries, each after the tables that it refers to: rows written
# together are entered in this order.
SEALED = (
    "ledger",
    "member",
    "token",
    "token_revocation",
    "bot_owner",
    "team",
    "membership",
    "appointment",
    "team_rule",
    "article",
    "evidence",
    "question",
    "question_revision",
    "question_source",
    "question_origin",
    "question_group",
    "group_place",
    "condition",
    "question_link",
    "forecast",
    "model_use",
    "citation",
    "comment",
    "printed_score",
    "resolver",
    "resolution",
    "policy",
    "exhibit",
    "dispute",
    "discard",
    "model_call",
    "model_answer",
    "model_proposal",
    "model_decision",
    "revisit",
    "removal",
)
STATES = ("identity", "channel", "preference")
# The tables whose rows triggers keep as they are. Those of a member and a team are as sealed.
APPEND_ONLY = (
    *(kind for kind in SEALED if kind not in ("member", "team")),
    "exhibit_content",
    "alias_salt",
    "entry",
)
# The other tables, each with its protection, or with the most that an altered row can do.
OUTSIDE: Mapping[str, str] = {
    "entry": "the chain itself",
    "exhibit_content": "by its hash in `exhibit`",
    **dict.fromkeys(
        ("article_match", "article_story", "current_forecast", "matched_until", "score"),
        "recomputed from history",
    ),
    "alias_salt": "no: an anonymised account gets another member at its next import",
    "distinct_pair": "no: two questions are proposed as one family again, or not at all",
    "ended_session": "no: without its row, an ended sign-in is valid until it expires",
    "feed": "no: a feed is read late, twice or never, or another one is; its articles are sealed",
    "feed_entry": "no: an entry is read again, or never; its article is stored once and sealed",
    "glance": "no: a page shows too many or too few results as new",
    "idempotent_answer": "no: a repeated request gets a wrong answer; nothing is stored",
    "last_run": "no: `check` and pages show a wrong time of the last run",
    "news_answer": "no: an article is suggested again, or not at all",
    "notice": "no: a notification is sent twice, late or not at all",
    "resolver_run": "no: a log; outcomes and the documents they are based on are sealed",
    "upkeep": "no: `check` shows a wrong backup or digest, or a digest is sent late",
    "watch": "no: a resolver runs early, late or never; its settings and outcomes are sealed",
}
# The tables that a schema revision added to the chain: their rows are entered when it is migrated.
ENTERED_SINCE = (("0012", ("ledger", "resolver", "revisit", *STATES)),)
# The table through which a row belongs to a question, where it has no question_id itself.
PARENTS: Mapping[str, str] = {
    "citation": "forecast",
    "model_use": "forecast",
    "exhibit": "resolution",
    "dispute": "resolution",
}
# The columns with a person's words or name.
WORDS: Mapping[str, tuple[str, ...]] = {
    "member": ("handle",),
    "identity": ("issuer", "subject"),
    "channel": ("name", "secret_url"),
    "preference": ("time_zone",),
    "evidence": ("key", "note", "title"),
    "question_revision": ("reason",),
    "question_link": ("reason",),
    "forecast": ("import_key", "rationale"),
    "comment": ("text",),
    "resolution": ("note",),
    "dispute": ("reason",),
    "model_call": ("request",),
    "model_answer": ("answer",),
    "model_proposal": ("content",),
}
TOMBSTONE = "[removed]"  # it replaces a removed member's words
# Columns added to a sealed table by a later schema, with the value that all earlier rows had.
LATER: Mapping[str, Mapping[str, Any]] = {}

_TIME = len("2025-10-30 14:00:00.000000")
_DIGEST = re.compile(r"(\d{1,18})-([0-9a-f]{64})")
_encode = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, check_circular=False
).encode


def sha256(data: bytes) -> str:
    """Return the SHA-256 of ``data`` in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def _time_json(value: datetime | str) -> str:
    if isinstance(value, str):
        # SQLite's form of a time has the canonical digits; any other was written past the ledger.
        is_whole = len(value) == _TIME and value[10] == " "
        return f'"{value.replace(" ", "T")}Z"' if is_whole else _encode(value)
    if value.tzinfo is not UTC:
        value = utc(value)
    return f'"{value.isoformat(timespec="microseconds")[:-6]}Z"'  # without +00:00


def _integer_json(value: Any) -> str:
    # SQLite keeps a text in such a column if someone has written one past the ledger.
    return int.__repr__(value) if isinstance(value, int) else _encode(value)


def _float_json(value: Any) -> str:
    if not isinstance(value, (int, float)) or not isfinite(value):
        return _encode(value)
    return repr(value + 0.0)  # an integer becomes a float; no database tells -0.0 from 0.0


def _json_json(value: Any) -> str:
    if isinstance(value, str):  # as SQLite stores it
        with suppress(ValueError, RecursionError):  # someone has written it past the ledger
            return _encode(json.loads(value))
    return _encode(json.loads(json.dumps(value)))


# Each column type's canonical JSON, for a value from the database or one about to be stored.
_JSON: Mapping[type, Callable[[Any], str]] = {
    Integer: _integer_json,
    Boolean: lambda value: "true" if value else "false",
    Real: _float_json,
    String: encode_basestring,
    AutoString: encode_basestring,
    Text: encode_basestring,
    Time: _time_json,
    JSON: _json_json,
}


def contents(kind: str, columns: Mapping[str, Sequence[Any]]) -> list[tuple[str, str]]:
    """Return the hashed JSON of each row: all members but the last brace, and a person's words.

    The first ends with a comma; the second is blank without words. ``columns``: all columns of the
    table, each with one value a row, in Python or as SQLite's driver has it.
    """
    table, words = SQLModel.metadata.tables[kind], WORDS.get(kind, ())
    rest = _members(table, columns, [name for name in sorted(table.c.keys()) if name not in words])
    said = _members(table, columns, sorted(words)) if words else repeat("{")
    personal = (f"{own[:-1]}}}" if len(own) > 1 else "" for own in said)
    return list(zip(rest, personal))  # noqa: B905 without words there is an endless second


def _members(
    table: Table, columns: Mapping[str, Sequence[Any]], names: Sequence[str]
) -> Iterable[str]:
    """Return each row's JSON object of these columns without its last brace.

    A comma follows each member.
    """
    parts = [each(_member_json(table, name), columns[name]) for name in names]
    return map("".join, zip(repeat("{"), *(part for part in parts if any(part))))


def _member_json(table: Table, name: str) -> Callable[[Any], str]:
    """Return the function from a value of a column to its JSON member, "" if it is left out."""
    to_json = _JSON[type(table.c[name].type)]
    absent: list[Any] = [None]
    if name in WORDS.get(table.name, ()):
        absent.append("")
    elif to_json is _json_json:
        absent.append("null")
    elif name in LATER.get(table.name, {}):
        absent.append(LATER[table.name][name])
    return lambda value: "" if value in absent else f'"{name}":{to_json(value)},'


def each(convert: Callable[[Any], Any], values: Sequence[Any]) -> Sequence[Any]:
    """Return the converted values; if few are distinct, each of those is converted once.

    Equal values must be alike: times in UTC, numbers of one type.
    """
    if len(values) > 1:
        with suppress(TypeError):  # lists and mappings cannot be in a set
            distinct = set(values)
            if len(distinct) == 1:
                return [convert(values[0])] * len(values)
            if 2 * len(distinct) < len(values):
                converted = {value: convert(value) for value in distinct}
                return [converted[value] for value in values]
    return [convert(value) for value in values]


def words_hash(salt: str, personal: str) -> str:
    """Return the hash of the JSON of a person's words with that salt."""
    return sha256((salt + personal).encode("utf-8", "surrogatepass"))


def row_hash(rest: str, words: str | None) -> str:
    """Return the hash of a row: of its ``contents`` and, if it has words, of their hash."""
    # No column's name sorts after "words".
    row = f"{rest[:-1]}}}" if words is None else f'{rest}"words":"{words}"}}'
    return sha256(row.encode("utf-8", "surrogatepass"))


def entry_hash(link: Link, before: str, previous: str | None, at: str = "") -> str:
    """Return the hash of an entry that follows ``before``, and ``previous`` in its question.

    ``at``: its time as ``time_member`` returns it.
    """
    place, question, number, kind, row_id, row = link
    text = f'{{{at}"before":"{before}","kind":"{kind}",'
    if question is None:
        text += f'"place":{place},"row":"{row}","row_id":{row_id}}}'
    else:
        text += (
            f'"number":{number},"place":{place},"previous":"{previous}","question":{question},'
            f'"row":"{row}","row_id":{row_id}}}'
        )
    return sha256(text.encode())


def time_member(at: Any) -> str:
    """Return the JSON member of an entry's time; "" without one."""
    return "" if at is None else f'"at":{_time_json(at)},'


def time_text(at: datetime | None) -> str | None:
    """Return an entry's time as it is hashed."""
    return None if at is None else f"{utc(at).isoformat(timespec='microseconds')[:-6]}Z"


def rows_of(kind: str) -> Select[Any]:
    """Return the statement for a table's rows by id, each with its question as ``of_question``."""
    table = SQLModel.metadata.tables[kind]
    question: Any = table.c.id if kind == "question" else table.c.get("question_id", null())
    if kind in PARENTS:
        parent = SQLModel.metadata.tables[PARENTS[kind]]
        of_parent = select(parent.c.question_id).where(parent.c.id == table.c[f"{parent.name}_id"])
        question = of_parent.scalar_subquery()
    return select(table, question.label("of_question")).order_by(table.c.id)


def tombstone(kind: str, column: str, row_id: int) -> str | None:
    """Return the placeholder for a column's words once their member is removed."""
    if kind == "member":
        return f"removed member {row_id}"
    if column == "key":
        return f"removed-{row_id}"
    return None if column == "import_key" else TOMBSTONE


def read_digest(text: str) -> tuple[int, str]:
    """Return the place and hash of a digest; BadInput if ``text`` is not one."""
    match = _DIGEST.fullmatch(text.strip().lower())
    if match is None:
        raise BadInput(
            f"{text!r} is not a digest of a ledger.",
            remedy="A digest is a number, a hyphen and 64 hexadecimal digits, as forecasts verify "
            "prints it.",
        )
    return int(match[1]), match[2]
