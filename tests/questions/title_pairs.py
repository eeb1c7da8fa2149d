"""Pairs of titles made by hand: the same question in two platforms' words, and near misses.

All are asked on 1 October 2026.
"""

from __future__ import annotations

SAME = (
    (
        "Will the Fed cut interest rates before 2027?",
        "Will the Federal Reserve cut interest rates by December 31, 2026?",
    ),
    (
        "Will Ukraine and Russia sign a ceasefire by 31 December 2026?",
        "Will Russia and Ukraine sign a ceasefire agreement before January 1, 2027?",
    ),
    (
        "Will the United States enter a recession in 2026?",
        "Will the US enter a recession by the end of 2026?",
    ),
    (
        "Will SpaceX land a Starship on the Moon before 2028?",
        "SpaceX lands a Starship on the Moon by the end of 2027",
    ),
    (
        "Will Bitcoin close above $150,000 on 31 December 2026?",
        "Will Bitcoin close above $150k on December 31, 2026?",
    ),
    (
        "Will unemployment in Germany exceed 6.5% in November 2026?",
        "Will Germany's unemployment rate exceed 6.5% in November 2026?",
    ),
    (
        "Who will win the 2026 World Series?",
        "Which team will win the 2026 World Series?",
    ),
    (
        "Will Keir Starmer cease to be Prime Minister of the United Kingdom before 1 July 2027?",
        "Will Keir Starmer cease to be UK Prime Minister before July 1, 2027?",
    ),
    (
        "Will OpenAI release GPT-6 by 31 March 2027?",
        "Will OpenAI release GPT-6 before April 1, 2027?",
    ),
    (
        "Will Taiwan report more than 10 Chinese aircraft in its air zone on 15 October 2026?",
        "Will more than 10 Chinese aircraft be reported in Taiwan's air zone on October 15, 2026?",
    ),
    (
        "How many goals will be scored at the 2026 Nations Cup final?",
        "Number of goals scored at the 2026 Nations Cup final?",
    ),
    (
        "Will the WHO declare a new pandemic emergency before 2028?",
        "Will the World Health Organization declare a new pandemic emergency by the end of 2027?",
    ),
    (
        "Will Apple announce a foldable iPhone in 2026?",
        "Apple to announce a foldable iPhone by December 31, 2026?",
    ),
    (
        "Will annual inflation in Turkey fall below 25% by June 2027?",
        "Will Turkey's annual inflation rate fall below 25% by the end of June 2027?",
    ),
    (
        "Will the Supreme Court overturn the tariff ruling by 30 June 2027?",
        "Will the US Supreme Court overturn the tariff ruling before July 1, 2027?",
    ),
    (
        "Will Magnus Carlsen win Norway Chess 2027?",
        "Magnus Carlsen wins Norway Chess 2027?",
    ),
    (
        "What will be the price of Brent crude oil on 30 November 2026?",
        "What will the price of Brent crude be on November 30, 2026?",
    ),
    (
        "Will a category 5 hurricane make landfall in Florida in 2026?",
        "Will a category 5 hurricane make landfall in Florida before the end of 2026?",
    ),
    (
        "Will the Senate confirm the nominee for Attorney General by 15 December 2026?",
        "Will the nominee for Attorney General be confirmed by the Senate by December 15, 2026?",
    ),
    (
        "Will Nvidia's market cap exceed $6 trillion on 31 December 2026?",
        "Will Nvidia's market capitalisation exceed $6 trillion on Dec 31, 2026?",
    ),
    (
        "Will Emmanuel Macron dissolve the National Assembly before 2027?",
        "Will Macron dissolve France's National Assembly by the end of 2026?",
    ),
    (
        "Will Iran and the United States hold direct nuclear talks by 31 January 2027?",
        "Will the US and Iran hold direct nuclear talks before February 1, 2027?",
    ),
    (
        "Will there be a nuclear test by North Korea in 2026?",
        "Will North Korea conduct a nuclear test before January 1, 2027?",
    ),
    (
        "Will more than 2,000 cases of measles be reported in the US in 2026?",
        "Will the US report more than 2000 measles cases in 2026?",
    ),
    (
        "Which party will win the most seats in the 2027 Dutch general election?",
        "What party will win the most seats in the 2027 general election in the Netherlands?",
    ),
    (
        "Will Waymo launch a robotaxi service in London by 31 December 2026?",
        "Waymo launches robotaxi service in London before 2027?",
    ),
    (
        "Will Scotland hold an independence referendum before 2030?",
        "Will there be a Scottish independence referendum before 2030?",
    ),
    (
        "Will the European Central Bank raise its deposit rate at its December 2026 meeting?",
        "Will the ECB raise the deposit rate at its December 2026 meeting?",
    ),
    (
        "Will Arctic sea ice extent be below 4 million square kilometres in September 2027?",
        "Will the Arctic sea ice extent fall below 4 million km² in September 2027?",
    ),
    (
        "Will India's Chandrayaan-4 launch before 2028?",
        "Will Chandrayaan-4 be launched by India by the end of 2027?",
    ),
)

NEAR_MISSES = (
    (
        "Will the Fed cut interest rates before 2027?",
        "Will the Fed cut interest rates before 2028?",
    ),
    (
        "Will the Fed cut interest rates in December 2026?",
        "Will the Fed raise interest rates in December 2026?",
    ),
    (
        "Will the Fed cut interest rates in December 2026?",
        "Will the Fed cut interest rates in November 2026?",
    ),
    (
        "Will Bitcoin close above $150,000 on 31 December 2026?",
        "Will Bitcoin close above $100,000 on 31 December 2026?",
    ),
    (
        "Will Bitcoin close above $150,000 on 31 December 2026?",
        "Will Bitcoin close below $150,000 on 31 December 2026?",
    ),
    (
        "Will Bitcoin close above $5,000 on 31 December 2026?",
        "Will Ethereum close above $5,000 on 31 December 2026?",
    ),
    (
        "Will unemployment in Germany exceed 6.5% in November 2026?",
        "Will unemployment in France exceed 6.5% in November 2026?",
    ),
    (
        "Will unemployment in Germany exceed 6.5% in November 2026?",
        "Will unemployment in Germany exceed 6% in November 2026?",
    ),
    (
        "Will unemployment in Germany exceed 6.5% in November 2026?",
        "Will inflation in Germany exceed 6.5% in November 2026?",
    ),
    (
        "Will the incumbent run in the 2027 election?",
        "Will the incumbent not run in the 2027 election?",
    ),
    (
        "Will the government collapse before 31 March 2027?",
        "Will the government avoid collapse before 31 March 2027?",
    ),
    (
        "Will Congress pass a budget by 30 November 2026?",
        "Will Congress fail to pass a budget by 30 November 2026?",
    ),
    (
        "Will OpenAI release GPT-6 by 31 March 2027?",
        "Will OpenAI release GPT-7 by 31 March 2027?",
    ),
    (
        "Will OpenAI release a new model by 31 March 2027?",
        "Will Anthropic release a new model by 31 March 2027?",
    ),
    (
        "Will a category 5 hurricane make landfall in Florida in 2026?",
        "Will a category 4 hurricane make landfall in Florida in 2026?",
    ),
    (
        "Will a category 5 hurricane make landfall in Florida in 2026?",
        "Will a category 5 hurricane make landfall in Texas in 2026?",
    ),
    (
        "Will the Democrats win the Senate in November 2026?",
        "Will the Democrats win the House in November 2026?",
    ),
    (
        "Will the Democrats win the Senate in November 2026?",
        "Will the Republicans win the Senate in November 2026?",
    ),
    (
        "Who will win the 2026 World Series?",
        "Who will win the 2027 World Series?",
    ),
    (
        "Who will win the 2026 World Series?",
        "Who will lose the 2026 World Series?",
    ),
    (
        "Will Tesla deliver more than 400,000 vehicles in Q4 2026?",
        "Will Tesla deliver more than 450,000 vehicles in Q4 2026?",
    ),
    (
        "Will Tesla deliver more than 400,000 vehicles in the fourth quarter of 2026?",
        "Will Tesla deliver fewer than 400,000 vehicles in the fourth quarter of 2026?",
    ),
    (
        "Will Russia control Pokrovsk on 31 December 2026?",
        "Will Ukraine control Pokrovsk on 31 December 2026?",
    ),
    (
        "Will North Korea conduct a nuclear test before January 1, 2027?",
        "Will North Korea conduct a missile test before January 1, 2027?",
    ),
    (
        "Will turnout in the US midterm elections be at least 45%?",
        "Will turnout in the US midterm elections be at most 45%?",
    ),
    (
        "Will two ministers resign by 15 December 2026?",
        "Will three ministers resign by 15 December 2026?",
    ),
    (
        "Will the ship reach port before 1 December 2026?",
        "Will the ship reach port after 1 December 2026?",
    ),
    (
        "Will Apple's share price rise in the week to 6 November 2026?",
        "Will Apple's share price rise in the week to 13 November 2026?",
    ),
    (
        "Will the men's marathon world record be broken by 31 December 2026?",
        "Will the women's marathon world record be broken by 31 December 2026?",
    ),
    (
        "Will the first phase of the ceasefire hold until 30 November 2026?",
        "Will the second phase of the ceasefire hold until 30 November 2026?",
    ),
)
