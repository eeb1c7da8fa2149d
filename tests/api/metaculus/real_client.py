"""A program for an environment with forecasting-tools: each call of its client, and a bot of its.

It is started by ``test_forecasting_tools`` with a token of the ledger's admin and one of their bot.
It prints a JSON object of the values that it sent and read back.
"""

from __future__ import annotations

import ast
import asyncio
import json
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

TOURNAMENT = "minibench"
NOTES = "The base rate decides."


def main(owner_token: str, bot_token: str, bot_name: str) -> dict[str, Any]:
    """Return the facts of a bot's whole journey, by question type."""
    from forecasting_tools import MetaculusClient

    assert MetaculusClient.local().base_url == "http://127.0.0.1:8000/api"
    quick = {"sleep_seconds_between_requests": 0, "sleep_jitter_seconds": 0}
    owner = MetaculusClient(token=owner_token, **quick)
    bot = MetaculusClient(token=bot_token, **quick)
    found: dict[str, Any] = {"base_url": bot.base_url}
    questions = bot.get_all_open_questions_from_tournament(TOURNAMENT)
    found["listed"] = {one.get_question_type(): one.id_of_post for one in questions}
    found["forecast"] = {kind: _forecast(bot, number) for kind, number in found["listed"].items()}
    found["accounts"] = _accounts(owner, bot)
    found["as_bot"] = _acting(MetaculusClient(token=owner_token, acting_user=bot_name, **quick))
    found["asked"] = _asked(owner)
    found["filters"] = _filters(bot)
    found["group"] = _group(bot)
    found["conditional"] = _conditional(bot)
    found["links"] = _links(bot)
    found["template"] = asyncio.run(_template(bot))
    _name_model(bot_token)
    return found


def _name_model(token: str) -> None:
    """Forecast each question of the family with the client of docs/bots.md."""
    page = Path(__file__).parents[3].joinpath("docs", "bots.md").read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    exec(page.partition("real_client.py -->\n```python\n")[2].partition("```")[0], names)
    client = names["NamedClient"](token=token, sleep_seconds_between_requests=0)
    for question in client.get_all_open_questions_from_tournament("family"):
        client.post_binary_question_prediction(question.id_of_question, 0.3)


def _cdf(question: Any) -> list[float]:
    from forecasting_tools import NumericDistribution
    from forecasting_tools.data_models.numeric_report import Percentile

    low, high = question.lower_bound, question.upper_bound
    if isinstance(low, datetime):
        low, high = low.timestamp(), high.timestamp()
    declared = [
        Percentile(percentile=p, value=low + (high - low) * place)
        for p, place in ((0.1, 0.2), (0.3, 0.35), (0.5, 0.4), (0.7, 0.5), (0.9, 0.8))
    ]
    return [
        one.percentile for one in NumericDistribution.from_question(declared, question).get_cdf()
    ]


def _forecast(bot: Any, number: int) -> dict[str, Any]:
    """Return the values sent and read back on one question, forecast and explained."""
    question = bot.get_question_by_post_id(number)
    kind, id_ = question.get_question_type(), question.id_of_question
    assert not question.already_forecasted
    if kind == "binary":
        sent = [0.37, 0.63]
        bot.post_binary_question_prediction(id_, 0.63)
    elif kind == "multiple_choice":
        sent = [0.5, 0.3, 0.2]
        options = dict(zip(question.options, sent, strict=True))
        bot.post_multiple_choice_question_prediction(id_, options)
    else:
        sent = _cdf(question)
        assert len(sent) == question.cdf_size
        bot.post_numeric_question_prediction(id_, sent)
    bot.post_question_comment(number, NOTES)
    again = bot.get_question_by_url(f"https://www.metaculus.com/questions/{number}/")
    assert again.already_forecasted
    assert again.timestamp_of_my_last_forecast is not None
    if kind in ("numeric", "discrete"):
        declared = again.previous_forecasts[-1].declared_percentiles
        assert [one.percentile for one in declared] == _latest(again)
    return {"sent": sent, "read": _latest(again), "id": id_}


def _latest(question: Any) -> list[float]:
    latest = question.api_json["question"]["my_forecasts"]["latest"]
    return list(latest["forecast_values"])


def _accounts(owner: Any, bot: Any) -> dict[str, Any]:
    made = owner.create_bot("another-bot")
    again = owner.get_bot_token(made.id)
    return {
        "me": bot.get_current_user_id(),
        "bots": [one.username for one in owner.get_user_bots()],
        "tokens_differ": made.token != again.token,
    }


def _acting(client: Any) -> dict[str, Any]:
    """Return the forecasts of the bot as its owner reads them, after one more in its name."""
    questions = client.get_all_open_questions_from_tournament(TOURNAMENT)
    binary = next(one for one in questions if one.get_question_type() == "binary")
    client.post_binary_question_prediction(binary.id_of_question, 0.71)
    client.post_question_comment(binary.id_of_post, "As its owner.")
    again = client.get_question_by_post_id(binary.id_of_post)
    return {
        "already": sum(bool(one.already_forecasted) for one in questions),
        "history": [one.prediction_in_decimal for one in again.previous_forecasts],
    }


def _asked(owner: Any) -> dict[str, Any]:
    """Return the scores and outcomes of new questions, approved, forecast and resolved."""
    from forecasting_tools import BinaryQuestion, NumericQuestion
    from forecasting_tools.data_models.questions import DiscreteQuestion, MultipleChoiceQuestion

    now = datetime.now(UTC).replace(microsecond=0)
    times = {
        "open_time": now - timedelta(hours=2),
        "close_time": now + timedelta(days=3),
        "scheduled_resolution_time": now + timedelta(days=4),
        "resolution_criteria": "As the gazette says.",
        "default_project_id": 33121,
    }
    bounds = {"open_lower_bound": True, "open_upper_bound": True, "zero_point": None}
    new = {
        "yes": BinaryQuestion(question_text="Will it hail?", **times),
        "12.5": NumericQuestion(
            question_text="How much rain?", lower_bound=0, upper_bound=50, **bounds, **times
        ),
        "1200.0": NumericQuestion(
            question_text="How many drops?",
            lower_bound=1, upper_bound=1e6, **bounds | {"zero_point": 0}, **times,
        ),
        "4": DiscreteQuestion(
            question_text="How many storms?",
            lower_bound=-0.5, upper_bound=10.5, cdf_size=12, **bounds, **times,
        ),
        "North": MultipleChoiceQuestion(
            question_text="Where?", options=["North", "South"], **times
        ),
    }  # fmt: skip
    found = {}
    for outcome, question in new.items():
        made = owner.create_question(question)
        owner.approve_question(made)
        if outcome == "yes":
            owner.post_binary_question_prediction(made.id_of_question, 0.8)
        elif outcome == "North":
            chances = {"North": 0.75, "South": 0.25}
            owner.post_multiple_choice_question_prediction(made.id_of_question, chances)
        else:
            cdf = _cdf(made)
            owner.post_numeric_question_prediction(made.id_of_question, cdf)
            read = _latest(owner.get_question_by_post_id(made.id_of_post))
            assert max(abs(a - b) for a, b in zip(read, cdf, strict=True)) < 2e-10
            assert made.zero_point == question.zero_point
        known = _after_forecast(owner, made.id_of_post)
        owner.resolve_question(made.id_of_question, outcome, known)
        read = owner.get_question_by_post_id(made.id_of_post)
        scores = read.api_json["question"]["my_forecasts"]["score_data"]
        found[outcome] = [read.state.value, str(read.typed_resolution), scores]
    return found


def _after_forecast(client: Any, number: int) -> datetime:
    """Return a time between the client's forecast and the present one of the server.

    The server's clock goes on by ten seconds whenever it is read.
    """
    question = client.get_question_by_post_id(number).api_json["question"]
    made = float(question["my_forecasts"]["latest"]["start_time"])
    return datetime.fromtimestamp(made + 5, UTC)


def _filters(bot: Any) -> dict[str, int]:
    """Return how many questions each filter finds."""
    from forecasting_tools import ApiFilter

    now = datetime.now(UTC)
    filters = {
        "binary": ApiFilter(allowed_types=["binary"], allowed_statuses=["open"]),
        "resolved": ApiFilter(allowed_statuses=["resolved"]),
        "mine": ApiFilter(is_previously_forecasted_by_user=True, allowed_tournaments=[TOURNAMENT]),
        "later": ApiFilter(open_time_gt=now + timedelta(days=1)),
        "soon": ApiFilter(
            scheduled_resolve_time_lt=now + timedelta(days=5),
            publish_time_gt=now - timedelta(days=2),
        ),
        "crowd": ApiFilter(
            allowed_types=["binary"], num_forecasters_gte=1, community_prediction_exists=True,
            is_in_main_feed=True,
        ),
    }  # fmt: skip
    counts = {
        name: len(asyncio.run(bot.get_questions_matching_filter(one)))
        for name, one in filters.items()
    }
    sample = bot.get_benchmark_questions(
        1, num_forecasters_gte=0, error_if_question_target_missed=False
    )
    return counts | {"benchmark": len(sample)}


def _group(bot: Any) -> dict[str, Any]:
    questions = bot.get_all_open_questions_from_tournament("family")
    labels = [one.group_question_option for one in questions]
    number = questions[0].id_of_post
    again = bot.get_question_by_post_id(number, "unpack_subquestions")
    for question, p in zip(again, (0.4, 0.7), strict=True):
        bot.post_binary_question_prediction(question.id_of_question, p)
        bot.post_question_comment(number, NOTES)
    read = bot.get_question_by_post_id(number, "unpack_subquestions")
    excluded = list(bot.get_all_open_questions_from_tournament("family", "exclude"))
    return {
        "labels": labels,
        "ids": read[0].question_ids_of_group == [one.id_of_question for one in questions],
        "criteria": [one.resolution_criteria for one in read],
        "read": [_latest(one) for one in read],
        "excluded": len(excluded),
    }


def _conditional(bot: Any) -> dict[str, Any]:
    """Return a conditional as listed and as read after a forecast on each of its branches."""
    [listed] = bot.get_all_open_questions_from_tournament("conditional")
    report = _conditional_report(listed)
    asyncio.run(report.publish_report_to_metaculus(bot))
    again = bot.get_question_by_post_id(listed.id_of_post)
    branches = (again.question_yes, again.question_no)
    return {
        "type": again.get_question_type(),
        "texts": [again.question_text, again.child.question_text, again.parent.question_text],
        "child": again.child.id_of_question == again.id_of_post,
        "kinds": [one.conditional_type for one in again.get_all_subquestions().values()],
        "read": [one.previous_forecasts[-1].prediction_in_decimal for one in branches],
        "already": [listed.already_forecasted, again.already_forecasted],
    }


def _conditional_report(question: Any) -> Any:
    from forecasting_tools.data_models.conditional_models import (
        ConditionalPrediction,
        PredictionAffirmed,
    )
    from forecasting_tools.data_models.conditional_report import ConditionalReport

    prediction = ConditionalPrediction(
        parent=PredictionAffirmed(),
        child=PredictionAffirmed(),
        prediction_yes=0.8,
        prediction_no=0.15,
    )
    explanation = f"# Why\n\n{NOTES}\n\n## More\n\n{NOTES}"
    return ConditionalReport(question=question, prediction=prediction, explanation=explanation)


def _links(bot: Any) -> dict[str, Any]:
    """Return links as sent and as read, those to review, and how many are left."""
    first, second = bot.get_all_open_questions_from_tournament("family")
    one, other = first.id_of_question, second.id_of_question
    sent = [[one, other, 1, 5], [other, one, -1, 2], [other, one, 1, 1]]
    made = [bot.post_question_link(*link, "causal") for link in sent]
    read = bot.get_links_for_question(one)
    since = bot.get_question_by_post_id(first.id_of_post, "unpack_subquestions")[1]
    bot.post_binary_question_prediction(one, 0.45)
    again = bot.get_needs_update_questions(one, since.timestamp_of_my_last_forecast)
    for link in made:
        bot.delete_question_link(link)
    return {
        "sent": sent,
        "read": [
            [link.question1_id, link.question2_id, link.direction, link.strength] for link in read
        ],
        "ids": made == [link.id for link in read] == [link.id for link in again.links],
        "ends": [[link.question1.id_of_question, link.question2.id_of_question] for link in read]
        == [link[:2] for link in sent],
        "again": [question.id_of_question for question in again.questions] == [other],
        "left": len(bot.get_links_for_question(one)),
    }


async def _template(bot: Any) -> dict[str, Any]:
    """Return the types that the newest template bot forecast in the tournament, and its errors."""
    from forecasting_tools import GeneralLlm
    from forecasting_tools.forecast_bots.official_bots.template_bot_2026_fall import (
        FallTemplateBot2026,
    )

    class Stub(GeneralLlm):
        """A model that answers in the form that the prompt asks for."""

        async def invoke(self, prompt: Any, system_prompt: str | None = None) -> str:
            return _answer(str(prompt))

    stub = Stub(model="stub")
    template = FallTemplateBot2026(
        publish_reports_to_metaculus=True,
        enable_summarize_research=False,
        llms={"default": stub, "summarizer": stub, "parser": stub, "researcher": "no_research"},
        metaculus_client=bot,
    )
    reports = await template.forecast_on_tournament(TOURNAMENT, return_exceptions=True)
    failed = [repr(one) for one in reports if isinstance(one, BaseException)]
    done = [one.question for one in reports if not isinstance(one, BaseException)]
    read = {}
    for question in done:
        again = bot.get_question_by_post_id(question.id_of_post)
        read[question.get_question_type()] = len(
            again.api_json["question"]["my_forecasts"]["history"]
        )
    return {"failed": failed, "forecasts": read}


def _answer(prompt: str) -> str:
    """Return the stub's answer: its reasons with the final value, or, to the parser, the value."""
    if "You are a data analyst" in prompt:
        return prompt.split("ANSWER ")[1].split(" END")[0]
    if "Option_A" in prompt:
        options = ast.literal_eval(re.search(r"The options are: (\[.*?\])\n", prompt)[1])  # type: ignore[index]
        value: Any = {
            "predicted_options": [
                {"option_name": name, "probability": 1 / len(options)} for name in options
            ]
        }
    elif "Percentile 10" in prompt:
        low, high = (
            re.search(rf"not {side} than (\S+?)\.?[ \n]", prompt)[1]  # type: ignore[index]
            for side in ("lower", "higher")
        )
        places = [0.15, 0.3, 0.4, 0.5, 0.6, 0.85]
        if "YYYY-MM-DD" in prompt:
            first, last = (datetime.fromisoformat(one) for one in (low, high))
            values = [(first + (last - first) * place).date().isoformat() for place in places]
        else:
            values = [float(low) + (float(high) - float(low)) * place for place in places]
        levels = (0.1, 0.2, 0.4, 0.6, 0.8, 0.9)
        value = [{"percentile": p, "value": one} for p, one in zip(levels, values, strict=True)]
    else:
        value = {"prediction_in_decimal": 0.58}
    return f"{NOTES} ANSWER {json.dumps(value)} END"


if __name__ == "__main__":
    print("FOUND " + json.dumps(main(*sys.argv[1:]), default=str))
