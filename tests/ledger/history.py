"""A ledger with something in every table of history, for tests that change or verify it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlmodel import Session

from forecasts.access import preferences, teams
from forecasts.access.members import member_or_new
from forecasts.access.memberships import join, team_or_new
from forecasts.agenda.notifications import channels
from forecasts.articles import library
from forecasts.common.settings import sqlite_url
from forecasts.ledger import append, database, facts, head, models
from forecasts.questions import discards, passages, registry
from forecasts.reading.article import CapturedArticle
from forecasts.resolution import assignments, disputes, kept_evidence
from forecasts.resolution.resolvers.protocol import Seen
from forecasts.updates import updates
from forecasts.updates.evidence import CitedEvidence
from forecasts.values.value import Value
from tests.conftest import ask, day, resolve


def furnish(engine: Engine) -> None:
    """Put a row or more into every table of history, an act at a time."""
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        bob = member_or_new(session, "bob", now=day(0))
        join(session, team_or_new(session, "Alder", now=day(0)), alice, joined_at=day(0))
        seen = CapturedArticle("The quay", None, None, None, "https://example.org/q", "Sandbags.")
        [(article, _)] = library.store(session, [seen], member=alice, captured_at=day(0))
        wording = registry.question_text(
            title="Rain?", open_time=day(0), scheduled_close_time=day(10), tags=["weather"]
        )
        given = {"slug": "rain", "sources": [passages.find_passage(session, article.id or 0)]}
        rain = registry.register(session, wording, member=alice, now=day(0), **given)
        snow = ask(session, bob, slug="snow")
        discards.discard(session, ask(session, bob, slug="slip"), member=bob, now=day(0))
    supports = {"stance": models.Stance.supports}
    cited = [CitedEvidence(note="clouds", **supports)]
    cited += [CitedEvidence(url="https://example.org/q", **supports)]
    for number, (question, member) in enumerate(((rain, alice), (snow, bob), (rain, bob))):
        value, said = Value(probability=0.2 + number / 10), f"because {number}"
        by = {"member": member, "now": day(1 + number)}
        with database.writing(engine) as session:
            updates.update(session, question, value, rationale=said, evidence=cited, **by)
    with database.writing(engine) as session:
        disputable = {"dispute_days": 3, "member": alice, "now": day(5)}
        assignments.set_policy(session, rain, models.PolicyKind.confirm, **disputable)
        row = resolve(session, rain, alice, "yes", 5, at=6)
        kept_evidence.keep(session, row, [Seen("https://example.org/gauge", b"12 mm", day(6))])
    with database.writing(engine) as session:
        disputes.dispute(session, rain, member=bob, now=day(6.5), reason="The sprinkler.")
    at = {"recorded_at": day(7)}
    with database.writing(engine) as session:
        session.add(models.Ledger(created_at=day(0)))
        identity = models.Identity(issuer="https://id", subject="1", member_id=1, **at)
        session.add(identity)
        asked = {"question_id": 2, "member_id": 2, **at}
        session.add(models.Resolver(kind="csv", settings={"path": "/gauge.csv"}, **asked))
        session.add(models.Revisit(member_id=2, days=7, **at))
        paris = preferences.Preferences("Europe/Paris")
        preferences.set_preferences(session, paris, member=bob, now=day(7))
        channels.add(session, "phone", "json://example.org/x", member=bob, now=day(7))
        session.flush()
        identity.member_id = 2
    with database.writing(engine) as session:
        channels.change(session, "phone", member=bob, days_before_close=3)
    with database.writing(engine) as session:
        session.add(models.Token(member_id=alice.id or 0, key="k", digest="d", **at))
        session.flush()
        session.add(models.TokenRevocation(token_id=1, **at))
        session.add(models.BotOwner(bot_id=2, owner_id=1, **at))
        session.add(models.ModelUse(forecast_id=3, name="gauge", tools=["search"], cost=0.5))
        said_by = {"question_id": 1, "member_id": 2, **at}
        session.add(models.Comment(forecast_id=3, text="It has rained before.", **said_by))
        session.add(models.PrintedScore(platform="metaculus", name="peer", score=12.5, **said_by))
        origin = {"platform": "metaculus", "platform_id": "7"}
        session.add(models.QuestionOrigin(question_id=1, **origin, **at))
        by_bob = {"member_id": 2, **at}
        wet = models.QuestionGroup(slug="wet", title="Wet", kind="exclusive", **by_bob)
        session.add(wet)
        session.flush()
        place = {"group_id": wet.id, "label": "June", "position": 1}
        session.add(models.GroupPlace(question_id=1, **place, **by_bob))
        session.add(models.Condition(question_id=2, parent_id=1, outcome="yes", **by_bob))
        link = {"other_id": 2, "kind": "causes", "strength": "weak", "reason": "Cold air."}
        session.add(models.QuestionLink(question_id=1, **link, **by_bob))
        call = models.ModelCall(
            bot_id=1, kind="questions", article_id=1, model="small", host="localhost",
            prompt_hash="p", most_tokens=9, request="What?", **by_bob,
        )  # fmt: skip
        session.add(call)
        session.flush()
        of_call = {"model_call_id": call.id, **by_bob}
        used = {"tokens_in": 3, "tokens_out": 4, "cost": 0.25, "seconds": 1.5}
        session.add(models.ModelAnswer(state="answered", answer="That.", **used, **of_call))
        proposal = models.ModelProposal(content="{}", **of_call)
        session.add(proposal)
        session.flush()
        made = {"made_question_id": 1, "decision": "accepted"}
        session.add(models.ModelDecision(model_proposal_id=proposal.id, **made, **by_bob))
        teams.appoint(session, alice, models.Role.admin, member=alice, now=day(7))
        alder = teams.find(session, "Alder")
        teams.set_rule(session, alder, second_resolver=True, member=alice, now=day(7))


@contextmanager
def new_ledger(
    kind: str, request: pytest.FixtureRequest, empty_ledger: Path, folder: Path
) -> Iterator[Engine]:
    """Yield such a ledger, in a file of the folder or on a server."""
    with ExitStack() as stack:
        if kind == "sqlite":
            url = sqlite_url(Path(shutil.copy(empty_ledger, folder / "ledger.sqlite3")))
        else:
            url = stack.enter_context(request.getfixturevalue("postgresql").fresh())
        engine = database.open_engine(url)
        stack.callback(engine.dispose)
        furnish(engine)
        yield engine


@contextmanager
def tampered(engine: Engine, *statements: str) -> Iterator[Session]:
    """Yield a session after somebody has done that who has the database, and undo it.

    No trigger refuses it, and nothing outside the database is left to compare with.
    """
    with database.writing(engine) as session:
        connection = session.connection()
        head.forget(engine, facts.first(session))
        if engine.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        else:
            connection.execute(text("PRAGMA defer_foreign_keys = ON"))
            connection.execute(text("PRAGMA ignore_check_constraints = ON"))
            for trigger in connection.scalars(
                text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            ).all():
                connection.execute(text(f"DROP TRIGGER {trigger}"))
        for statement in statements:
            connection.execute(text(statement))
        for forget in (append.undo, facts.undo):  # what is known of it from before
            forget(session)
        yield session
        if engine.dialect.name == "sqlite":
            connection.execute(text("PRAGMA ignore_check_constraints = OFF"))
        session.rollback()
