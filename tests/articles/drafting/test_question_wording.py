"""Question wordings: clear for clear sentences, and a readable fallback for others."""

from __future__ import annotations

from datetime import date

import pytest

from forecasts.articles.drafting.drafts import draft_questions
from forecasts.articles.drafting.question_wording import MAX_LENGTH

PUBLISHED = date(2025, 7, 22)


def question(sentence: str) -> str:
    (draft,) = draft_questions(sentence, published_at=PUBLISHED)
    return draft.question


WORDINGS = {
    "Beijing plans to lift the ban by the end of 2028.": (
        "Will Beijing lift the ban by 31 December 2028?"
    ),
    "The two rivals are likely to meet again.": "Will the two rivals meet again?",
    "The ministry said on Monday that the dam will be closed in March.": (
        "Will the dam be closed by 31 March 2026?"
    ),
    "In August, the Lakers will move to a new hall.": (
        "Will the Lakers move to a new hall by 31 August 2025?"
    ),
    "The mine's owners, a family from Perth, intend to sink a second shaft.": (
        "Will the mine's owners sink a second shaft?"
    ),
    "Analysts expect the sale to close in October, two people said.": (
        "Will the sale close by 31 October 2025?"
    ),
    "The government will not renew the licences, a minister said.": (
        "Will the government renew the licences?"
    ),
    "The truce expires on 10 August.": "Will the truce expire by 10 August 2025?",
    "Schools reopen on 1 September.": "Will schools reopen by 1 September 2025?",
    "The runoff is scheduled for December 14.": "Will the runoff take place by 14 December 2025?",
    "The decree will remain in force until the end of the year.": (
        "Will the decree remain in force until 31 December 2025?"
    ),
    "The court will rule next month, on August 22, on the appeal.": (
        "Will the court rule by 22 August 2025?"
    ),
    "The tariffs kick in on Friday unless a deal is struck.": (
        "Will the tariffs kick in by 25 July 2025 unless a deal is struck?"
    ),
    "The truce has been extended to 10 August.": "Will the truce last until 10 August 2025?",
    "The hearing was adjourned until Friday.": "Will the hearing take place by 25 July 2025?",
    "The inquiry is not expected to report until 2027.": (
        "Will the inquiry report by 31 December 2027?"
    ),
    "The port stays shut until Monday.": "Will the port stay shut until 28 July 2025?",
    "The ferry is out of service for another two weeks.": (
        "Will the ferry be out of service until 5 August 2025?"
    ),
    "The bank is sending a team to Lima in August.": (
        "Will the bank be sending a team to Lima by 31 August 2025?"
    ),
    "Lenders have until 1 August to object.": "Will lenders object by 1 August 2025?",
    "The judge has given the firm a month to pay.": "Will the firm pay by 22 August 2025?",
    # sources and pronouns
    "The judge said she would rule by Friday.": "Will the judge rule by 25 July 2025?",
    "The company announced that it will split in two.": "Will the company split in two?",
    "The ministry said he would resign by Friday.": "Will he resign by 25 July 2025?",
    "“I will run again,” the senator said.": "Will the senator run again?",
    "The port, said its manager, could close.": "Will the port close?",
    "The strikers, who number 400, are due to meet on Friday.": (
        "Will the strikers meet by 25 July 2025?"
    ),
    "Nobody will be dismissed.": "Will anybody be dismissed?",
    "“We will not wait,” the senator said.": "Will the senator wait?",
    "“We will not close the road,” Mayor Anna Lind said.": ("Will Mayor Anna Lind close the road?"),
    '"We will not close the road", said Anna Lind, the mayor, on Monday.': (
        "Will Anna Lind close the road?"
    ),
    "“We'll strike on Friday,” said the union in a statement.": (
        "Will the union strike by 25 July 2025?"
    ),
    "The mayor told reporters: “We will not close the road.”": "Will the mayor close the road?",
    "“We will appeal,” said a spokesman for Sundlink.": "Will Sundlink appeal?",
    "“I won't run again,” she said.": "Will she run again?",
    # the user fills in an unnamed speaker
    "“We will not close the road.”": "Will … close the road?",
    "“We will not wait,” she said.": "Will … wait?",
    "“We're going to appeal,” his lawyer said outside the court.": "Will … appeal?",
    "“I will appeal by Friday.”": "Will … appeal by 25 July 2025?",
    # a condition is kept, with its date
    "If the dam fails, the town will flood.": "Will the town flood if the dam fails?",
    "Unless the rain stops by Friday, the match will be moved.": (
        "Will the match be moved unless the rain stops by 25 July 2025?"
    ),
    "As the river has risen, the town could flood.": "Will the town flood?",
    # nouns that are planned, wanted or awaited
    "Both sides want a truce before the new year.": "Will there be a truce by 31 December 2025?",
    "The minister is considering a ban.": "Will there be a ban?",
    "The firm is considering closing the mill.": "Will the firm end up closing the mill?",
    "Lima's hope for a loan this year faded.": "Will Lima get a loan by 31 December 2025?",
    "They prepared for the potential visit this fall.": (
        "Will the visit take place by 30 November 2025?"
    ),
    "The owners want the yard cleared by Friday.": "Will the yard be cleared by 25 July 2025?",
    "More rain is possible.": "Will there be more rain?",
    "The verdict is expected on Friday.": "Will the verdict come by 25 July 2025?",
    # a range of amounts becomes more than its upper end
    "The yard could cost between 120 and 180 million crowns.": (
        "Will the yard cost more than 180 million crowns?"
    ),
    "Repairs could cost between €120 million and €180 million by 2029.": (
        "Will repairs cost more than €180 million by 31 December 2029?"
    ),
    "The bridge will cost $120 to 180 million.": "Will the bridge cost more than $180 million?",
    "Prices will rise 3-5% next year.": "Will prices rise more than 5% by 31 December 2026?",
    "Turnout could be between 50 and 60 per cent.": "Will turnout be more than 60 per cent?",
    "Between 120 and 180 workers will lose their jobs.": (
        "Will more than 180 workers lose their jobs?"
    ),
    # other pairs of numbers are kept
    "The ferry will run between Sund and Brega.": "Will the ferry run between Sund and Brega?",
    "The firm will vaccinate children between 6 and 12.": (
        "Will the firm vaccinate children between 6 and 12?"
    ),
    "Inflation will fall to between 2 and 3 percent.": (
        "Will inflation fall to between 2 and 3 percent?"
    ),
    "The trial will enrol patients aged 18 to 65.": "Will the trial enrol patients aged 18 to 65?",
    "Fares will go from 3 to 5 crowns.": "Will fares go from 3 to 5 crowns?",
    "The team will win 3-1.": "Will the team win 3-1?",
    # unclear sentences are quoted whole
    "“We are booked for Friday,” the senator said.": (
        "Will this happen by 25 July 2025: “'We are booked for Friday,' the senator said”?"
    ),
    "“It is the debt that will sink us.”": (
        "Will this happen: “It is the debt that will sink us”?"
    ),
    "It is the debt that will sink the firm.": (
        "Will this happen: “It is the debt that will sink the firm”?"
    ),
}


@pytest.mark.parametrize(("sentence", "wording"), WORDINGS.items())
def test_a_sentence_becomes_a_question(sentence: str, wording: str) -> None:
    assert question(sentence) == wording


def test_a_first_word_that_the_text_writes_small_elsewhere_loses_its_capital() -> None:
    assert question("Dredging will begin in May.") == "Will Dredging begin by 31 May 2026?"
    drafts = draft_questions(
        "Dredging will begin in May. The cost of dredging rose.", published_at=PUBLISHED
    )
    assert drafts[0].question == "Will dredging begin by 31 May 2026?"


def test_a_question_that_would_be_too_long_quotes_the_sentence_instead() -> None:
    sentence = "The port will take " + "very " * (MAX_LENGTH // 5) + "large ships."
    assert question(sentence).startswith("Will this happen: “The port will take very")
