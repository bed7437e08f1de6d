"""Channels: how a session reached the shop, derived from its source and medium."""

from __future__ import annotations

from functools import reduce

from funnelkit.formula.values import If, Literal, Lower, Predicate, Value
from funnelkit.schema.traffic import Sessions

__all__ = ["CHANNEL", "SOCIAL_PLATFORMS"]

SOCIAL_PLATFORMS = (
    "facebook",
    "instagram",
    "meta",
    "tiktok",
    "pinterest",
    "linkedin",
    "twitter",
    "x",
    "snapchat",
    "youtube",
    "reddit",
    "threads",
)
"""The platforms that are social networks."""

_SEARCH = ("google", "bing", "yahoo", "duckduckgo", "baidu", "yandex", "ecosia", "seznam", "naver")
_SOCIAL = (
    *(name for name in SOCIAL_PLATFORMS if name != "youtube"),
    *("facebook.com", "m.facebook.com", "l.facebook.com", "fb", "ig", "instagram.com"),
    *("l.instagram.com", "t.co", "twitter.com", "x.com", "tiktok.com", "pinterest.com"),
    *("linkedin.com", "lnkd.in", "reddit.com", "snapchat.com", "threads.net", "social"),
)
_VIDEO = ("youtube", "youtube.com", "vimeo", "vimeo.com", "twitch", "twitch.tv")
_PAID = (
    *("cpc", "ppc", "cpv", "cpa", "sem", "paid", "retargeting", "paid_search", "paidsearch"),
    *("paid-search", "paid_social", "paidsocial", "paid-social"),
)
_MAIL = ("email", "e-mail", "e_mail", "e mail", "newsletter")
_NONE = ("direct", "(direct)", "(none)", "none", "(not set)", "")

_SOURCE, _MEDIUM = Lower(Sessions.source), Lower(Sessions.medium)
_IS_PAID = _MEDIUM.is_in(_PAID)


def _unknown(value: Value) -> Predicate:
    return value.is_null() | value.is_in(_NONE)


_RULES: tuple[tuple[Predicate, str], ...] = (
    (_unknown(_SOURCE) & _unknown(_MEDIUM), "Direct"),
    (_IS_PAID & _SOURCE.is_in(_SEARCH), "Paid Search"),
    (_IS_PAID & _SOURCE.is_in(_SOCIAL), "Paid Social"),
    (_IS_PAID & _SOURCE.is_in(_VIDEO), "Paid Video"),
    (_MEDIUM.is_in(("display", "banner", "expandable", "interstitial", "cpm")), "Display"),
    (_IS_PAID, "Paid Other"),
    (_MEDIUM.is_in(_MAIL) | _SOURCE.is_in(_MAIL), "Email"),
    (_MEDIUM.is_in(("affiliate", "affiliates")), "Affiliates"),
    (
        _MEDIUM.is_in(("social", "social-network", "social-media", "sm", "social network"))
        | _SOURCE.is_in(_SOCIAL),
        "Organic Social",
    ),
    (_MEDIUM.eq("video") | _SOURCE.is_in(_VIDEO), "Organic Video"),
    (_MEDIUM.eq("organic") | _SOURCE.is_in(_SEARCH), "Organic Search"),
    (_MEDIUM.is_in(("referral", "app", "link")), "Referral"),
    (_MEDIUM.eq("audio"), "Audio"),
    (_MEDIUM.eq("sms") | _SOURCE.eq("sms"), "SMS"),
    (_MEDIUM.is_in(("push", "mobile", "notification")), "Mobile Push Notifications"),
)
"""The first matching rule determines the channel; matching ignores case."""


def _first_match(otherwise: Value, rule: tuple[Predicate, str]) -> Value:
    return If(rule[0], Literal(rule[1]), otherwise)


_UNASSIGNED: Value = Literal("Unassigned")
CHANNEL: Value = reduce(_first_match, reversed(_RULES), _UNASSIGNED)
"""The channel of a session; "Unassigned" if no rule matches, so that shares add up to 1."""
