"""Boilerplate: a site's own text between and below its articles.

Buttons and labels are recognised by their words, which are the same on all sites. Appeals to the
reader are recognised by their form: an imperative or a "you" with an app, a newsletter or a
subscription. A sentence with reported speech is not boilerplate.
"""

from __future__ import annotations

import re

from forecasts.reading.lines import LONG, ends_as_sentence, sentences, words


def _alternatives(*parts: str) -> str:
    return "(?:" + "|".join(parts) + ")"


_ICONS = "☰≡✕×▼▲▾►▶◀←→↑↓★☆•·*-– |>»›<«[("  # as they appear in text
_END_ICONS = "▼▾►▶→↓•·*-– |>»›"  # after a label

_BUTTON = re.compile(
    _alternatives(
        r"logo|icon|menu|search|close|home|log ?in|sign ?(?:in|up)|register|subscribe(?: now)?",
        r"share(?: this)?(?: article| story)?|share (?:on|via) \w+|tweet|save(?: article)?|print",
        r"e-?mail|copy link|facebook|twitter|x|linkedin|whatsapp|telegram|reddit|flipboard|threads",
        r"instagram|youtube|tiktok|pinterest|bookmark|play|pause|next|click to .*",
        r"follow(?:ing)?(?: us)?(?: on .*)?|follow (?:this|your) .{1,25}|gift(?: article)?",
        r"previous|prev|back|more|listen(?: to .*)?|(?:load|show|see|view) (?:more|all)|learn more",
        r"read (?:full|the full|more|on).*|continue reading.*|skip to .*|jump to .*|back to top",
        r"go to .*|advert(?:isement|ising)?s?|ads?|sponsored(?: content)?|promoted|loading.*",
        r"story continues(?: below.*)?|article continues (?:below|after).*|scroll (?:down|to).*",
        r"(?:user )?comments?(?: \(?\d+\)?)?|\d+ (?:comments?|shares?|views?|likes?|repl(?:y|ies))",
        r"(?:video|(?:current|remaining) time|duration)\s*-?(?:\d{1,2}:)?\d{1,2}:\d{2}|\d+ / \d+",
        r"(?:view|see) (?:image|gallery|photos?|pictures?|in (?:full ?screen|gallery|app))\b.*",
        r"watch (?:now|live|the video)|give feedback|share your thoughts|reply",
        r"create (?:a )?(?:free )?account|in this (?:article|story)|after newsletter promotion",
        r"view all posts by .*|unsubscribe|manage preferences",
        r"\d+ min(?:ute)?s? read|(?:log|sign) in to .*|trending\b.*|translate|transcript",
        r"(?:download|get|try|open|install|use) (?:the|our|in)\b.*|app[- ]?store.*|google play",
        r".*play[- ]?store|available on .*|[\w-]+ background|.*\b(?:thumbnail|backdrop) image",
        r".*\bai features?|(?:ask|chat with) (?:our |the )?ai\b.*|ai (?:summary|overview|chat)\b.*",
        r"explore .*:|what .{1,40} can do for you:?|get started\b.*|click here.*|tap here.*",
        r"cookies?\b.*|privacy(?: policy.*)?|terms(?: (?:of|and|&).*)?|about(?: us)?|careers|help",
        r"contact(?: us)?|faq|site ?map|advertise.*|newsletters?.*|accept(?: all)?(?: cookies)?",
        r"(?:our )?(?:latest|top|popular|breaking) (?:news|stories|headlines|articles|videos)",
        r"image|photo|video|watch|gallery|slideshow|tags?|topics?|categor(?:y|ies)|filed under.*",
        r"time|date|clock|calendar|by|source|language|english|settings|edition|account|profile",
        r"notifications?|enter your e-?mail.*|your e-?mail(?: address)?|.* followers?|hide",
        r"list of \d+ items|list \d+ of \d+|end of list|ad feedback|link",
        r"like(?: this)?|this article is more than .* old|explore more on .*|reuse this content",
        r"featured|latest|popular|headlines|just in|(?:dig|go) deeper|now reading",
    )
    + r"[.:!…]*",
    re.IGNORECASE,
)
# The same as whole sentences.
_PROMPT = re.compile(
    _alternatives(
        r"no comments\b.*|be the first to comment.*|(?:leave|post|add) a (?:comment|reply).*",
        r"join the (?:conversation|discussion).*|click here.*|tap here.*|continue reading.*",
        r"(?:story|article) continues (?:below|after).*|scroll (?:down|to).*|loading(?:…|\.\.\.)",
        r"read (?:more|the full (?:story|article)).*|(?:please )?(?:log|sign) in to .*",
        r"(?:posted|filed) (?:in|under) .*\btagged\b.*|like loading.*",
        r"link copied.*|home ?[/›>»].*|your browser (?:does not|doesn['’]t) support\b.*",
        r"(?:the )?(?:views|opinions) expressed\b.*",
        r"this (?:video|content|embed) (?:is not|cannot|can['’]t|is no longer)\b.*",
    ),
    re.IGNORECASE,
)
_AFTER_ARTICLE = re.compile(
    _alternatives(
        r"(?:user |reader |all |latest )?comments?(?: section)?(?: \(?\d+\)?)?|\d+ comments?",
        r"comments? / \d+|(?:\d+|one|two|three) thoughts? on\b.*",
        r"what (?:our )?readers (?:are saying|say|think)|readers['’] comments",
        r"no comments yet.*|(?:leave|post|add) a (?:comment|reply).*|\d+ repl(?:y|ies)",
        r"join the (?:conversation|discussion).*|(?:log|sign) in to comment.*",
        r"(?:related|recommended|similar|suggested|popular|trending|latest|other|further) "
        r"(?:articles?|stories|story|news|posts?|content|coverage|reading|topics?|videos?"
        r"|headlines|reads)",
        r"related|recommended(?: for you)?|trending(?: now)?|popular now|keep reading|up next.*",
        r"more (?:from|on|in|stories|news|articles|like this|to read|coverage|headlines)\b.*",
        r"(?:most|top) (?:read|popular|viewed|shared|commented|stories|news|headlines)\b.*",
        r"(?:you (?:may|might) (?:also )?(?:like|be interested)|people also read|read next)\b.*",
        r"(?:what to read next|next (?:article|story)|editors?['’]?s? picks?|in other news)\b.*",
        r"(?:from our partners|sponsored links|don['’]t miss)\b.*",
        r"(?:from|around|elsewhere on) the web\b.*|more to (?:explore|discover)",
        # A selection of other articles, for the reader or by the editors.
        r"(?:(?:just|more|made|(?:hand-?)?picked|chosen|selected|suggested|curated|(?:our )?picks"
        r"|(?:top |more )?(?:stories|story|news|articles?|reads|headlines)) )?for you",
        r"(?:because you (?:read|liked?|follow(?:ed)?|viewed|watched)|(?:based on|inspired by)"
        r" your)\b.{0,30}|in case you missed (?:it|this)",
        r"(?:what )?(?:others|people|readers) (?:are|were|also) (?:read(?:ing)?|like|view(?:ing)?)"
        r"(?: now| next)?|(?:our|today['’]s|this week['’]s|staff) (?:top |best )?"
        r"(?:picks?|headlines|stories|reads)",
        r"(?:the )?(?:top|best) (?:picks|reads)|must[- ]?reads?|worth (?:a read|reading|your time)",
        r"best of the (?:day|week)|recommended by .{2,20}|(?:promoted|featured) (?:articles?"
        r"|stories)",
        r"(?:also|elsewhere) in (?:the )?news|(?:discover|explore) more|next up|read this next",
        r"continue (?:exploring|browsing)",
        r"more (?:top |latest |local |national |world |international |political |business "
        r"|sports? )(?:news|stories|headlines|articles)",
        r"(?:download|get|try) (?:the|our) .{0,30}\b(?:app|features?)|[\w-]+ background",
        r"about (?:us|the author)|privacy policy|terms of (?:use|service)|follow us(?: on.*)?",
    )
    + r"[.:!…]*",
    re.IGNORECASE,
)
# These announce a single title in the middle of a text.
_BOX = re.compile(
    r"(?:also read|read also|read more|see also|related (?:article|story|coverage))[.:]?",
    re.IGNORECASE,
)
_COMMENTS = re.compile(r"\b(?:comments?|thoughts? on|readers|repl(?:y|ies))\b", re.IGNORECASE)
_TEASER = re.compile(
    r"(?:(?:also |must |further )?read(?: more| also| next)?|see also|in pictures|explainer"
    r"|related(?: (?:article|story|news|coverage|reading|video))?s?|watch(?: (?:now|also|live))?"
    r"|listen|more on this|recommended|also on .{2,30}|don['’]t miss)\s*(?:[:|»>→–—]|\s-\s)\s*\S",
    re.IGNORECASE,
)
_ORIGIN = re.compile(
    r"^(?:this|a version of this|the) (?:article|story|piece|post|report|essay|column|op-?ed"
    r"|commentary|content)(?: (?:was|has been|is))?(?: (?:originally|first|previously|also))?[ -]"
    r"(?:appear(?:ed|s)|(?:re-?)?published|posted|syndicated|reproduced|produced|provided)\b"
    r"|^(?:©|\(c\) ?\d|copyright\b)|\ball rights reserved\b|©\s*(?:19|20)\d{2}"
    r"|^originally (?:published|appeared)|^appeared in .*\bedition\b"
    r"|^this (?:story|article) (?:has been|was) updated\b|\bcontributed to this (?:report|story)\b"
    r"|^distributed by\b|^re(?:published|printed) (?:with|from)",
    re.IGNORECASE,
)
_IMPERATIVE = re.compile(
    r"(?:^|[.!?:]\s+)(?:please |just |simply )?(?:download|sign up|subscribe|explore|try|get|read"
    r"|click|tap|follow|join|share|log in|sign in|register|install|discover|scan|support|become"
    r"|upgrade|start|stay|enable|never miss|don['’]t miss|want|love|ready|create|unlock|enjoy"
    r"|visit|check out|send|donate|consider|write to|contact|e-?mail|accept|manage"
    r"|find out more|like[ ]what)\b",
    re.IGNORECASE,
)
_READER = re.compile(r"\b(?:you|your|us|we|our)\b|\b(?:you|we)['’]", re.IGNORECASE)
_OWN = (
    r"newsletters?|inbox|cookies|privacy policy|terms of (?:use|service)|follow us|ad ?blocker"
    r"|our (?:[\w-]+ ){0,2}(?:newsletter|briefing|apps?|website|site|channel|community|podcast)"
    r"|free (?:articles?|trial)|this e-?mail because|supporting us|support our"
)
_CREED = re.compile(
    r"\b(?:quality|independent|trusted|local) journalism (?:is|matters|needs|depends)\b"
    r"|^by (?:subscribing|signing up|registering|donating)\b|\byour preferred source\b",
    re.IGNORECASE,
)
_SITES_OWN = re.compile(rf"\b(?:{_OWN})\b", re.IGNORECASE)
_ON_OFFER = re.compile(
    rf"\b(?:{_OWN}|subscri(?:be|ption|bers?)|sign(?:ing)? up|app stores?|google play|play store"
    r"|(?:download|get|try|install)(?: [\w-]+){0,4} apps?|apps? (?:today|now)|news alerts?"
    r"|push notifications?|qr code|(?:telegram|whatsapp|youtube) channel|(?:click|tap) here"
    r"|podcasts? on|ios or android|ai features?|ad[- ]free|exclusive (?:content|access)"
    r"|unlimited access|premium content"
    r"|our (?:[\w-]+ )?(?:journalism|reporting|coverage|reporter_names|work)|independent journalism"
    r"|(?:join|start) the (?:conversation|discussion)|donat(?:e (?:today|now)|ions?)"
    r"|[\w.+-]+@[\w-]+\.[\w.-]+|become a (?:member|subscriber)|(?:log|sign) in)\b",
    re.IGNORECASE,
)
_REPORTS = re.compile(
    r"\b(?:said|says|told|according to|announced|added|warned|reported|wrote)\b|[\"“”]",
    re.IGNORECASE,
)


def is_boilerplate(line: str) -> bool:
    """Return whether a line belongs to the site and not to an article."""
    if not words(line):
        return True
    line = _label(line)
    if len(line) <= LONG and (
        _TEASER.match(line)
        or _PROMPT.fullmatch(line)
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
