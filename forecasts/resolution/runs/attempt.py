"""One look of a resolver at the world: what it reads through, and what is made of its answer.

A resolver can be anybody's, and can do anything: whatever goes wrong in it is what it says.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial

from sqlalchemy import Engine

from forecasts.access.roles import is_shared_ledger
from forecasts.access.visibility import read_as
from forecasts.common.errors import BadInput, DatabaseError
from forecasts.ledger.database import reading
from forecasts.ledger.models import Member, QuestionText, QuestionType, Resolver
from forecasts.questions import finality
from forecasts.questions.outcomes import beyond, read_outcome, say_range
from forecasts.questions.registry import find
from forecasts.questions.standing import Stands, as_it_stands
from forecasts.resolution.assignments import asked
from forecasts.resolution.resolvers.kinds import kind
from forecasts.resolution.resolvers.protocol import Fetch, Finding, Seen
from forecasts.resolution.runs.decision import Said

# What a resolver reads through: whoever attached it may see what it is given.
Sources = Callable[[Resolver], Fetch]


def ask(resolver: Resolver, stands: Stands, now: datetime, sources: Sources) -> Said:
    """Return what a resolver says; whatever goes wrong in it is what it says."""
    try:
        looks = kind(resolver.kind)
        settings = looks.read(resolver.kind, resolver.settings)
        question = asked(stands)
        finding = looks.look(question, settings, now, sources(resolver))
        if finding is not None:
            _require_finding(finding)
            finding = _as_kept(finding, stands.text, reads_off=looks.reads_off)
        not_before = None
        if finding is None and looks.not_before is not None:
            not_before = looks.not_before(question, settings)
            _require_moment("not_before", not_before)
    except DatabaseError:
        raise
    except SystemExit as error:
        return Said(resolver, error=BadInput(f"It ended the program, by exit({error.code!r})."))
    except Exception as error:  # one bad question never stops the others, whatever it holds
        error.__context__ = None
        return Said(resolver, error=error.with_traceback(None))
    return Said(
        resolver,
        finding,
        only_proposes=looks.only_proposes,
        of_silence=looks.of_silence,
        not_before=not_before,
    )


def _as_kept(finding: Finding, text: QuestionText, *, reads_off: bool) -> Finding:
    """Return the finding with the outcome as the ledger keeps it.

    A number that was read off and lies beyond the bounds is no slip: the outcome is that it does.
    """
    outcome = read_outcome(finding.outcome, text)
    if reads_off and text.type == QuestionType.numeric and beyond(outcome, text):
        note = f"{outcome} lies outside {say_range(text)}"
        note = "\n".join(part for part in (finding.note, note) if part)
        return replace(finding, outcome=beyond(outcome, text), note=note)
    return replace(finding, outcome=outcome)


def _require_finding(found: object) -> None:
    """Refuse, with BadInput, what no ``Finding`` is: kinds of others are not type-checked here."""
    if not isinstance(found, Finding):
        raise BadInput(f"It answered with {found!r:.80}, which is neither a Finding nor None.")
    _require_moment("known_at", found.known_at)
    for name in ("outcome", "source", "note"):
        if not isinstance(getattr(found, name), str):
            raise BadInput(f"Its {name}, {getattr(found, name)!r:.80}, is not a text.")
    seen: object = found.seen
    if not isinstance(seen, tuple) or not all(isinstance(one, Seen) for one in seen):
        raise BadInput(f"What it has seen, {seen!r:.80}, is not a tuple of Seen.")


def _require_moment(name: str, moment: object) -> None:
    if not isinstance(moment, datetime) or moment.utcoffset() is None:
        raise BadInput(f"Its {name}, {moment!r:.80}, is not a datetime with an offset.")


def sources_of(engine: Engine, now: datetime, *, allow_private: bool) -> Sources:
    """Return what resolvers read through, which keeps what it has read."""
    # Imported here: a run that has nothing to do need not wait for what reads the web.
    from forecasts.resolution.resolvers import question, sources

    with reading(engine) as session:
        shared = is_shared_ledger(session)
    answers = partial(_answer, engine, now)
    reads = sources.Sources(now, answers, shared=shared, allow_private=allow_private)

    def of(resolver: Resolver) -> Fetch:
        def fetch(address: str) -> Seen:
            if address.startswith(question.ADDRESS):
                slug = address.removeprefix(question.ADDRESS)
                _require_seen(engine, resolver, slug, now)
            return reads(address)

        return fetch

    return of


def _require_seen(engine: Engine, resolver: Resolver, slug: str, now: datetime) -> None:
    """Refuse, with NotFound, a question that whoever attached the resolver may not see."""
    with reading(engine) as session:
        read_as(session, session.get(Member, resolver.member_id or 0), now=now)
        find(session, slug)


def _answer(engine: Engine, now: datetime, slug: str) -> tuple[str, datetime] | None:
    """Return how a question came out and since when that is known, None while that is not final."""
    with reading(engine) as session:
        question = find(session, slug)
        resolution = as_it_stands(session, question, now=now).resolution
        open_still = finality.provisional(session, question, now=now) is not None
    if resolution is None or open_still:
        return None
    return resolution.outcome, resolution.known_at or resolution.recorded_at
