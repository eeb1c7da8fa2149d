"""The people that an article names, the ones it is about first.

Two or three words with capitals are a person if the text gives them a role or an age, has them
say something, or uses the last one alone; not if it treats that as a place or a team.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from forecasts.reading.drafting.intervals import MONTHS, WEEKDAYS

WORD = r"[A-Z][\w&-]*(?:'(?!s\b)\w+)*(?:\.[A-Z]\.)?"
# Words with a capital that begin a sentence, and roles before a name.
_NO_NAME = (
    r"(?<!\w)(?!(?:Will|Should|Can|Could|Now|He|She|It|They|We|The|An?|In|On|At|But|And|If|Two|Three|His"
    r"|Her|Its|Their|This|Last|Both|Some|Most|One|No|Not|Neither|When|While|After|Before|With|For"
    r"|By|That|There|Of|To|As|From|Whether|Former|About|Second|Third|First|Private"
    rf"|{'|'.join((*WEEKDAYS, *MONTHS))}|Prime|President|Chancellor|Minister|Judge"
    r"|Governor|Mayor|Senator|Speaker|Secretary|Commander|Colonel|General|Dr|Mr|Ms|Mrs|Father"
    r"|Sister|King|Queen|Challenger|Incumbent|Midfielder|Goalkeeper|Defender|Striker|Substitute"
    r"|Delegates|Engineers|Shareholders|Investors|Researchers|Lawyers|Polls|Critics|Voters)\b)"
)
NAME = rf"{_NO_NAME}{WORD}(?: (?:(?:of|the|and the|de|van|von) )?{WORD}){{0,4}}"
_ROLE = (
    r"(?:[Pp]resident|[Pp]rime [Mm]inister|[Cc]hancellor|[Pp]remier|[Mm]inister|[Jj]udge|[Jj]ustice"
    r"|[Gg]overnor|[Mm]ayor|[Ss]enator|[Cc]oach|[Mm]anager|[Cc]aptain|[Ff]ounder|[Cc]hairman|chief"
    r"|[Cc]hief executive|[Dd]irector|[Cc]hampion|[Ss]printer|[Ss]triker|[Ll]eader|[Cc]ouncillor"
    r"|[Mm]r|[Mm]r?s|[Dd]r|[Dd]efendant|[Ff]inancier|[Aa]ctor|[Aa]uthor|[Ss]inger)\.?"
)
_PERSON = re.compile(
    rf"(?:(?P<role>{_ROLE}) )?(?P<name>{_NO_NAME}{WORD}(?: {_NO_NAME}{WORD}){{1,2}})"
    r"(?P<age>, \d\d\b)?"
)
_NO_PERSON = re.compile(
    r"\b(?:Bank|Court|Party|Union|Committee|Council|Parliament|Assembly|Senate|Commission|Authority"
    r"|Agency|Office|Association|Group|Motors|Airlines|University|Ministry|Federation|Tribunal|Fund"
    r"|Alliance|Silver|Golden|Health|Organi[sz]ation|Air|Energy|Systems|Pharma|Press|Cup|League|Games|Prize|House|Congress|Center|Centre"
    r"|Institute|Research|Capital|Street|City|United|Rovers|Athletic|Rail|Wire|News|Post|States"
    r"|Kingdom|Republic|Islands?|Front|Movement|Labour|Conservatives?|Democrats?|Republicans?)\b"
)
_SAYS = re.compile(rf"\b(?:said|says|told|asked|wrote) (?P<name>{WORD}(?: {WORD}){{1,2}})")
_PLACE = re.compile(rf"\b(?:in|at|from) (?:[A-Z][\w-]* ){{0,2}}(?P<name>{WORD})(?!'s)")
_TEAM = re.compile(rf"\b(?P<name>{WORD}) (?:are|have|were)\b")
_MOST = 200  # names; a longer list is not an article


def find_people(title: str, sentences: Sequence[str]) -> list[str]:
    """Return the people in an article by their full names, those it is about first.

    Named in the title counts most, then in the first two sentences, then how often.
    """
    text = " ".join(sentences)
    words = Counter(re.findall(r"\b[A-Z][\w'-]*", text))
    titled = set(re.findall(r"\b[A-Z][\w-]*", title))
    speakers = {match["name"] for match in _SAYS.finditer(text)}
    places = {one["name"] for form in (_PLACE, _TEAM) for one in form.finditer(text)}
    counts: Counter[str] = Counter()
    fulls: Counter[str] = Counter()
    for at, one in enumerate(sentences):
        for match in _PERSON.finditer(one):
            name, last = match["name"], match["name"].split()[-1]
            fulls[last] += 1
            is_known = bool(match["role"] or match["age"]) or name in speakers
            is_first = at == 0 and re.match(r" [a-z]|,", one[match.end() :]) is not None
            if name in counts or _NO_PERSON.search(name) or len(counts) == _MOST:
                continue
            if last in places and not match["role"]:
                continue
            if is_known or is_first or words[last] > 1 or last in titled:
                counts[name] = 4 * (last in titled) + 2 * (at < 2) + bool(match["role"])
    for name in counts:
        last = name.split()[-1]
        counts[name] += words[last] - fulls[last]
    return [name for name, _ in counts.most_common()]
