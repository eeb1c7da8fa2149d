"""Resolve: decide on proposals, resolve, correct, annul; the resolvers' results."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from forecasts.access.members import member_or_new
from forecasts.ledger import database
from forecasts.ledger.models import PolicyKind, Resolution
from forecasts.questions import registry
from forecasts.questions.standing import Status
from forecasts.resolution import assignments, confirmation, kept_evidence, progress, proposals
from forecasts.resolution.resolvers.protocol import Seen
from forecasts.resolution.runs import run
from forecasts.resolution.runs.claiming import MOST_ATTEMPTS
from tests.app.conftest import Clock, confirmed, errors, fill, settle, state, submit, visit, words
from tests.conftest import day

pytestmark = pytest.mark.slow


def history(engine: Engine, slug: str) -> list[Resolution]:
    with database.reading(engine) as ledger:
        return proposals.history(ledger, registry.find(ledger, slug))


def proposal(engine: Engine) -> str:
    [row] = history(engine, "rain")
    return f"proposal-{row.id}#0"


def test_a_proposal_is_accepted_with_its_time_and_note(furnished: AppTest, engine: Engine) -> None:
    visit(furnished, "resolve")
    furnished.button(key=f"{proposal(engine)}-accept").click().run()
    resolution = state(engine, "rain").resolution
    assert resolution is not None
    assert (resolution.outcome, resolution.known_at) == ("yes", day(3))
    assert resolution.note == "It poured."


def test_a_rejection_keeps_its_reason(furnished: AppTest, engine: Engine) -> None:
    visit(furnished, "resolve")
    submit(furnished, f"{proposal(engine)}", "reject", reason="That was the sprinkler")
    assert state(engine, "rain").status == Status.open
    assert history(engine, "rain")[-1].note == "That was the sprinkler"


def test_a_question_is_resolved_with_a_time_note_and_source(
    furnished: AppTest, engine: Engine
) -> None:
    visit(furnished, "resolve", slug="ended")
    given = {"known": "2026-01-04 18:30", "note": "It has.", "source": "https://example.org/end"}
    submit(furnished, "resolve-ended#0", "go", outcome="yes", **given)
    resolution = state(engine, "ended").resolution
    assert resolution is not None
    assert resolution.known_at == datetime.fromisoformat("2026-01-04T18:30:00+00:00")
    assert (resolution.note, resolution.source) == ("It has.", "https://example.org/end")
    assert "Outcome: yes" in words(furnished)


def test_a_correction_keeps_the_earlier_resolution(furnished: AppTest, engine: Engine) -> None:
    visit(furnished, "resolve", slug="snow")
    assert "Enter another outcome or time to correct it" in words(furnished)
    submit(furnished, "resolve-snow#0", "go", outcome="yes")
    first, second = history(engine, "snow")
    assert second.supersedes_id == first.id
    assert second.known_at == first.known_at  # no other time was given
    assert confirmed(furnished) == ["Corrected: no → yes. Scores are stored."]
    # With the other outcome, 0.8 and 0.4 are 0.2 and 0.6 away.
    assert furnished.metric[0].value == f"{(0.2**2 + 0.6**2) / 2:.3f}"


def test_a_corrected_time_names_both_times_and_the_forecasts_that_no_longer_count(
    furnished: AppTest,
) -> None:
    visit(furnished, "resolve", slug="snow")
    fill(furnished, "resolve-snow#0", outcome="no", known="2026-01-01 12:00").run()
    late = "1 forecast by 1 member no longer counts: made after the outcome was known."
    assert late in words(furnished)
    furnished.button(key="resolve-snow#0-go").click().run()
    times = "known at 5 Jan 2026, 00:00 UTC → 1 Jan 2026, 12:00 UTC"
    assert confirmed(furnished) == [f"Corrected: {times}. {late} Scores are stored."]


def test_an_outcome_may_be_proposed_only(furnished: AppTest, engine: Engine) -> None:
    visit(furnished, "resolve", slug="ended")
    submit(furnished, "resolve-ended#0", "propose", outcome="yes", note="I heard so")
    assert state(engine, "ended").stage == "awaiting resolution, 1 proposal"
    assert confirmed(furnished) == ["Proposed: yes on “Has it ended?”."]
    said = words(furnished)
    assert "Proposed (2)" in said
    assert "I heard so" in said
    assert "alice · 6 Jan 2026, 00:00 UTC" in said


def test_an_annulled_question_yields_no_scores(furnished: AppTest, engine: Engine) -> None:
    visit(furnished, "resolve", slug="snow")
    submit(furnished, "resolve-snow#0", "go", outcome="annulled")
    assert state(engine, "snow").status == Status.annulled
    assert "The question is annulled and not scored." in words(furnished)
    assert confirmed(furnished) == [
        "Corrected: no → annulled. It is not scored and is left out of reports."
    ]


def test_an_impossible_outcome_is_refused_and_the_form_keeps_its_text(
    furnished: AppTest, engine: Engine
) -> None:
    visit(furnished, "resolve", slug="depth")
    for outcome, rule, button in (
        ("deep", "is not an outcome of this question", "go"),
        ("", "No outcome was given", "propose"),
    ):
        submit(furnished, "resolve-depth#0", button, outcome=outcome, note="As measured")
        assert rule in errors(furnished)
        assert furnished.text_input(key="resolve-depth#0-outcome").value == outcome
        assert furnished.text_area(key="resolve-depth#0-note").value == "As measured"
    assert history(engine, "depth") == []


def test_an_empty_ledger_has_nothing_to_resolve(app: AppTest) -> None:
    assert "Nothing to resolve" in words(visit(app, "resolve"))


def carry(engine: Engine, path: str) -> None:
    with database.writing(engine) as ledger:
        alice = member_or_new(ledger, "alice", now=day(5))
        ended = registry.find(ledger, "ended")
        settings = {"path": path}
        assignments.attach(ledger, ended, "outcomes_file", settings, member=alice, now=day(5))


def look_in_vain(engine: Engine, *attempts: int) -> None:
    """Run a resolver that fails; after the last attempt its question needs attention."""
    for number in attempts:
        run.run(engine, now=day(5 + 2 * number))


def test_failed_lookups_are_shown_until_the_question_is_parked_and_retried_on_request(
    furnished: AppTest, engine: Engine, clock: Clock, tmp_path: object
) -> None:
    carry(engine, f"{tmp_path}/missing.csv")
    look_in_vain(engine, 0)
    said = words(visit(furnished, "resolve"))
    assert "failed; next try" in said
    assert "missing.csv' cannot be read" in said
    assert list(furnished.dataframe[0].value["State"]) == ["failed"]
    look_in_vain(engine, *range(1, MOST_ATTEMPTS))
    said = words(furnished.run())
    assert "1 question could not be resolved automatically and needs attention." in said
    assert f"after {MOST_ATTEMPTS} attempts" in said
    assert "missing.csv' cannot be read" in said
    furnished.button(key="retry-ended#0").click().run()
    assert "needs attention" not in words(furnished)
    with database.reading(engine) as ledger:
        assert progress.parked(ledger) == []


def test_the_resolvers_of_a_parked_question_are_removed_on_request(
    furnished: AppTest, engine: Engine, clock: Clock, tmp_path: object
) -> None:
    carry(engine, f"{tmp_path}/missing.csv")
    look_in_vain(engine, *range(MOST_ATTEMPTS))
    visit(furnished, "resolve")
    furnished.button(key="retry-ended#0-remove").click().run()
    assert "needs attention" not in words(furnished)
    assert confirmed(furnished)[0].startswith("Removed the resolvers of")
    with database.reading(engine) as ledger:
        assert progress.last_lookups(ledger) == []
    assert run.run(engine, now=day(60)).results == []


def test_a_dispute_is_decided_on_the_page(furnished: AppTest, engine: Engine, clock: Clock) -> None:
    with database.writing(engine) as ledger:
        alice = member_or_new(ledger, "alice", now=day(0))
        ended = registry.find(ledger, "ended")
        assignments.set_policy(
            ledger, ended, PolicyKind.confirm, dispute_days=7, member=alice, now=day(4)
        )
    settle(engine, "ended", "yes", by="alice")
    visit(furnished, "question", slug="ended")
    assert "provisional until 13 Jan 2026" in words(furnished)
    furnished.button(key="dispute-ended#0-go").click().run()
    assert "needs a reason" in errors(furnished)
    submit(furnished, "dispute-ended#0", "go", reason="The *sprinkler*.")
    assert "provisional: disputed 6 Jan 2026" in words(furnished)
    assert "*disputed*" in words(furnished)
    said = words(visit(furnished, "resolve"))
    assert "Disputed (1)" in said
    assert "The *sprinkler*." in said
    submit(furnished, "disputed-1#0", "uphold", reason="It rained as well.")
    assert "Disputed (1)" not in words(furnished)
    assert "It rained as well." in words(visit(furnished, "question", slug="ended"))
    assert "provisional" not in "".join(info.value for info in furnished.info)


def test_the_copies_a_resolver_used_can_be_downloaded(
    furnished: AppTest, engine: Engine, clock: Clock
) -> None:
    with database.writing(engine) as ledger:
        alice = member_or_new(ledger, "alice", now=day(0))
        ended = registry.find(ledger, "ended")
        row = confirmation.confirm(
            ledger, ended, "yes", known_at=day(4), now=day(5), member=alice
        ).resolution
        seen = [
            Seen("https://example.org/gauge", b"12 mm", day(5)),
            Seen("https://example.org/all", b"x" * 1_000_001, day(5)),
        ]
        kept_evidence.keep(ledger, row, seen)
    visit(furnished, "question", slug="ended")
    said = words(furnished)
    assert "(<https://example.org/gauge>)" in said
    assert "5 bytes · SHA-256" in said
    assert "Too large to keep" in said
    assert [one.label for one in furnished.get("download_button")] == ["Download"]


def test_an_outcome_from_another_tab_is_not_corrected_unseen(
    furnished: AppTest, engine: Engine
) -> None:
    visit(furnished, "resolve", slug="ended")
    settle(engine, "ended", "yes", by="alice")  # in another tab
    submit(furnished, "resolve-ended#0", "go", outcome="no")
    assert "resolved meanwhile: yes" in errors(furnished)
    assert "Resolved: yes" in words(furnished)
    assert furnished.button(key="resolve-ended#0-go").label == "Correct"
    assert [row.outcome for row in history(engine, "ended")] == ["yes"]
    # Once seen, it can be corrected.
    furnished.button(key="resolve-ended#0-go").click().run()
    assert [row.outcome for row in history(engine, "ended")] == ["yes", "no"]


def test_an_outcome_is_withdrawn_with_a_reason(furnished: AppTest, engine: Engine) -> None:
    visit(furnished, "resolve", slug="snow")
    furnished.button(key="resolve-snow#0-withdraw-go").click().run()
    assert "needs a reason" in errors(furnished)
    submit(furnished, "resolve-snow#0-withdraw", "go", reason="That was *Bergen*")
    assert confirmed(furnished) == ["Withdrawn: no. The question has no outcome now."]
    assert [row.state for row in history(engine, "snow")] == ["confirmed", "withdrawn"]
    assert state(engine, "snow").resolution is None
    said = words(furnished)
    assert "The outcome no was withdrawn" in said
    assert "“That was *Bergen*”. If a resolver gives it again, a person decides." in said
    assert "withdrawn: no" in said
    assert "Outcome: no" not in said
    visit(furnished, "resolve", slug="snow")
    assert "The outcome no was withdrawn" in words(furnished)
    assert "Withdraw outcome" not in [button.label for button in furnished.button]


def test_an_outcome_corrected_in_another_tab_is_not_withdrawn_unseen(
    furnished: AppTest, engine: Engine
) -> None:
    visit(furnished, "resolve", slug="snow")
    settle(engine, "snow", "yes", known=None)
    submit(furnished, "resolve-snow#0-withdraw", "go", reason="A mistake")
    assert "was resolved meanwhile: yes" in errors(furnished)
    assert len(history(engine, "snow")) == 2


def test_the_accuracy_of_resolvers_is_read_when_it_is_opened(
    furnished: AppTest, engine: Engine
) -> None:
    carry(engine, "outcomes.csv")
    furnished.session_state["resolver-record"] = True
    visit(furnished, "resolve")
    assert "No question with a resolver has an outcome yet." in words(furnished)
