"""Question wordings: clear for clear sentences, and none for others."""

from __future__ import annotations

from datetime import date

import pytest

from forecasts.articles.drafts import draft_questions
from forecasts.ledger.models import QuestionType
from forecasts.reading.drafting.question_wording import MAX_LENGTH

PUBLISHED = date(2025, 7, 22)


def question(sentence: str) -> str:
    (draft,) = draft_questions(sentence, published_at=PUBLISHED)
    return draft.question


WORDINGS = {
    "Beijing plans to lift the ban by the end of 2028.": (
        "Will Beijing lift the ban by 31 December 2028?"
    ),
    "Ida Holm hopes to visit Brega by May and to meet its mayor.": (
        "Will Ida Holm visit Brega and meet its mayor by 31 May 2026?"
    ),
    "The two rivals are likely to meet again.": "Will the two rivals meet again?",
    # Without its article, as in a headline.
    "New rule would ban drones from 1 May.": "Will a new rule ban drones from 1 May 2026?",
    "New bridge over the Tagus will open by 2027.": (
        "Will a new bridge over the Tagus open by 31 December 2027?"
    ),
    "New rules would ban drones.": "Will new rules ban drones?",
    "New York will ban drones.": "Will New York ban drones?",
    # The question has the date.
    "Ida Holm is expected to miss Saturday's match against Lima.": (
        "Will Ida Holm miss the match against Lima on 26 July 2025?"
    ),
    "Saturday's final in Lima has been postponed until Sunday.": (
        "Will the final in Lima take place by 27 July 2025?"
    ),
    "Its earlier hints that the line might end were probably meant to draw Beijing in.": (
        "Will the line end?"
    ),
    "Washington expects it to side with the temple.": "Will … side with the temple?",
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
        "Will the bank send a team to Lima by 31 August 2025?"
    ),
    "Lenders have until 1 August to object.": "Will lenders object by 1 August 2025?",
    "The judge has given the firm a month to pay.": "Will the firm pay by 22 August 2025?",
    # sources and pronouns
    "The judge said she would rule by Friday.": "Will the judge rule by 25 July 2025?",
    "The company announced that it will split in two.": "Will the company split in two?",
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
    # the user fills in an unnamed speaker
    "“We will not close the road.”": "Will … close the road?",
    "“We will not wait,” she said.": "Will … wait?",
    "“We're going to appeal,” his lawyer said outside the court.": "Will … appeal?",
    "“I will appeal by Friday.”": "Will … appeal by 25 July 2025?",
    "“I won't run again,” she said.": "Will … run again?",
    "The ministry said he would resign by Friday.": "Will … resign by 25 July 2025?",
    "Her department publishes the figures on Friday.": (
        "Will … publish the figures by 25 July 2025?"
    ),
    "Lawmakers have until Friday to pass it.": "Will lawmakers pass … by 25 July 2025?",
    "They will have to sell the stadium.": "Will … have to sell the stadium?",
    # a pronoun becomes its noun
    "Nvidia said it would build a plant in Brega.": "Will Nvidia build a plant in Brega?",
    "Party leader Ida Holm said her group would table a motion on Friday.": (
        "Will party leader Ida Holm's group table a motion by 25 July 2025?"
    ),
    "The board is weighing a bid for its rival Sundlink.": (
        "Will there be a bid for the board's rival Sundlink?"
    ),
    "It will rain in Brega on Friday.": "Will it rain in Brega by 25 July 2025?",
    "The mayor, Ida Holm, vowed to rebuild the pier.": (
        "Will the mayor Ida Holm rebuild the pier?"
    ),
    "If they reject it, the union will call a strike.": "Will the union call a strike?",
    # a condition is kept, with its date
    "If the dam fails, the town will flood.": "Will the town flood if the dam fails?",
    "Unless the rain stops by Friday, the match will be moved.": (
        "Will the match be moved unless the rain stops by 25 July 2025?"
    ),
    "As the river has risen, the town could flood.": "Will the town flood?",
    # nouns that are planned, wanted or awaited
    "Both sides want a truce before the new year.": "Will there be a truce by 31 December 2025?",
    "The minister is considering a ban.": "Will there be a ban?",
    "The firm is considering closing the mill.": "Will the firm close the mill?",
    "Lima's hope for a loan this year faded.": "Will Lima get a loan by 31 December 2025?",
    "They prepared for the potential visit this fall.": (
        "Will the visit take place by 30 November 2025?"
    ),
    "The owners want the yard cleared by Friday.": "Will the yard be cleared by 25 July 2025?",
    "More rain is possible.": "Will there be more rain?",
    "The verdict is expected on Friday.": "Will the verdict come by 25 July 2025?",
    # "from" and "starting" are not "by"
    "From 1 August, visitors to Brega must pay the tax.": (
        "Will visitors to Brega pay the tax from 1 August 2025?"
    ),
    "Starting in May, the port will charge for parking.": (
        "Will the port charge for parking from May 2026?"
    ),
    "Petrol cars are to be banned from the centre from 2035.": (
        "Will petrol cars be banned from the centre from 2035?"
    ),
    "The festival runs from 11 to 14 August.": "Will the festival run until 14 August 2025?",
    # chances
    "There is a 70 percent chance of a recession this year, the bank said.": (
        "Will there be a recession by 31 December 2025?"
    ),
    "Traders see a one-in-three chance that the bank raises rates in August.": (
        "Will the bank raise rates by 31 August 2025?"
    ),
    "Bookmakers give Brega a 40% chance of winning the cup.": "Will Brega win the cup?",
    "Holm has a good chance of keeping the seat.": "Will Holm keep the seat?",
    # other pairs of numbers are kept
    "The ferry will run between Sund and Brega.": "Will the ferry run between Sund and Brega?",
    "The firm will vaccinate children between 6 and 12.": (
        "Will the firm vaccinate children between 6 and 12?"
    ),
    "The trial will enrol patients aged 18 to 65.": "Will the trial enrol patients aged 18 to 65?",
    "Fares will go from 3 to 5 crowns.": "Will fares go from 3 to 5 crowns?",
    "The team will win 3-1.": "Will the team win 3-1?",
    # clauses and verbs that are less common
    "Should the talks fail, tariffs would apply from 1 August.": (
        "Will tariffs apply from 1 August 2025 if the talks fail?"
    ),
    "The firm has not decided whether it will reopen the plant.": (
        "Will the firm reopen the plant?"
    ),
    "The ban was lifted in May and schools will reopen next week.": (
        "Will schools reopen by 3 August 2025?"
    ),
    "Bulgaria, which joins the euro in January, must withdraw the lev by May.": (
        "Will Bulgaria withdraw the lev by 31 May 2026?"
    ),
    "Sundlink is weighing the sale of its ferries.": (
        "Will Sundlink go ahead with the sale of its ferries?"
    ),
    "Holm is favoured to win on 4 August.": "Will Holm win by 4 August 2025?",
    "Sundlink will no longer sail to Velm from May.": "Will Sundlink sail to Velm from May 2026?",
    "The odds that the bill passes are about even.": "Will the bill pass?",
    "Brega is close to selling its port.": "Will Brega sell its port?",
    "The cabinet will on Wednesday approve the budget.": (
        "Will the cabinet approve the budget by 23 July 2025?"
    ),
    "Ministers have yet to decide whether to act.": "Will ministers decide whether to act?",
    "The last episode airs on 12 August.": "Will the last episode air by 12 August 2025?",
    "The next meeting is on 12 August.": "Will the next meeting take place by 12 August 2025?",
    "The court has adjourned the hearing until Friday.": (
        "Will the hearing take place by 25 July 2025?"
    ),
    "A spokesman for the ministry said it had no plans to close the road.": (
        "Will the ministry close the road?"
    ),
    "Brega's bank left its rate unchanged on Monday and said it was likely to cut fees in March.": (
        "Will Brega's bank cut fees by 31 March 2026?"
    ),
    "Orsk raised pay but said it could not raise prices by May.": (
        "Will Orsk raise prices by 31 May 2026?"
    ),
    "The Yankees will retire his number.": "Will the Yankees retire … number?",
    "VELM, July 22 (Coast News) - Ostland will raise the duty on imported timber on 1 August.": (
        "Will Ostland raise the duty on imported timber by 1 August 2025?"
    ),
    "The WHO meets on Friday.": "Will the WHO meet by 25 July 2025?",
    "Two-thirds of the fleet will be sold.": "Will two-thirds of the fleet be sold?",
    "House leaders will block the bill.": "Will House leaders block the bill?",
    "Union members will vote.": "Will union members vote?",
    # an unclear sentence gets no question
    "“We are booked for Friday,” the senator said.": "",
    "“It is the debt that will sink us.”": "",
    "It is the debt that will sink the firm.": "",
}


@pytest.mark.parametrize(("sentence", "wording"), WORDINGS.items())
def test_a_sentence_becomes_a_question(sentence: str, wording: str) -> None:
    assert question(sentence) == wording


def test_a_first_word_that_the_text_writes_small_elsewhere_loses_its_capital() -> None:
    assert question("Silage will arrive in May.") == "Will Silage arrive by 31 May 2026?"
    drafts = draft_questions(
        "Silage will arrive in May. The cost of silage rose.", published_at=PUBLISHED
    )
    assert drafts[0].question == "Will silage arrive by 31 May 2026?"


def test_a_question_that_would_be_too_long_is_left_to_the_user() -> None:
    assert question("The port will take " + "very " * (MAX_LENGTH // 5) + "large ships.") == ""


NUMERIC = {
    "The yard could cost between 120 and 180 million crowns.": (
        "How much will the yard cost, in million crowns?", "0", "300", "million crowns"
    ),
    "Repairs could cost between €120 million and €180 million by 2029.": (
        "How much will repairs cost by 31 December 2029, in million euros?",
        "0", "300", "million euros",
    ),
    "The bridge will cost $150 to 180 million.": (
        "How much will the bridge cost, in million dollars?", "90", "240", "million dollars"
    ),
    "Prices will rise 3.5-5% next year.": (
        "How much will prices rise by 31 December 2026, in percent?", "0.5", "8", "percent"
    ),
    "Turnout could be between 50 and 60 per cent.": (
        "What will turnout be, in percent?", "30", "80", "percent"
    ),
    "Inflation will fall to between 2 and 3 percent.": (
        "What will inflation fall to, in percent?", "0", "5", "percent"
    ),
    "Oil will trade between 58 and 66 dollars a barrel in August.": (
        "What will oil trade at by 31 August 2025, in dollars a barrel?",
        "42", "82", "dollars a barrel",
    ),
    "Between 120 and 180 workers will lose their jobs.": (
        "How many workers will lose their jobs?", "0", "300", "workers"
    ),
    "Brega Motors will recall between 300,000 and 350,000 cars by Friday.": (
        "How many cars will Brega Motors recall by 25 July 2025?", "200000", "450000", "cars"
    ),
    "Organisers expect 800 to 900 guests at the fair by Friday.": (
        "How many guests will there be at the fair by 25 July 2025?", "600", "1100", "guests"
    ),
    "The mine will yield 12 to 14 million tonnes of ore by Friday.": (
        "How many million tonnes of ore will the mine yield by 25 July 2025?",
        "8", "18", "million tonnes",
    ),
    "The party expects revenue of 4 to 5 million crowns.": (
        "What will the party's revenue be, in million crowns?", "2", "7", "million crowns"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("sentence", "asked"), NUMERIC.items())
def test_a_range_of_amounts_becomes_a_numeric_question(
    sentence: str, asked: tuple[str, ...]
) -> None:
    (draft,) = draft_questions(sentence, published_at=PUBLISHED)
    assert draft.kind is QuestionType.numeric
    assert (draft.question, draft.lower_bound, draft.upper_bound, draft.unit) == asked


CHOICES = {
    "The games will go to Busan, Lima or Port Sund in May.": (
        "To which of Busan, Lima and Port Sund will the games go by 31 May 2026?",
        ("Busan", "Lima", "Port Sund", "Other"),
    ),
    "Holm, Lind or Brandt will lead the party.": (
        "Which of Holm, Lind and Brandt will lead the party?",
        ("Holm", "Lind", "Brandt", "Other"),
    ),
    "The next chair is likely to be Ida Holm, Tor Lind or Eva Brandt.": (
        "Which of Ida Holm, Tor Lind and Eva Brandt will be the next chair?",
        ("Ida Holm", "Tor Lind", "Eva Brandt", "Other"),
    ),
    "Members will choose between Ida Holm and the former minister Tor Lind on Friday.": (
        "Which of Ida Holm and the former minister Tor Lind will members choose by 25 July 2025?",
        ("Ida Holm", "the former minister Tor Lind"),
    ),
    "Maersk will decide between Rotterdam and Antwerp by June.": (
        "Which of Rotterdam and Antwerp will Maersk choose by 30 June 2026?",
        ("Rotterdam", "Antwerp"),
    ),
    "The fleet will sail to either Brega or Sund.": (
        "To which of Brega and Sund will the fleet sail?",
        ("Brega", "Sund"),
    ),
}


@pytest.mark.parametrize(("sentence", "asked"), CHOICES.items())
def test_names_that_exclude_each_other_become_options(
    sentence: str, asked: tuple[str, tuple[str, ...]]
) -> None:
    (draft,) = draft_questions(sentence, published_at=PUBLISHED)
    assert draft.kind is QuestionType.multiple_choice
    assert (draft.question, draft.options) == asked


@pytest.mark.parametrize(
    "sentence",
    [
        "The drug may cause headaches, nausea or fever.",
        "The firm will not sell in France, Spain or Italy.",
        "The ferry will run between Brega and Sund.",
        "The union will strike on Monday, Tuesday or Friday.",
        "The team will sign Holm or Lind.",
        "Maersk will decide whether to grow in Rotterdam, Antwerp or Lima.",
    ],
)
def test_other_lists_stay_yes_or_no_questions(sentence: str) -> None:
    (draft,) = draft_questions(sentence, published_at=PUBLISHED)
    assert (draft.kind, draft.options) == (QuestionType.binary, ())
