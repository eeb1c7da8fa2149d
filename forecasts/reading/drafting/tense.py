"""Whether a time lies in the past, by its verb: "met on Friday" against "meets on Friday".

Most times in the news have no year, and only the verb tells which Friday is meant. The last verb
before the time in the same sentence decides; without one ("On Friday, the court adjourned"), or
if the time begins a clause ("…, and on Friday it did"), the first verb after it. Only verb forms
that need no dictionary are recognised; otherwise the time does not count as past.

In a question, "cut" and the like are infinitives: "Will the bank cut its rate on 11 December?".
"""

from __future__ import annotations

import re

from forecasts.reading.typography import alternatives

IRREGULAR = alternatives(
    "said told met held began came took went made saw gave left lost won fell rose grew hit ran "
    "sold sent spoke stood struck sought found brought bought built became broke chose drew "
    "drove flew forgot got heard kept knew led paid shot shut spent swept taught thought threw "
    "wore wrote slid sank shook stole swore tore underwent withdrew woke overtook arose beat "
    "bore caught dealt fed felt fled fought froze hid laid lay lent meant rang rode sang sat "
    "set slept swam swung undertook upheld overthrew foresaw oversaw rebuilt drank ate dug "
    "cut put quit split spread shed burst"
)
# Their infinitive and their past are alike.
_ALIKE = alternatives("cut put quit set split spread shed burst shut beat")
_NO_PAST = alternatives(
    "need speed feed seed proceed exceed succeed indeed bed red hundred sacred united embed "
    "breed greed weed creed naked wicked rugged unchanged unaltered"
)
# An infinitive after these reports a past action, done or not done.
_DONE_TO = alternatives(
    "failed managed began begun started continued refused declined forced able used had went "
    "came tried helped happened proved served returned flew travelled traveled moved fell rose "
    "dropped grew climbed slipped sank shrank narrowed widened slowed ceased hesitated appeared "
    "seemed"
)
# An infinitive after these announces a future action.
_TO_COME = alternatives(
    "scheduled planned slated due expected set proposed postponed delayed rescheduled projected "
    "forecast tipped pencilled earmarked anticipated asked invited ordered given told promised "
    "pledged vowed agreed threatened bound likely unlikely poised hoping hope hopes hoped"
)
_MODAL = alternatives("will won't would shall should could may might must can to 'll")
_NO_VERB = alternatives("the a an his her its their our this that have be")
_PRESENT = alternatives(
    "is are am expires expire lapses lapse takes take begins begin starts start ends end opens "
    "open closes close meets meet resumes resume reopens reopen convenes convene gathers gather "
    "goes go comes come expects expect predicts predict foresees foresee"
)
_NOUN_TOO = alternatives(
    "plan plans vote votes return returns run runs leave leaves fall falls report reports "
    "result results"
)
_ADVERBS = r"(?:(?:not|never|also|now|still|only|already|yet|all|both|even|then|\w+ly)\s+)*"
_NOT_A_NOUN = r"(?<!\ba\s)(?<!\ban\s)(?<!\bthe\s)(?<!\bits\s)(?<!\btheir\s)(?!(?<=\brate\s)cut\b)"

_VERB = re.compile(
    rf"""
    (?P<done_to>\b(?:{_DONE_TO}|had\s+(?:been\s+)?\w+|(?:was|were|been)\s+(?:\w+\s+){{0,2}}\w+ing)
           \s+to\s+[a-z]+)
  | (?P<ahead>
        \b(?:{_MODAL})\s+{_ADVERBS}(?:be\s+{_ADVERBS}[a-z]+|(?!(?:{_NO_VERB})\b)[a-z]+)
            (?:\s+or\s+[a-z]+)?
      | (?<!\blet\sit\s)\bbe\s+{_ADVERBS}[a-z]+
      | \b(?:is|are|am)\s+{_ADVERBS}[a-z]+(?:ed|en|ing|t|ld|de|wn)\b
      | (?:\b(?:has|have|had)\s+)?(?:\bbeen\s+)?{_ADVERBS}\b(?:{_TO_COME})\b
            (?=\s+(?:to|for|until|by|in|on|at)\b|(?:\s+[\w'-]+){{1,5}}\s+for\s*$)
      | \b(?:has|have)\s+until\b
      | \b(?:{_PRESENT})\b
      | \b(?:stays?|remains?|keeps?)\s+[a-z]+
      | \b(?:is|are|am)\b
    )
  | (?P<noun_too>\b(?:{_NOUN_TOO})\b)
  | (?P<alike>(?<!\bthat\s)(?<!\bwho\s)(?<!\bwhich\s)(?<!\bwas\s)(?<!\bwere\s)(?<!\bbeen\s)
        (?<!\bhad\s)(?<!\bhas\s){_NOT_A_NOUN}\b(?:{_ALIKE})\b)
  | (?P<past>
        \b(?i:was|were|had|did|has|have)\b
      | {_NOT_A_NOUN}(?<!\bnew\s)
        (?<!\bon\s)(?<!\bof\s)(?<!\bfor\s)(?<!\bin\s)(?<!\bwith\s)(?<!\bfrom\s)
        \b(?!(?:{_NO_PAST})\b)[a-z]{{2,}}ed\b
      | {_NOT_A_NOUN}\b(?:{IRREGULAR})\b
    )
    """,
    re.VERBOSE,
)
_SENTENCE_END = re.compile(r"[.!?;](?=\s|$)|\n\s*\n")
_CLAUSE_END = re.compile(r"[,:]|\b(?:that|which|who|and|but|as|while|because|if|when)\b")
_NEW_CLAUSE = re.compile(r"[,;]\s+(?:and|but)\s+$")
_ASKS_BACK = re.compile(r"\W*(?:Was|Were|Did|Had|Has|Have)\b")
_BEFORE, _AFTER = 200, 120  # characters searched for the verb before and after the time


def is_in_the_past(text: str, start: int, end: int, *, has_verb: bool = False) -> bool:
    """Return whether the verb of the time ``text[start:end]`` is in the past.

    ``has_verb``: a present-tense verb is known to precede the time, so verbs after it do not
    count. A past-tense verb before it still does, because the other may be a noun.
    """
    begin = max(0, start - _BEFORE)
    for stop in _SENTENCE_END.finditer(text, begin, start):
        begin = stop.end()
    stop_after = _SENTENCE_END.search(text, end, end + _AFTER)
    is_question = stop_after is not None and stop_after[0] == "?"
    asks = is_question and _ASKS_BACK.match(text, begin) is None  # of the future
    last: re.Match[str] | None = None
    for verb in _VERB.finditer(text, begin, start):
        # A clause has one verb: in "announced its plans on Friday", "plans" is a noun.
        is_noun = verb.lastgroup == "noun_too" and _is_past(last) and not asks
        if not is_noun or (last and _CLAUSE_END.search(text, last.end(), verb.start())):
            last = verb
    if asks and (last is None or last.lastgroup == "alike"):
        return False
    if has_verb:
        return _is_past(last)
    if last is None or last.lastgroup == "noun_too" or _NEW_CLAUSE.search(text, last.end(), start):
        last = _VERB.search(text, end, stop_after.start() if stop_after else end + _AFTER) or last
    return _is_past(last)


def _is_past(verb: re.Match[str] | None) -> bool:
    return verb is not None and verb.lastgroup in ("past", "alike", "done_to")
