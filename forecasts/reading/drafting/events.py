"""Events that decide what an article is about, one per row: a question for each kind.

A row has an example, a pattern of a sentence, and the question's subject and verb phrase. The
sentence's names fill both, so a title needs no article beside it.
"""

# ruff: noqa: E501  (a pattern is easier to read in one line)
from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from forecasts.reading.drafting.deadlines import find_deadlines
from forecasts.reading.drafting.intervals import long_date
from forecasts.reading.drafting.periods import find_periods
from forecasts.reading.typography import plain_punctuation

_WORD = r"[A-Z][\w&'-]*(?:\.[A-Z]\.)?"
_NO_NAME = (
    r"(?!(?:He|She|It|They|We|The|An?|In|On|At|But|And|If|Two|Three|His|Her|Its|Their|This|Last|Both"
    r"|Some|Most|One|No|Not|Neither|When|While|After|Before|With|For|By|Monday|Tuesday|Wednesday"
    r"|Thursday|Friday|Saturday|Sunday)\b)"
)
_NAME = rf"{_NO_NAME}{_WORD}(?: (?:(?:of|the|and the|de|van|von) )?{_WORD}){{0,4}}"
_ROLE = r"(?:[Tt]he )?(?:[A-Za-z-]+ ){0,3}?"
_WHO = rf"(?P<who>{_NAME})"
_OTHER = rf"(?P<other>{_NAME})"
_GAP = r"[^;\"]{0,120}?"
_ELECTION = (
    rf"(?P<what>(?:(?:presidential|parliamentary|general|mayoral|local|{_WORD}) ){{0,2}}"
    rf"(?:election|run-off|primary|nomination)(?: (?:in|for|to become) (?:[a-z]+ ){{0,3}}{_NAME})?)"
)
_MEDICINE = r"(?:[\w-]+ ){0,3}(?:vaccine|drug|pill|treatment|therapy|medicine|test|implant)"


@dataclass(frozen=True, slots=True)
class Event:
    """A question without its date, the date if the sentence has one, and options if any."""

    question: str
    last_day: date | None
    options: tuple[str, ...] = ()

    def by(self, day: date) -> str:
        """Return the question with a deadline."""
        return f"{self.question} by {long_date(day)}?"


_ROWS = tuple(
    (re.compile(pattern), question)
    for pattern, question in (
        # Varela faces a vote of confidence
        (
            rf"^{_ROLE}{_WHO}(?:,[^,]+,)? (?:will |must |is to |is due to )?fac(?:es?|ing)"
            rf" an? (?:vote of (?:no )?confidence|(?:no-)?confidence vote)",
            "Will {who} lose the vote of confidence",
        ),
        # Provexa, a pill; Senvax, the vaccine
        (
            rf"\b(?:approve|recommend) {_WHO}, (?:an?|the) {_MEDICINE}\b",
            "Will {who} be approved",
        ),
        # the trial of Larkin; a verdict
        (
            rf"\btrial of (?:[a-z-]+ ){{0,3}}{_WHO}\b(?={_GAP}\b(?:verdict|deliberat|jury))",
            "Will {who} be found guilty",
        ),
        # Aguilar leads in the last poll before the election
        (
            rf"^{_ROLE}{_WHO} (?:leads|is ahead|has (?:drawn level|pulled ahead|a lead)|widened|holds)"
            rf"\b{_GAP}\b(?:the|Sunday's) {_ELECTION}",
            "Will {who} win the {what}",
        ),
        (
            rf"^{_ROLE}{_WHO} and (?:[a-z]+ ){{0,2}}{_OTHER} will (?:meet|face)\b{_GAP}\brun-off"
            rf"(?= on | in |{_GAP}to become)(?:{_GAP}to become (?P<what>[a-z ]+ of {_NAME}))?",
            "Which of {who} and {other} will become {what}",
        ),
        # they will play Brazil in the final
        (
            rf"^{_ROLE}{_WHO} (?:will (?:meet|face|play)|beat|set up)\b{_GAP}\b(?:meet|face|play|against)"
            rf" (?:defending champion |[a-z]+ ){{0,2}}{_OTHER}{_GAP}\b(?:final)\b",
            "Will {who} beat {other} in the final",
        ),
        (
            rf"^{_ROLE}{_WHO} will (?:meet|face|play) (?:defending champion |[a-z]+ ){{0,2}}{_OTHER}"
            rf" in (?P<what>the (?:semi-)?final(?: of the {_NAME})?)",
            "Will {who} beat {other} in {what}",
        ),
        (
            rf"^(?:[Tt]he (?:[a-z]+ ){{0,3}})?(?P<who>{_WORD} and {_WORD}|{_NAME}) (?:received|leads|got"
            rf"|won|has)\b{_GAP}\band is the favou?rite to win (?P<what>[^,.;]{{4,60}}?)"
            r"(?=,| on | at | by |\.)",
            "Will {who} win {what}",
        ),
        (
            rf"\b{_WHO}(?:, [^,]+,)? (?:is|are) the (?:clear )?favou?rites? to win (?P<what>[^,.;]{{4,60}}?)"
            r"(?=,| on | at | by |\.)",
            "Will {who} win {what}",
        ),
        (
            rf"^{_WHO} must (?:beat|defeat) {_OTHER}\b{_GAP}\bto win (?P<what>[^,.;]{{4,50}}?title)",
            "Will {who} win {what}",
        ),
        # Mount Serrat; an eruption
        (
            rf"\b(?P<who>(?:Mount|Mt) {_WORD})\b(?={_GAP}\beruption\b)",
            "Will {who} erupt",
        ),
        # postponed the launch of its Kestrel probe to 21 April
        (
            rf"\b(?:postponed|delayed|moved|set|scheduled|put back) the (?P<what>launch|flight|release"
            rf"|debut) of (?:its|the|their) (?P<who>(?:[a-z-]+ )?{_NAME}(?: [a-z]+){{0,2}}?)"
            r" (?:to|for|until)\b",
            "Will the {what} of the {who} take place",
        ),
        # President A and B have agreed to hold talks
        (
            rf"\b(?:President|Prime Minister|Chancellor|leader) {_WHO} (?:of {_WORD} )?and (?:[A-Z]\w+ "
            rf"){{0,2}}?(?:President|Prime Minister|Chancellor) {_OTHER}\b{_GAP}\b(?:meet|talks|summit)",
            "Will {who} and {other} meet",
        ),
        # the president wants talks with Xi; Kim has invited the unit to an event to be held
        (
            rf"^The (?P<office>president|prime minister|chancellor)\b{_GAP}\b(?:meet|meeting|talks"
            rf"|negotiations|summit) with (?:[A-Z][a-z]+ (?:leader|president) )?{_OTHER}",
            "Will {office} and {other} meet",
        ),
        (
            rf"\b{_WHO} (?:has )?invited [^;:,.\"]{{3,60}} to (?P<what>an? [a-z ]{{3,40}}?) to be held",
            "Will {who} host {what}",
        ),
        # Claimants are likely to emerge after the passing of the current Dalai Lama
        (
            rf"^(?P<what>(?:Two|Three|Rival) [a-z]+s) (?:are|is) likely to (?P<verb>emerge|appear|run)"
            rf"(?P<who>[^:;,.]{{0,60}}?{_NAME})(?=[:;,.])",
            "Will {what} {verb}{who}",
        ),
        # said that he would resign if the budget is rejected; may fall
        (
            rf"^{_ROLE}{_WHO}(?: of {_WORD})?\b[^;,\"]{{0,40}}\b(?:would|will|could|may|might) (?:resign|step down"
            rf"|quit|be (?:ousted|removed|deposed))\b",
            "Will {who} resign",
        ),
        (
            rf"\b(?:coach|manager|chief executive|chairman|chairwoman|minister) {_WHO}\b[^;\"]{{0,60}}"
            r"\b(?:dismissed|sacked|fired|replaced)\b(?! (?:on|in) )",
            "Will {who} be dismissed",
        ),
        (
            rf"^{_ROLE}{_WHO}(?:,[^,]+,)? {_GAP}\bsentenced (?:on|in|by)\b",
            "Will {who} be sentenced to prison",
        ),
        # a truce between A and B expires
        (
            rf"\b(?P<what>truce|ceasefire|armistice) between (?:the )?(?P<who>(?:[a-z]+ of )?{_NAME}) and"
            rf" (?:the )?{_OTHER} (?:expires|ends|runs out|lapses|is due)",
            "Will the {what} between {who} and {other} be extended",
        ),
        # The court heard arguments on whether the map is unlawful
        (
            rf"^(?:The )?(?P<who>(?:{_WORD} )*(?:Court|Tribunal)(?: of (?:the )?{_NAME})?) {_GAP}"
            r"\bwhether (?P<what>[^,;]{5,90}?(?:is|are|was|were|violates?|breaks?|may|can) [^,;]{3,60}?)(?=,|;|\.$)",
            "Will the {who} rule that {what}",
        ),
        # in the final, where they play Brazil
        (
            rf"^{_WHO} (?:beat|defeated|stunned|edged|came)\b{_GAP}\bfinal\b{_GAP}\b(?:meet|face|play)"
            rf" {_OTHER}",
            "Will {who} beat {other} in the final",
        ),
        # rose above a mark, and could reach another
        (
            rf"^{_WHO} (?:rose|fell|climbed|slid|jumped|dropped|hit|traded)\b[^;\"]{{0,240}}?\b(?:could|may|might|to)"
            r" (?P<what>(?:reach|hit|exceed|rise (?:to|above)|fall (?:to|below)) [\d.,]+ [a-z]+(?: an? [a-z]+)?)",
            "Will {who} {what}",
        ),
        # before the election, with its incumbent
        (
            r"\bbefore (?:the|an?|Sunday's) (?P<what>(?:parliamentary|general|presidential|national|state) "
            r"election)\b",
            "Will {holder} win the {what}",
        ),
        # voters want to adopt the euro before a referendum
        (
            rf"\bin {_WHO}\b{_GAP}\bto (?P<what>(?:adopt|join|leave|approve|reject|abolish|legali[sz]e)"
            rf" [^,.;]{{3,50}}?)(?=,| in ){_GAP}\breferendum\b",
            "Will {who} vote to {what}",
        ),
        # set the launch from the Cape for 29 September
        (
            rf"\b(?:cleared|prepared|approved) (?:its|the|their) (?P<who>{_NAME}(?: [a-z]+)?)\b{_GAP}"
            r"\b(?:launch|lift-?off)\b",
            "Will the {who} be launched",
        ),
        # the winner will be announced
        (
            rf"\b(?:winner of|win|shortlist for|compete for) (?P<what>the {_NAME})\b(?={_GAP}"
            r"\b(?:announced|award|ends)\b)",
            "Who will win {what}",
        ),
    )
)


def find_event(sentence: str, names: str, *, published_at: date) -> Event | None:
    """Return the first row's event in ``sentence``, or None.

    ``names``: the text before and around it, from which a named favourite comes.
    """
    words = plain_punctuation(sentence)
    for pattern, question in _ROWS:
        if found := pattern.search(words):
            groups = {name: said or "" for name, said in found.groupdict().items()}
            if office := groups.get("office"):
                holder = re.search(
                    rf"\b{office} ((?-i:{_WORD}(?: {_WORD})?))", names, re.IGNORECASE
                )
                groups["office"] = holder[1] if holder else ""
            if "{holder}" in question:
                incumbent = _INCUMBENT.search(names)
                groups["holder"] = incumbent[0] if incumbent else ""
            if not all(groups.get(one) for one in re.findall(r"\{(\w+)\}", question)):
                continue
            if groups.get("who", "").endswith("'s"):
                continue
            asked = question.format(**groups)
            if asked.startswith("Who will"):
                favourite = _FAVOURITE.search(plain_punctuation(names))
                if favourite is None:
                    continue
                asked = f"Will {favourite[1] or favourite[2]} win {groups['what']}"
            asked = re.sub(r"(?<=Will )(?:Two|Three|Rival)\b", lambda one: one[0].lower(), asked)
            after = found.end("who") if groups.get("who") else found.end()
            if question == "Will {who} {what}":
                after = found.end()  # of a mark to be reached
            elif " win " in question and (ends := re.search(r"\bends\b", words)):
                after = ends.end()
            options = (groups["who"], groups["other"]) if asked.startswith("Which") else ()
            return Event(asked, first_day(sentence, after, published_at), options)
    return None


_INCUMBENT = re.compile(rf"(?:President|Prime Minister|Chancellor|Premier) {_NAME}")
_FAVOURITE = re.compile(
    rf"\b(?:make|makes|see|sees|have|put) ({_NAME}) (?:the )?(?:favou?rites?|at \d)"
    rf"|\b({_NAME}) (?:is|are) the (?:[a-z]+ )?favou?rites?\b"
)


_LIST = re.compile(
    r"\b(?:[Tt]hey|[Tt]he (?:two|three|four|five|six|other \w+)) are (?P<names>[^.;]*,[^.;]* and [^.;]*)\."
    r"|\bse(?:e|es) (?P<favourites>[^.;]*,[^.;]* and [^.;]*) as (?:the )?favou?rites"
)
_POST = re.compile(
    rf"\b(?:to become|to elect|to be) (?P<post>the next [a-z -]+? of (?:the )?{_NAME})"
    rf"|\bto (?P<verb>lead|head|run) (?P<body>the {_NAME})"
    rf"|\b(?P<prize>winner) of (?P<won>the {_NAME})"
)
_ITEM = re.compile(
    rf"(?:^|, |\band )(?:the )?(?:[a-z]+ )*?(?:(?!(?:who|which)\b)[A-Z][a-z]+(?:ese|ian|ean|an) [a-z]+ )?(?P<name>{_NAME})"
)


def find_choice(sentence: str, text: str, *, published_at: date) -> Event | None:
    """Return "Which of A, B and C will lead …" if ``text`` lists those who can, or None."""
    post, listed = _POST.search(plain_punctuation(sentence)), _LIST.search(plain_punctuation(text))
    if post is None or listed is None:
        return None
    said = _OF.sub("", listed["names"] or listed["favourites"])
    names = [re.sub(r"^(?:The|the) ", "", one["name"]) for one in _ITEM.finditer(said)]
    if not 2 < len(names) <= 8:
        return None
    act = f"become {post['post']}" if post["post"] else f"{post['verb']} {post['body']}"
    if post["prize"]:
        act = f"win {post['won']}"
    asked = f"Which of {', '.join(names[:-1])} and {names[-1]} will {act}"
    return Event(asked, first_day(sentence, post.end(), published_at), (*names, "Other"))


_OF = re.compile(
    rf" (?:of|from) {_WORD}(?=,| and|$)|,? who [^,]*(?=,|$)|, (?:an?|the) [^,]*(?=,|$)"
)


def calendar_days(words: str, published_at: date) -> list[tuple[int, int, date]]:
    """Return the spans and last days of periods to come, whatever the verbs around them.

    Only those with a number: "has postponed the launch to 21 April", not "on Friday".
    """
    return [
        (one.start, one.end, one.interval.last)
        for one in find_periods(words, published_at)
        if one.interval.last > published_at and _NUMBERED.search(words, one.start, one.end)
    ]


_NUMBERED = re.compile(r"\d|[Ww]ithin")


def first_day(sentence: str, end: int, published_at: date) -> date | None:
    """Return the first day to come after the event, or else the first of the sentence."""
    limits = [(one.start, one.last_day) for one in find_deadlines(sentence, anchor=published_at)]
    days = calendar_days(plain_punctuation(sentence), published_at)
    limits += [(start, last_day) for start, _, last_day in days]
    after = [limit for limit in sorted(limits) if limit[0] >= end - 1]
    return next((day for _, day in after or sorted(limits)), None)
