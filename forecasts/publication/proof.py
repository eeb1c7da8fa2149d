"""The proof of a public record: ``record.json``, which ``verify.py`` and the site's page check.

It has the ledger's chain of hashes from the first published row to the newest entry. The entries of
published rows come with the hashed JSON of their rows, all others without: their random salts keep
anyone from finding a row by trying values (``ledger.chain``). So unpublished rows stay unknown, but
not their number, since each entry names its table and, if it has one, its question. Words are
opened, with their salt, only where the record shows them.

Entries of earlier releases may have no salt. The chain begins after the last of those that could be
guessed; published rows before it are included without a proof.

Rejected: a Merkle tree of the entries, as in Certificate Transparency. Its proofs are short in any
ledger, but prove that a forecast is there, not that none was left out; and the stamps of ledgers
in use are of the chain. Rejected too: one stamp a forecast (servers stamp a few a day for free).
"""

from __future__ import annotations

import json
from base64 import b64encode
from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlmodel import Session, SQLModel, col, select

from forecasts.common.secret_addresses import holds_secrets
from forecasts.ledger.chain import NOTHING, contents, read_digest, sha256, time_text
from forecasts.ledger.models import (
    Condition,
    GroupPlace,
    QuestionGroup,
    QuestionLink,
    Resolution,
    Team,
)
from forecasts.ledger.receipts import ledger_id
from forecasts.publication.record import Publication
from forecasts.publication.verify import FORM, PROGRAM, TIES
from forecasts.questions.standing import in_batches
from forecasts.scores.stored_scores import BRIER

_WORDS = {"member": {"handle"}, "resolution": {"note"}, "forecast": {"rationale"}}
# Rows without a salt that say nothing worth guessing: ids, times, roles and random texts.
_BLAND = frozenset(
    {
        *("ledger", "membership", "appointment", "team_rule", "policy", "discard", "revisit"),
        *("removal", "token", "token_revocation", "bot_owner", "preference"),
    }
)


_Rows = Mapping[str, Sequence[int]]  # the ids of published rows by table
_Opened = Mapping[int, dict[str, Any]]  # published rows by id, as in the file


@dataclass
class _Chain:
    """The published part of the chain, which begins at place ``first``, after the hash ``before``.

    ``entries``: as in the file; ``hashes``: theirs. ``rows``: the place, salt and hash of words of
    each published row, by table and id.
    """

    first: int = 1
    before: str = NOTHING
    entries: list[list[Any]] = field(default_factory=list)
    hashes: list[str] = field(default_factory=list)
    rows: dict[tuple[str, int], tuple[int, str | None, str | None]] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """The digest of the newest entry."""
        last = self.hashes[-1] if self.hashes else self.before
        return f"{self.first + len(self.hashes) - 1}-{last}"

    def has(self, digest: str) -> bool:
        """Return whether this part has the entry of that digest."""
        place, hash_ = read_digest(digest)
        at = place - self.first
        return 0 <= at < len(self.hashes) and self.hashes[at] == hash_


def program() -> str:
    """Return the text of ``verify.py``."""
    return Path(__file__).with_name(PROGRAM).read_text("utf-8")


def record_json(
    session: Session,
    record: Publication,
    stamps: Mapping[str, bytes],
    pages: Mapping[str, str] = {},
) -> str:
    """Return ``record.json``; equal ledgers and records make equal texts.

    ``stamps``: a server's signed answer for each stamped digest; those next to the published
    forecasts are included. ``pages``: the other files of the folder, whose hashes are included.
    """
    resolutions = _resolutions(session, record)
    published = _published(session, record, resolutions)
    chain = _chain(session, published)
    current = [one.state.resolution for one in record.questions if one.state.resolution]
    shown = {**published, "resolution": [one.id for one in current]}
    opened = {
        kind: _opened(session, chain, kind, ids, shown[kind]) for kind, ids in published.items()
    }
    found = {
        "form": FORM,
        "digest": chain.digest,
        "ledger": ledger_id(session),
        "team": next(iter(opened["team"].values()), None),
        "brier": record.numbers.brier,
        "files": {name: sha256(text.encode()) for name, text in pages.items()},
        "counts": _counts(chain, published),
        "members": list(opened["member"].values()),
        "questions": [
            {
                "question": opened["question"][one.state.id],
                "wording": opened["question_revision"][one.state.text.id],
                "resolutions": [opened["resolution"][id_] for id_ in resolutions[one.state.id]],
                "forecasts": [opened["forecast"][made.row.id] for made in one.forecasts],
                "scores": [
                    {"forecaster": score.forecaster, "brier": score.score}
                    for score in one.scores
                    if score.protocol == BRIER
                ],
            }
            for one in sorted(record.questions, key=lambda one: one.state.id)
        ],
        "ties": {kind: list(opened[kind].values()) for kind in TIES.split()},
        "stamps": _around(chain, opened["forecast"], stamps),
        "first": chain.first,
        "before": chain.before,
        "entries": chain.entries,
    }
    members = (f"{_json(name)}: {_lines(one)}" for name, one in found.items())
    return "{\n" + ",\n".join(members) + "\n}\n"


def _resolutions(session: Session, record: Publication) -> Mapping[int, list[int]]:
    """Return the ids of all steps of each question's resolution."""
    found: dict[int, list[int]] = {one.state.id: [] for one in record.questions}
    for some in in_batches(list(found)):
        steps = select(Resolution.question_id, Resolution.id).order_by(col(Resolution.id))
        for question, id_ in session.exec(steps.where(col(Resolution.question_id).in_(some))):
            found[question].append(id_)
    return found


def _published(
    session: Session, record: Publication, resolutions: Mapping[int, list[int]]
) -> _Rows:
    """Return the ids of the published rows."""
    forecasts = [one.row for question in record.questions for one in question.forecasts]
    team = select(Team.id).where(Team.name == record.title)
    return {
        "team": list(session.exec(team)) if record.is_team else [],
        "member": sorted({row.member_id for row in forecasts}),
        "question": [one.state.id for one in record.questions],
        "question_revision": [one.state.text.id for one in record.questions],
        "resolution": [id_ for steps in resolutions.values() for id_ in steps],
        "forecast": [row.id for row in forecasts],
        **_ties(session, {one.state.id for one in record.questions}),
    }


def _ties(session: Session, published: Set[int]) -> _Rows:
    """Return the ids of the rows that tie published questions to each other alone.

    A group with a question that is not published is left out, since its kind tells of it.
    """
    rows = session.exec(select(QuestionGroup).order_by(col(QuestionGroup.id))).all()
    first: dict[str, int] = {}
    for row in rows:
        first.setdefault(row.slug, row.id)
    places = session.exec(select(GroupPlace).order_by(col(GroupPlace.id))).all()
    hidden = {one.group_id for one in places if one.question_id not in published}
    hidden |= {first[row.slug] for row in rows if holds_secrets(row.title)}
    hidden |= {one.group_id for one in places if holds_secrets(one.label)}
    shown = {one.group_id for one in places} - hidden
    asked = session.exec(select(Condition).order_by(col(Condition.id))).all()
    linked = session.exec(select(QuestionLink).order_by(col(QuestionLink.id))).all()
    return {
        "question_group": [row.id for row in rows if first[row.slug] in shown],
        "group_place": [one.id for one in places if one.group_id in shown],
        "condition": [one.id for one in asked if {one.question_id, one.parent_id} <= published],
        "question_link": [one.id for one in linked if {one.question_id, one.other_id} <= published],
    }


def _chain(session: Session, published: _Rows) -> _Chain:
    """Return the chain from the first published row that can be shown with all that follow."""
    chain, known = _Chain(), {kind: set(ids) for kind, ids in published.items()}
    ends: dict[int, tuple[int, str]] = {}
    begun: set[int] = set()
    entry = SQLModel.metadata.tables["entry"]
    every = entry.select().order_by(entry.c.id).execution_options(yield_per=10_000)
    for place, question, number, kind, row_id, salt, words, row, hash_, at in session.execute(
        every
    ):
        is_published = row_id in known.get(kind, ())
        if is_published:
            chain.rows[kind, row_id] = place, salt, words
        can_be_guessed = words is None and kind not in _BLAND and row != NOTHING
        if not is_published and (can_be_guessed or not chain.entries):
            chain.first, chain.before = place + 1, hash_
            chain.entries, chain.hashes, begun = [], [], set()
        else:
            shown = [kind, row_id, row, time_text(at), question]
            if question not in begun:
                shown += ends.get(question, ())
            begun.add(question)
            chain.entries.append(shown)
            chain.hashes.append(hash_)
        if question is not None:
            ends[question] = number, hash_
    return chain


def _opened(
    session: Session, chain: _Chain, kind: str, ids: Sequence[int], shown: Collection[int]
) -> _Opened:
    """Return rows with the places of their entries, None before the published part of the chain.

    They are in the order of the ids. ``shown``: those whose words the record shows.
    """
    table, found, with_words = SQLModel.metadata.tables[kind], {}, set(shown)
    for some in in_batches(ids):
        rows = session.execute(table.select().where(table.c.id.in_(some))).all()
        columns = dict(zip(table.c.keys(), zip(*rows, strict=True), strict=True))
        for id_, (rest, personal) in zip(columns["id"], contents(kind, columns), strict=True):
            place, salt, words = chain.rows[kind, id_]
            end = "" if words is None else f'"words":"{words}",'
            one = {
                "place": place if place >= chain.first else None,
                "row": f"{f'{rest}{end}'[:-1]}}}",
            }
            may_be_opened = id_ in with_words and salt is not None and personal
            if may_be_opened and _are_published(kind, json.loads(personal)):
                one |= {"salt": salt, "said": personal}
            found[id_] = one
    return {id_: found[id_] for id_ in ids}


def _are_published(kind: str, words: Mapping[str, str]) -> bool:
    """Return whether these words are of the kind that is published, and without a secret."""
    return set(words) == _WORDS.get(kind) and not any(map(holds_secrets, words.values()))


def _counts(chain: _Chain, published: _Rows) -> dict[str, int]:
    """Return the number of published forecasts, and of others in this part of the chain.

    And of the ties of published questions that are not published.
    """
    forecasts, questions = set(published["forecast"]), set(published["question"])
    others = [
        question
        for kind, row_id, _, _, question, *_ in chain.entries
        if kind == "forecast" and row_id not in forecasts
    ]
    elsewhere = [question for question in others if question not in questions]
    ties = [
        row_id
        for kind, row_id, _, _, question, *_ in chain.entries
        if kind in TIES.split() and question in questions and row_id not in published[kind]
    ]
    return {
        "forecasts": len(forecasts),
        "others": len(others) - len(elsewhere),
        "elsewhere": len(elsewhere),
        "questions_elsewhere": len(set(elsewhere)),
        "ties": len(ties),
    }


def _around(chain: _Chain, forecasts: _Opened, stamps: Mapping[str, bytes]) -> dict[str, str]:
    """Return the first stamp after each forecast and the last before it, by digest."""
    known = sorted((read_digest(one)[0], one) for one in stamps if chain.has(one))
    near: set[str] = set()
    for place in {one["place"] for one in forecasts.values()} - {None}:
        at = bisect_left(known, (place, ""))
        near.update(digest for _, digest in known[max(0, at - 1) : at + 1])
    return {one: b64encode(stamps[one]).decode() for _, one in known if one in near}


def _lines(value: Any) -> str:
    """Return a member of the file, with the items of a list or object a line each."""
    if isinstance(value, list):
        return "[\n" + ",\n".join(map(_json, value)) + "\n]"
    return _json(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
