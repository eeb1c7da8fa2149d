"""The cues that make a sentence forward-looking, one per row with an example.

The same words need not be a cue in every sentence ("political will"); ``forward_looking`` decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cue:
    """A cue; its ``kind`` decides which rules of ``forward_looking`` apply.

    The groups of ``pattern`` are used for the wording: "verb" is a verb in base form, "present"
    one in the present tense, "doing", "gerund" and "done" are other verb forms; "subject" is a
    subject inside the cue, "event" and "chance" are nouns that will take place, "measure" one
    that will be counted, "moved" is the verb of a postponement.
    """

    kind: str
    example: str
    pattern: re.Pattern[str]


ADVERBS = (
    r"(?:(?:not|never|no longer|also|soon|now|still|only|already|yet|all|both|even|then|again|well"
    r"|once|first|likely|almost|instead|long|either|each|eventually|just|\w+ly),? |, however, )*"
)
_NO_VERB = (
    r"(?!(?:of|and|or|in|to|for|the|an?|that|this|with|on|at|by|from|as|is|was|are|were|his|her|its"
    r"|their|our|my|no|but|than|about|into|over|through|between|under|against|what|how)\b)"
)
_WHEN = (
    r"(?:(?:on )?[A-Z][a-z]+day |on \d{1,2} [A-Z][a-z]+ |(?:later )?(?:this|next) [a-z]+ "
    r"|(?:later )?today |tomorrow )?"
)
_VERB = rf"{ADVERBS}{_WHEN}{ADVERBS}{_NO_VERB}(?P<verb>[a-z][a-z-]+)\b"
_TO_VERB = rf"(?:[^,;:.\"]{{0,40}}? to {_VERB})"
_IS = rf"(?<!\w)(?:is|are|am|isn't|aren't|looks?|seems?|appears?|remains?|stands?) {ADVERBS}"
_HAS = rf"(?:has|have) {ADVERBS}"
_GOING = r"(?:going|about)"
_SCHEDULED = r"(?:scheduled|planned|slated|set|fixed|called|pencil?led in|lined up|booked|billed)"
_EXPECTS = r"(?:expects?|wants?|forecasts?|predicts?|projects?)"
_SUBJECT = r"(?P<subject>[^,;:.\"]{2,60}?)"
_BOUND = (
    r"(?:likely|unlikely|expected|scheduled|due|set|slated|poised|bound|tipped|forecast|projected"
    r"|planned|anticipated|going|about|certain|sure|on course|on track|ready|determined|destined"
    r"|prepared|in line|committed|favou?red|predicted|estimated|planning|preparing|seeking|looking"
    r"|aiming|hoping|threatening|intending|proposing|pushing|working|gearing up|expecting|pledging"
    r"|vowing|moving|racing|in talks|in negotiations|trying|attempting|rushing|scrambling"
    r"|campaigning|keen|eager|hopeful|under (?:\w+ )?pressure)"
)
_PURSUING = (
    r"(?:considering|weighing|mulling|contemplating|eyeing|exploring|planning|preparing|seeking"
    r"|drafting|drawing up|aiming for|pushing for|bracing for|gearing up for|heading for|headed for"
    r"|up for|threatening|thinking (?:of|about)|leaning towards?|closer? to(?= [a-z]{2,}ing\b)"
    r"|on the (?:verge|brink|point|cusp) of)"
)
_GERUND = r"(?P<gerund>[a-z]{2,}ing\b)"
_INTENDS = (
    r"(?:plans?|aims?|intends?|seeks?|wants?|hopes?|expects?|vows?|pledges?|promises|threatens?"
    r"|proposes?|prepares?|wishes|looks?|undertakes?|anticipates?)"
)
_HAS_PLANS = r"(?:has|have|had) (?:(?:no|any|an?|the|every) )?(?:[a-z]+ )?(?:plans?|intentions?)"
_VOWED = r"(?:vowed|pledged|promised|threatened|sworn|committed|undertaken)"
_PLANNED = r"(?:planned|intended|hoped|wanted|aimed|expected|sought)"
_AGREED = r"(?:agreed|decided|offered|proposed|chosen|elected|voted|opted|promised|scheduled)"
_TOLD = r"(?:invited|asked|ordered|told|urged|given|allowed|instructed|required)"
_ASKED = _TOLD.replace("given|", "")
_BEEN = r"(?:(?:is|are|was|were|(?:has|have) been) )"
_PRESENT = (
    r"(?:takes? (?:effect|office|place|over|part|off|hold|up)|comes? into (?:force|effect)"
    r"|goes? into effect|enters? into force|expires?|lapses?|meets?|votes?|opens?|closes?"
    r"|begins?|starts?|ends?|finish(?:es)?|concludes?|resumes?|returns?|reopens?|convenes?|reconvenes?|gathers?|hosts?"
    r"|holds?|defends?|visits?|travels?|arrives?|leaves?|departs?|fl(?:y|ies)|heads?|go(?:es)?|runs?"
    r"|launch(?:es)?|lifts? off|retires?|steps? down|stands? down|stands? trial|appears?|faces?"
    r"|publish(?:es)?|releases?|reports?|unveils?|announces?|decides?|rules?|hears?|delivers?"
    r"|passes|enters?|snaps? back|stays?|remains?|continues?|lasts?"
    r"|presents?|kicks? off|premieres?|debuts?|plays?|appl(?:y|ies)|falls?|matures?|joins?|becomes?"
    r"|moves?|switch(?:es)?|ships?|lands?|docks?|sets? off|sets? out|sails?|walks? out|strikes?"
    r"|chooses?|elects?|picks?|marks?|celebrates?|turns?|ceases?|rises?|drops?|increases?|doubles?"
    r"|receives?|signs?|addresses|speaks?|testif(?:y|ies)|shuts?|stops?|tours?|kicks? in|submits?"
    r"|files?|competes?|tees? off|stages?|changes?|comes?)"
)
_COMING = (
    r"(?:(?:in|over|within) the (?:coming|next few|next several) (?:days|weeks|months|years)"
    r"|(?:expected|due|likely) (?:soon|shortly|imminently|any (?:day|time)"
    r"|within (?:days|weeks|months))"
    r"|(?:is|are) (?:also )?(?:planned|expected|imminent|looming|coming)(?=[.,;])"
    r"|(?:is|are|looks?|seems?|appears?|remains?) (?:also |now |still |\w+ly )?"
    r"(?:(?:un)?likely|possible)"
    r"(?! (?:to|that|for|only|because)\b)"
    r"|(?:is|are) (?:\w+ )?(?:on the (?:cards|horizon|way)|in (?:store|prospect|the offing))"
    r"|(?:at|by|before|until) the end of the (?:season|campaign|tournament|school year|session))"
)
_PROMISE = (
    r"(?:desire|hopes?|plans?|intentions?|bids?|ambitions?|pledges?|promises?|promised|proposals?"
    r"|aspirations?|push|drive|vows?|threats?|deadlines?|targets?|goals?|aims?"
    r"|(?:planned|potential|possible|proposed|upcoming|forthcoming|scheduled|pending|looming)"
    r" (?P<event>[a-z-]+))"
)
_INDEFINITE = r"(?P<subject>an? (?:[\w-]+ ){1,4}?)"
_MOVED = (
    rf"{_BEEN}?(?:(?P<moved>postponed|delayed|deferred|moved|rescheduled|extended|adjourned"
    r"|suspended|pushed back|put back|put off|brought forward)|invited|summoned)"
    r"(?: by [\w-]+ [\w-]+,?)?"
)

_MOVED_ACTIVE = (
    r"(?P<moved>postponed|delayed|deferred|moved|rescheduled|extended|adjourned|suspended|put off)"
)
_HAVE = rf"(?:(?:ha[sd]|have)(?: been {_TOLD})?|(?:is|are|was|were) (?:given|allowed))"
_GIVE = rf"(?:{_HAS})?(?:given|gives?|gave|allow(?:s|ed))"
_ONLY = r"(?:(?:only|just|about|around|up to|up|another|a further|at least) )?"
_LENGTH = r"(?:an?|one|two|three|four|five|six|seven|eight|nine|ten|twelve|\d+) [a-z]+"
_WANTS = r"(?:wants?|expects?|demands?)"
_ODDS = r"(?:chances?|probability|likelihood|odds|risk)"
_CHANCE = (
    rf"{_ODDS} (?:of (?:(?P<gerund>[a-z]{{2,}}ing\b)|(?P<chance>(?!that\b)[\w'-]+))"
    r"|(?:that )?(?P<subject>(?:the |an? )?[\w'-]+(?: [\w'-]+){0,5}?) (?P<present>[a-z]{2,}s\b))"
)
_NUMERICAL = (
    r"(?:\d[\d.]*(?:-| )?(?:%|percent|per cent)|\w+-in-\w+|(?:better-than-)?even|fifty-fifty|50-50)"
)
_SIZE = r"(?:good|high|strong|fair|decent|real|small|slim|low|slight|growing|rising|remote)"
_DONE = (
    r"(?:[a-z-]+ed|broken|taken|torn)(?: (?:up|out|off|down|over))?|gone|done|built|cut|shut|sold"
    r"|held|brought|freed"
)


def _cue(kind: str, example: str, form: str) -> Cue:
    return Cue(kind, example, re.compile(form.replace(" ", r"\s+")))


CUES = (
    _cue("will", "will vote", rf"(?<![\w'-])(?:will|shall|won't|\w+'ll) {_VERB}"),
    _cue("would", "would vote", rf"(?<![\w'-])(?:would|wouldn't|\w+'d) {_VERB}"),
    _cue("might", "could vote", rf"(?<![\w'-])(?P<modal>could|couldn't|may|might) {_VERB}"),
    _cue("intends", "plans to vote", rf"\b(?:{_HAS_PLANS}|{_INTENDS}) {ADVERBS}to {_VERB}"),
    _cue("vowed", "has vowed to vote", rf"\b(?:{_HAS})?{_VOWED} (?:not )?to {_VERB}"),
    _cue("bound", "is expected to vote", rf"{_IS}{_BOUND} (?:not )?to {_VERB}"),
    _cue("bound", "we're going to vote", rf"(?<=\w)'(?:s|m|re) {ADVERBS}{_GOING} to {_VERB}"),
    _cue("bound", "is to vote", rf"(?<!\w)(?:is|are) {ADVERBS}to {_VERB}"),
    _cue("bound", "has yet to vote", rf"\b(?:has|have) yet to {_VERB}"),
    _cue("likely", "a bill likely to pass", rf"\b(?:(?:un)?likely|set|poised|slated) to {_VERB}"),
    _cue("expects", "expect the sale to close", rf"\b{_EXPECTS} (?!to\b){_SUBJECT} to {_VERB}"),
    _cue("pursues", "is considering a vote", rf"{_IS}{_PURSUING}(?= {_GERUND}| [\w'-])"),
    _cue("pursues", "risks losing a vote", rf"\brisks? {_GERUND}"),
    _cue(
        "chance",
        "give the bank a 70 percent chance of winning",
        rf"\bgives? {_SUBJECT} an? {_NUMERICAL} {_ODDS} of {_GERUND}",
    ),
    _cue(
        "chance",
        "has a good chance of winning",
        rf"\b(?:has|have|stands?) an? (?:{_NUMERICAL}|{_SIZE}) {_ODDS} of {_GERUND}",
    ),
    _cue("chance", "a 70 percent chance of a vote", rf"\b{_NUMERICAL} {_CHANCE}"),
    _cue(
        "chance",
        "the chance of a vote is 70 percent",
        rf"\b{_ODDS} of (?P<chance>(?:an? )?[\w'-]+)[^,;:.\"]{{0,60}} (?:is|are|at) "
        rf"(?:put at |about )?{_NUMERICAL}",
    ),
    _cue(
        "chance",
        "the chance that the bill passes is 70 percent",
        rf"\b{_ODDS} that (?P<subject>(?:the |an? )?[\w']+(?: [\w'-]+){{0,5}}?) "
        r"(?P<present>[a-z]{2,}s\b)"
        rf"(?=[^,;:.\"]{{0,60}} (?:is|are) (?:put at |about )?{_NUMERICAL})",
    ),
    _cue("weak", "a good chance of a vote by Friday", rf"\b{_SIZE} {_CHANCE}"),
    _cue(
        "expects",
        "expects sales of 4 to 5 million",
        rf"\b{_EXPECTS} (?:its |their )?(?P<measure>[a-z][a-z ]{{2,40}}?) of "
        r"(?=(?:between )?[€$£]?\d[\d.,]*(?: to | and | ?- ?)\d)",
    ),
    _cue(
        "expects",
        "expects 40 to 50 votes",
        rf"\b{_EXPECTS} (?P<count>(?=(?:between )?\d[\d.,]* (?:to|and) \d[\d.,]* [a-z]))",
    ),
    _cue("coming", "a vote in the coming weeks", rf"\b{_COMING}"),
    _cue("planned", "planned to vote", rf"\b{_PLANNED} to {_VERB}"),
    _cue("was bound", "was due to vote", rf"\b(?:was|were|been) {ADVERBS}{_BOUND} to {_VERB}"),
    _cue("agreed", "was told to vote", rf"\b{_BEEN}{_TOLD} to {_VERB}"),
    _cue("agreed", "told them to vote", rf"\b(?:{_HAS})?{_ASKED} (?!to\b){_SUBJECT} to {_VERB}"),
    _cue("agreed", "agreed to vote", rf"\b(?:{_HAS})?{_AGREED} (?:[^,;:.\"]{{1,40}}? )?to {_VERB}"),
    _cue("weak", "a summit to be held", rf"\b{_INDEFINITE}to (?P<verb>be) (?:[a-z]+ly )?held\b"),
    _cue("set for", "is set for Friday", rf"(?:{_IS}|\b{_HAS}been ){_SCHEDULED} for\b"),
    _cue("weak", "has called a vote for Friday", rf"\b{_SCHEDULED}\b[^,;:.\"]{{1,40}} for\b"),
    _cue("weak", "is expected on Friday", rf"{_IS}{_BOUND}\b"),
    _cue("weak", "must vote", rf"\b(?:should|must|has to|have to|needs? to) {_VERB}"),
    _cue("weak", "a plan for a vote", rf"\b{_PROMISE}\b"),
    _cue("term", "has until Friday to vote", rf"\b{_HAVE} {_ONLY}until\b{_TO_VERB}?"),
    _cue("term", "has three weeks to vote", rf"\b{_HAVE} {_ONLY}{_LENGTH}{_TO_VERB}"),
    _cue("term", "gave them until Friday to vote", rf"\b{_GIVE} {_SUBJECT} until\b{_TO_VERB}?"),
    _cue("term", "gave them a week to vote", rf"\b{_GIVE} {_SUBJECT} {_LENGTH}{_TO_VERB}"),
    _cue("wants", "wants it done", rf"\bwants? {_SUBJECT} (?P<done>{_DONE})\b"),
    _cue("weak", "expects it done by Friday", rf"\b{_WANTS} {_SUBJECT} (?P<done>{_DONE})\b"),
    _cue(
        "weak",
        "wants a bill on the desk by Friday",
        rf"\b(?:wants?|sees?) {_SUBJECT} (?=(?P<place>(?:on|in|at|above|below|back|open|ready)\b))",
    ),
    _cue(
        "weak",
        "calls for the bill to be passed by Friday",
        rf"\b(?:calls?|called) for (?!to\b){_SUBJECT} to {_VERB}",
    ),
    _cue("weak", "wants a vote by Friday", r"\b(?:wants?|expects?|demands?|predicts?|foresees?)\b"),
    _cue(
        "weak",
        "has moved the vote to Friday",
        rf"\b(?:has|have) {_MOVED_ACTIVE} (?P<subject>(?:the|an?) [^,;:.\"]{{2,50}}?)"
        r" (?:to|until|till)\b",
    ),
    _cue("weak", "has been moved to Friday", rf"\b{_MOVED} (?:to|until|till|into|for)\b"),
    _cue(
        "present", "is voting", r"(?<!\w)(?:is|are) (?:now |also |all )?(?P<doing>[a-z]{2,}ing)\b"
    ),
    _cue("present", "votes", rf"\b(?P<present>{_PRESENT})\b"),
    _cue("headline", "Senate to vote", rf"\bto {_VERB}"),
    _cue("infinitive", "Senate asked to vote on Friday", rf"\bto {_VERB}"),
)
