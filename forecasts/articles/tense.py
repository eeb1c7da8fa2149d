"""Whether the words around a time tell of the past: "met on Friday" against "meets on Friday".

English gives most times no year, and the verb alone says which Friday is meant. The last verb
before the time decides, in the same sentence; where there is none ("On Friday, the court
adjourned"), the first one after it. Only forms that are plain without a dictionary are read;
where none is found the time is not taken for past.
"""

from __future__ import annotations

import re

IRREGULAR_PAST = (
    "said told met held began came took went made saw gave left lost won fell rose grew hit ran sold "
    "sent spoke stood struck sought found brought bought built became broke chose drew drove flew "
    "forgot got heard kept knew led paid shot shut slipped spent swept taught thought threw wore "
    "wrote slid sank shook sued stole swore tore underwent withdrew woke overtook arose beat bore "
    "caught dealt fed felt fled fought froze hid laid lay lent meant rang rode sang sat set slept "
    "slew stuck swam swung undertook upheld wound overthrew foresaw oversaw rebuilt drank ate dug"
).split()
_NOT_PAST = (
    "need|speed|feed|seed|proceed|exceed|succeed|indeed|shed|bed|red|hundred|sacred|united|embed|"
    "breed|greed|weed|reed|steed|creed|naked|wicked|rugged|kindred|agreed-|breed"
)
_ADVERBS = r"(?:(?:not|never|also|now|still|only|already|yet|all|both|even|then|\w+ly)\s+)*"
# After these an infinitive tells of what has been done, or was not.
_PAST_INFINITIVE = (
    "failed|managed|began|begun|started|continued|refused|declined|forced|able|used|had|went|came|"
    "tried|helped|happened|proved|served|returned|flew|travelled|traveled|moved|fell|rose|dropped|"
    "grew|climbed|slipped|sank|shrank|narrowed|widened|slowed|ceased|hesitated|appeared|seemed"
)
_PLANNED = (
    "scheduled|planned|slated|due|expected|set|proposed|postponed|delayed|rescheduled|projected|"
    "forecast|tipped|pencilled|earmarked|anticipated|asked|invited|ordered|given|told|promised|"
    "pledged|vowed|agreed|threatened|bound|likely|unlikely|poised|hoping|hopes?|hoped"
)

_VERB = re.compile(
    rf"""
    (?P<past_infinitive>\b(?:{_PAST_INFINITIVE})\s+to\s+[a-z]+)
  | (?P<ahead>
        \b(?:will|won't|would|shall|should|could|may|might|must|can|to|'ll)\s+{_ADVERBS}
           (?!the\b|an?\b|his\b|her\b|its\b|their\b|our\b|this\b|that\b|have\b|be\b)[a-z]+
      | (?:\b(?:will|would|shall|should|could|may|might|must|to|won't)\s+{_ADVERBS})be\s+{_ADVERBS}[a-z]+
      | \b(?:is|are|am)\s+{_ADVERBS}[a-z]+(?:ed|en|ing|t|ld|de|wn)\b
      | (?:\b(?:has|have|had)\s+)?(?:\bbeen\s+)?{_ADVERBS}\b(?:{_PLANNED})\b(?=\s+(?:to|for|until|by|in|on|at)\b)
      | \b(?:is|are|am|has\s+until|have\s+until|expires?|lapses?|takes?|begins?|starts?|ends?
           |opens?|closes?|meets?|resumes?|reopens?|convenes?|gathers?|go|goes|comes?)\b
    )
  | (?P<noun_or_ahead>\b(?:plans?|votes?|returns?|runs?|leaves?|falls?|reports?|results?)\b)
  | (?P<past>
        \b(?:was|were|had|did|has|have)\b
      | \b(?!(?:{_NOT_PAST})\b)[a-z]{{2,}}ed\b
      | \b(?:{"|".join(IRREGULAR_PAST)})\b
    )
    """,
    re.VERBOSE,
)
_SENTENCE_END = re.compile(r"[.!?;](?=\s|$)|\n\s*\n")


_CLAUSE_END = re.compile(r"[,:]|\b(?:that|which|who|and|but|as|while|because|if|when)\b")


def told_as_past(text: str, start: int, end: int) -> bool:
    """Return whether the verb that goes with the time ``text[start:end]`` tells of the past."""
    begin = max(0, start - 200)
    for stop in _SENTENCE_END.finditer(text, begin, start):
        begin = stop.end()
    last: re.Match[str] | None = None
    for verb in _VERB.finditer(text, begin, start):
        # A clause has one verb: in "announced its plans on Friday" the second is a noun.
        is_noun = verb.lastgroup == "noun_or_ahead" and _is_past(last)
        if not is_noun or (last and _CLAUSE_END.search(text, last.end(), verb.start())):
            last = verb
    if last is None:
        stop_after = _SENTENCE_END.search(text, end, end + 120)
        last = _VERB.search(text, end, stop_after.start() if stop_after else end + 120)
    return _is_past(last)


def _is_past(verb: re.Match[str] | None) -> bool:
    return verb is not None and verb.lastgroup in ("past", "past_infinitive")
