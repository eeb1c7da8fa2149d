"""An export lists its omissions."""

import pytest
from sqlalchemy import Engine

from forecasts.access.members import member_or_new
from forecasts.articles import library
from forecasts.exporting.export import left_out
from forecasts.ledger import database
from forecasts.ledger.models import MemberKind, PrintedScore, QuestionOrigin
from forecasts.questions import passages, registry, revisions
from forecasts.reading.article import CapturedArticle
from forecasts.reading.text_quotes import TextQuote
from forecasts.resolution import assignments, confirmation, proposals
from forecasts.resolution.runs import run
from forecasts.updates import updates
from forecasts.updates.comments import comment
from forecasts.updates.model_uses import Model
from forecasts.values.value import Value
from tests.conftest import ask, day

pytestmark = pytest.mark.slow


def test_a_ledger_that_a_folder_can_hold_leaves_nothing_behind(engine: Engine) -> None:
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        question = ask(session, alice)
        updates.update(session, question, Value(probability=0.4), member=alice, now=day(1))
        confirmation.confirm(session, question, "yes", known_at=day(9), now=day(11), member=alice)
        assert left_out(session) == []


def test_everything_without_a_place_in_a_folder_is_counted(engine: Engine) -> None:
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        bot = member_or_new(session, "bot", now=day(0), kind=MemberKind.bot)
        article = CapturedArticle("Clouds", None, None, None, None, "It may rain. It may snow.")
        library.store(session, [article], member=alice, captured_at=day(0))
        sources = [
            passages.find_passage(session, 1, TextQuote(words))
            for words in ("It may rain.", "snow")
        ]
        text = registry.question_text(
            title="Will it rain?", open_time=day(0), scheduled_close_time=day(10)
        )
        rain = registry.register(session, text, member=alice, now=day(0), sources=sources)
        for number in (1, 2):
            revisions.revise(
                session,
                rain,
                member=alice,
                now=day(number),
                reason="clearer",
                background=f"Wording {number}.",
            )
        assignments.attach(session, rain, "outcomes_file", {"path": "x"}, member=alice, now=day(0))
        proposals.propose(
            session, rain, "no", known_at=day(11), now=day(11), member=bot, note="The gazette."
        )
        confirmation.confirm(session, rain, "no", known_at=day(11), now=day(12), member=alice)
        confirmation.confirm(session, rain, "yes", known_at=day(11), now=day(13), member=alice)
        snow = ask(session, alice)
        model = Model(name="m")
        updates.update(session, snow, Value(probability=0.5), member=bot, now=day(1), model=model)
        comment(session, snow, "So.", member=bot, now=day(1))
        elsewhere = {"question_id": snow.id, "platform": "metaculus", "recorded_at": day(1)}
        session.add(QuestionOrigin(**elsewhere, platform_id="7"))
        session.add(PrintedScore(**elsewhere, member_id=bot.id, name="peer", score=12.5))
    run.run(engine, now=day(14))
    with database.reading(engine) as session:
        assert left_out(session) == [
            "2 earlier wordings",
            "1 further passage",
            "2 earlier resolutions, proposals, rejections or withdrawals",
            "1 resolver",
            "1 comment",
            "1 model behind forecasts",
            "1 member marked as bot or service",
            "1 origin on other platforms",
            "1 score printed by platforms",
        ]
