from datetime import datetime

import pytest
from sqlmodel import Session

from forecasts import questions, revisions
from forecasts.errors import BadInput, NotFound, Refused
from forecasts.models import Member, Question
from forecasts.questions import Status
from forecasts.values import read_value
from tests.conftest import ask, day


def test_a_question_gets_a_slug_of_its_title_and_a_number_when_it_is_taken(
    session: Session, alice: Member
) -> None:
    titles = ["Will Müller & Söhne merge?", "Will Müller & Söhne merge?", "会談は開かれるか"]
    slugs = [ask(session, alice, title=title).slug for title in titles]
    assert slugs == ["will-muller-sohne-merge", "will-muller-sohne-merge-2", "question-1"]


def test_a_slug_that_is_taken_is_refused(session: Session, alice: Member) -> None:
    ask(session, alice, slug="rain")
    with pytest.raises(Refused, match="already a question 'rain'"):
        ask(session, alice, slug="rain")


def test_a_question_whose_close_has_passed_is_not_registered(
    session: Session, alice: Member
) -> None:
    text = questions.question_text(title="?", open_time=day(0), scheduled_close_time=day(1))
    with pytest.raises(Refused, match="already passed"):
        questions.register(session, text, member=alice, now=day(2))


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"title": "  "}, "has no title"),
        ({"scheduled_close_time": day(0)}, "must come after the open time"),
        ({"type": "multiple_choice"}, "at least two options"),
        ({"type": "multiple_choice", "options": ["a", "a"]}, "once only"),
        ({"options": ["a", "b"]}, "multiple_choice questions only"),
        ({"type": "numeric"}, "needs a lower and an upper bound"),
        ({"type": "numeric", "lower_bound": "a", "upper_bound": "9"}, "are numbers"),
        ({"type": "numeric", "lower_bound": "10", "upper_bound": "5"}, "must lie below"),
        ({"type": "date", "lower_bound": "1", "upper_bound": "2027-01-01"}, "are dates"),
        ({"type": "multiple_choice", "options": ["a", " b"]}, "begin or end with a space"),
        ({"type": "multiple_choice", "options": ["a", "Annulled"]}, "outcomes of every question"),
        ({"slug": "../x y"}, "is no slug"),
        ({"slug": ""}, "is no slug"),
        ({"lower_bound": "1"}, "numeric and date questions only"),
        ({"type": "essay"}, "'binary'"),
        ({"open_time": datetime(2026, 1, 1)}, "offset or Z"),  # noqa: DTZ001
    ],
)
def test_a_malformed_question_is_refused_with_field_and_rule(
    session: Session, alice: Member, fields: dict[str, object], rule: str
) -> None:
    with pytest.raises(BadInput) as caught:
        ask(session, alice, **fields)
    assert rule in str(caught.value)


def test_status_follows_from_times_and_resolutions(session: Session, alice: Member) -> None:
    question = ask(session, alice, open_time=day(1))
    at = {0.5: Status.upcoming, 1: Status.open, 9.99: Status.open, 10: Status.awaiting}
    for number, status in at.items():
        stands = questions.as_it_stands(session, question, now=day(number))
        assert stands.status == status


def test_a_revision_is_a_new_row_and_the_earlier_wording_stays(
    session: Session, alice: Member, question: Question
) -> None:
    revisions.revise(
        session, question, member=alice, now=day(2), reason="clearer", title="Will it rain much?"
    )
    titles = [revision.title for revision in revisions.history(session, question)]
    assert titles == ["Will it rain?", "Will it rain much?"]
    assert questions.wording(session, question).title == "Will it rain much?"


def test_options_may_be_added_before_the_last_but_not_reordered(
    session: Session, alice: Member
) -> None:
    question = ask(session, alice, type="multiple_choice", options=["a", "Other"])
    revisions.revise(
        session, question, member=alice, now=day(1), reason="more", options=["a", "b", "Other"]
    )
    for options in (["b", "a", "Other"], ["a", "b", "Other", "c"], ["a", "Other"]):
        with pytest.raises(Refused, match="only be added to"):
            revisions.revise(
                session, question, member=alice, now=day(2), reason="order", options=options
            )


def test_a_forecast_made_before_an_option_was_there_is_read_from_the_last(
    session: Session, alice: Member
) -> None:
    from forecasts import resolutions, scores, updates
    from forecasts.frames import ledger_frames
    from forecasts.values import Value

    question = ask(session, alice, type="multiple_choice", options=["a", "Other"])
    updates.update(session, question, Value(probabilities=(0.6, 0.4)), member=alice, now=day(0))
    revisions.revise(
        session, question, member=alice, now=day(1), reason="more", options=["a", "b", "Other"]
    )
    assert ledger_frames(session).forecasts["probabilities"].tolist() == [[0.6, None, 0.4]]
    resolution = resolutions.confirm(
        session, question, "b", known_at=day(10), now=day(10), member=alice
    )
    scored = {score.protocol: score.score for score, _ in scores.of_question(session, resolution)}
    assert scored["brier"] == pytest.approx(0.36)  # as if "Other" had been right


def test_a_question_closed_early_takes_no_more_forecasts(
    session: Session, alice: Member, question: Question
) -> None:
    from forecasts import updates

    revisions.close(session, question, at=day(3), member=alice, now=day(3))
    with pytest.raises(Refused, match="closed at 2026-01-04"):
        updates.update(
            session,
            question,
            read_value("50%", questions.wording(session, question)),
            member=alice,
            now=day(4),
        )


def test_an_unknown_slug_suggests_the_nearest(session: Session, question: Question) -> None:
    with pytest.raises(NotFound, match="Did you mean rain"):
        questions.find(session, "rian")


def test_the_list_takes_a_bounded_number_of_queries(session: Session, alice: Member) -> None:
    from sqlalchemy import event

    for number in range(20):
        ask(session, alice, title=f"Question {number}?")
    statements: list[str] = []
    connection = session.connection()
    event.listen(
        connection,
        "before_cursor_execute",
        lambda _c, _cur, statement, *_: statements.append(statement),
    )
    assert len(questions.listing(session, now=day(1))) == 20
    assert len(statements) == 2
