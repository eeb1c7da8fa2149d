"""Boilerplate: a site's own text between and below its articles.

Buttons and labels are recognised by their words, which are the same on all sites. Appeals to the
reader are recognised by their form: an imperative or a "you" with an app, a newsletter or a
subscription. A sentence with reported speech is not boilerplate.
"""

from __future__ import annotations

import re

from forecasts.reading.lines import LONG, ends_as_sentence, sentences, words


def _any_of(*parts: str, end: str = "") -> re.Pattern[str]:
    return re.compile(f"(?i)(?:{'|'.join(parts)}){end}")


_ICONS = "☰≡✕×▼▲▾►▶◀←→↑↓★☆•·*-– |>»›<«[("  # as they appear in text
_END_ICONS = "▼▾►▶→↓•·*-– |>»›"  # after a label

_BUTTON = _any_of(
    r"logo|icon|menu|search|close|home|log ?in|sign ?(?:in|up)|register|subscribe(?: now)?",
    r"share(?: this)?(?: article| story)?|share (?:on|via) \w+|tweet|save(?: article)?|print",
    r"e-?mail|copy link|facebook|twitter|x|linkedin|whatsapp|telegram|reddit|flipboard|threads",
    r"instagram|youtube|tiktok|pinterest|bookmark|play|pause|next|click to .*",
    r"follow(?:ing)?(?: on .*)?|follow (?:this|your) .{1,25}|gift(?: article)?|translate",
    r"previous|prev|back|more|listen(?: to .*)?|(?:load|show|see|view) (?:more|all)|learn more",
    r"read (?:full|the full|on).*|skip to .*|jump to .*|back to top|give feedback|transcript",
    r"go to .*|advert(?:isement|ising)?s?|ads?|sponsored(?: content)?|promoted|loading.*",
    r"story continues|\d+ (?:shares?|views?|likes?)|share your thoughts|reply|\d+ / \d+",
    r"(?:video|(?:current|remaining) time|duration)\s*-?(?:\d{1,2}:)?\d{1,2}:\d{2}",
    r"(?:view|see) (?:image|gallery|photos?|pictures?|in (?:full ?screen|gallery|app))\b.*",
    r"create (?:a )?(?:free )?account|in this (?:article|story)|after newsletter promotion",
    r"view all posts by .*|unsubscribe|manage preferences|watch (?:now|live|the video)",
    r"\d+ min(?:ute)?s? read|trending\b.*|.*play[- ]?store|available on .*|google play",
    r"(?:download|get|try|open|install|use) (?:the|our|in)\b.*|app[- ]?store.*|explore .*:",
    r".*\bai features?|(?:ask|chat with) (?:our |the )?ai\b.*|ai (?:summary|overview|chat)\b.*",
    r".*\b(?:thumbnail|backdrop) image|what .{1,40} can do for you:?|get started\b.*",
    r"cookies?\b.*|privacy|terms(?: (?:of|and|&).*)?|about|careers|help|list of \d+ items",
    r"contact(?: us)?|faq|site ?map|advertise.*|newsletters?.*|accept(?: all)?(?: cookies)?",
    r"(?:our )?(?:latest|top|popular|breaking) (?:news|stories|headlines|articles|videos)",
    r"image|photo|video|watch|gallery|slideshow|tags?|topics?|categor(?:y|ies)|filed under.*",
    r"time|date|clock|calendar|by|source|language|english|settings|edition|account|profile",
    r"notifications?|enter your e-?mail.*|your e-?mail(?: address)?|.* followers?|hide",
    r"list \d+ of \d+|end of list|ad feedback|link|like(?: this)?|reuse this content",
    r"this article is more than .* old|featured|latest|popular|headlines|just in|now reading",
    r"(?:dig|go) deeper",
    end=r"[.:!…]*",
)
# The same as whole sentences.
_PROMPT = _any_of(
    r"no comments\b.*|be the first to comment.*|click here.*|tap here.*|continue reading.*",
    r"(?:story|article) continues (?:below|after).*|scroll (?:down|to).*|loading(?:…|\.\.\.)",
    r"read (?:more|the full (?:story|article)).*|(?:please )?(?:log|sign) in to .*",
    r"(?:posted|filed) (?:in|under) .*\btagged\b.*|like loading.*|link copied.*",
    r"home ?[/›>»].*|your browser (?:does not|doesn['’]t) support\b.*",
    r"(?:the )?(?:views|opinions) expressed\b.*",
    r"this (?:video|content|embed) (?:is not|cannot|can['’]t|is no longer)\b.*",
)
_AFTER_ARTICLE = _any_of(
    r"(?:user |reader |all |latest )?comments?(?: section)?(?: \(?\d+\)?)?|\d+ comments?",
    r"comments? / \d+|(?:\d+|one|two|three) thoughts? on\b.*|readers['’] comments",
    r"what (?:our )?readers (?:are saying|say|think)|\d+ repl(?:y|ies)|no comments yet.*",
    r"(?:leave|post|add) a (?:comment|reply).*|(?:log|sign) in to comment.*",
    r"join the (?:conversation|discussion).*|related|recommended(?: for you)?|keep reading",
    r"(?:related|recommended|similar|suggested|popular|trending|latest|other|further) "
    r"(?:articles?|stories|story|news|posts?|content|coverage|reading|topics?|videos?"
    r"|headlines|reads)",
    r"(?:trending|popular)(?: now)?|up next.*|next up|must[- ]?reads?",
    r"more (?:from|on|in|stories|news|articles|like this|to read|coverage|headlines)\b.*",
    r"(?:most|top) (?:read|popular|viewed|shared|commented|stories|news|headlines)\b.*",
    r"(?:you (?:may|might) (?:also )?(?:like|be interested)|people also read|read next)\b.*",
    r"(?:what to read next|next (?:article|story)|editors?['’]?s? picks?|in other news)\b.*",
    r"(?:from our partners|sponsored links|don['’]t miss)\b.*|read this next",
    r"(?:from|around|elsewhere on) the web\b.*|in case you missed (?:it|this)",
    # A selection of other articles, for the reader or by the editors.
    r"(?:(?:just|more|made|(?:hand-?)?picked|chosen|selected|suggested|curated|(?:our )?picks"
    r"|(?:top |more )?(?:stories|story|news|articles?|reads|headlines)) )?for you",
    r"(?:because you (?:read|liked?|follow(?:ed)?|viewed|watched)|(?:based on|inspired by)"
    r" your)\b.{0,30}",
    r"(?:what )?(?:others|people|readers) (?:are|were|also) (?:read(?:ing)?|like|view(?:ing)?)"
    r"(?: now| next)?",
    r"(?:(?:our|today['’]s|this week['’]s|staff) (?:top |best )?|(?:the )?(?:top|best) )"
    r"(?:picks?|headlines|stories|reads)|worth (?:a read|reading|your time)",
    r"best of the (?:day|week)|recommended by .{2,20}|continue (?:exploring|browsing)",
    r"(?:promoted|featured) (?:articles?|stories)|(?:also|elsewhere) in (?:the )?news",
    r"(?:discover|explore) more|more to (?:explore|discover)|[\w-]+ background",
    r"more (?:top|latest|local|national|world|international|political|business|sports?) "
    r"(?:news|stories|headlines|articles)",
    r"(?:download|get|try) (?:the|our) .{0,30}\b(?:app|features?)|follow us(?: on.*)?",
    r"about (?:us|the author)|privacy policy|terms of (?:use|service)",
    end=r"[.:!…]*",
)
# These announce a single title in the middle of a text.
_BOX = re.compile(
    r"(?i)(?:also read|read also|read more|see also|related (?:article|story|coverage))[.:]?"
)
_COMMENTS = re.compile(r"(?i)\b(?:comments?|thoughts? on|readers|repl(?:y|ies))\b")
_TEASER = re.compile(
    r"(?i)(?:(?:also |must |further )?read(?: more| also| next)?|see also|in pictures|explainer"
    r"|related(?: (?:article|story|news|coverage|reading|video))?s?|watch(?: (?:now|also|live))?"
    r"|listen|more on this|recommended|also on .{2,30}|don['’]t miss)\s*(?:[:|»>→–—]|\s-\s)\s*\S"
)
_ORIGIN = re.compile(
    r"(?i)^(?:this|a version of this|the) (?:article|story|piece|post|report|essay|column|op-?ed"
    r"|commentary|content)(?: (?:was|has been|is))?(?: (?:originally|first|previously|also))?[ -]"
    r"(?:appear(?:ed|s)|(?:re-?)?published|posted|syndicated|reproduced|produced|provided)\b"
    r"|^(?:©|\(c\) ?\d|copyright\b)|\ball rights reserved\b|©\s*(?:19|20)\d{2}"
    r"|^originally (?:published|appeared)|^appeared in .*\bedition\b"
    r"|^this (?:story|article) (?:has been|was) updated\b|\bcontributed to this (?:report|story)\b"
    r"|^distributed by\b|^re(?:published|printed) (?:with|from)"
)
_IMPERATIVE = re.compile(
    r"(?i)(?:^|[.!?:]\s+)(?:please |just |simply )?(?:download|sign up|subscribe|explore|try|get"
    r"|read|click|tap|follow|join|share|log in|sign in|register|install|discover|scan|support"
    r"|become|upgrade|start|stay|enable|never miss|don['’]t miss|want|love|ready|create|unlock"
    r"|enjoy|visit|check out|send|donate|consider|write to|contact|e-?mail|accept|manage"
    r"|find out more|like[ ]what)\b"
)
_READER = re.compile(r"(?i)\b(?:you|your|us|we|our)\b|\b(?:you|we)['’]")
_OWN = (
    r"newsletters?|inbox|cookies|privacy policy|terms of (?:use|service)|follow us|ad ?blocker"
    r"|our (?:[\w-]+ ){0,2}(?:newsletter|briefing|apps?|website|site|channel|community|podcast)"
    r"|free (?:articles?|trial)|this e-?mail because|supporting us|support our"
)
_CREED = re.compile(
    r"(?i)\b(?:quality|independent|trusted|local) journalism (?:is|matters|needs|depends)\b"
    r"|^by (?:subscribing|signing up|registering|donating)\b|\byour preferred source\b"
)
_SITES_OWN = re.compile(rf"(?i)\b(?:{_OWN})\b")
_ON_OFFER = re.compile(
    rf"(?i)\b(?:{_OWN}|subscri(?:be|ption|bers?)|sign(?:ing)? up|app stores?|google play|play store"
    r"|(?:download|get|try|install)(?: [\w-]+){0,4} apps?|apps? (?:today|now)|news alerts?"
    r"|push notifications?|qr code|(?:telegram|whatsapp|youtube) channel|(?:click|tap) here"
    r"|podcasts? on|ios or android|ai features?|ad[- ]free|exclusive (?:content|access)"
    r"|unlimited access|premium content"
    r"|our (?:[\w-]+ )?(?:journalism|reporting|coverage|reporter_names|work)|independent journalism"
    r"|(?:join|start) the (?:conversation|discussion)|donat(?:e (?:today|now)|ions?)"
    r"|[\w.+-]+@[\w-]+\.[\w.-]+|become a (?:member|subscriber)|(?:log|sign) in)\b"
)
_REPORTS = re.compile(
    r"(?i)\b(?:said|says|told|according to|announced|added|warned|reported|wrote)\b|[\"“”]"
)


def is_boilerplate(line: str) -> bool:
    """Return whether a line belongs to the site and not to an article."""
    if not words(line):
        return True
    line = _label(line)
    if len(line) <= LONG and (
        _TEASER.match(line)
        or _PROMPT.fullmatch(line)
        or _AFTER_ARTICLE.fullmatch(line)
        or (not ends_as_sentence(line) and _BUTTON.fullmatch(line))
        or (_ORIGIN.search(line) and len(sentences(line)) <= 3)
    ):
        return True
    return _is_advert(line)


def _is_advert(line: str) -> bool:
    """Return whether a line invites the reader to use, buy or join something of the site."""
    if len(line) > 2 * LONG or _REPORTS.search(line):
        return False
    if _CREED.search(line) or (_ON_OFFER.search(line) and _IMPERATIVE.search(line)):
        return True
    return bool(_SITES_OWN.search(line) and _READER.search(line)) and len(words(line)) <= 40


def ends_article(line: str) -> bool:
    """Return whether a line begins the part below an article: comments, related stories."""
    return len(line) <= LONG and _AFTER_ARTICLE.fullmatch(_label(line)) is not None


def opens_box(line: str) -> bool:
    """Return whether a line announces another article in the middle of the text."""
    return _BOX.fullmatch(_label(line)) is not None


def _label(line: str) -> str:
    return line.lstrip(_ICONS).rstrip(_END_ICONS)


def opens_comments(line: str) -> bool:
    """Return whether a line begins the readers' comments."""
    return ends_article(line) and _COMMENTS.search(line) is not None
