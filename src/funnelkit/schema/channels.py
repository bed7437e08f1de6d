"""Channels: how a session reached the shop, derived from its source and medium."""

from __future__ import annotations

from functools import reduce

from funnelkit.formula.values import If, Literal, Lower, Predicate, Value
from funnelkit.schema.origins import (
    AFFILIATE_MEDIA,
    DISPLAY_MEDIA,
    MAIL,
    NOWHERE,
    PAID_MEDIA,
    PUSH_MEDIA,
    REFERRAL_MEDIA,
    SEARCH_SOURCES,
    SOCIAL_MEDIA,
    SOCIAL_SOURCES,
    VIDEO_SOURCES,
)
from funnelkit.schema.traffic import Sessions

__all__ = ["CHANNEL"]

_SOURCE, _MEDIUM = Lower(Sessions.source), Lower(Sessions.medium)
_IS_PAID = _MEDIUM.is_in(PAID_MEDIA)


def _unknown(value: Value) -> Predicate:
    return value.is_null() | value.is_in(NOWHERE)


_RULES: tuple[tuple[Predicate, str], ...] = (
    (_unknown(_SOURCE) & _unknown(_MEDIUM), "Direct"),
    (_IS_PAID & _SOURCE.is_in(SEARCH_SOURCES), "Paid Search"),
    (_IS_PAID & _SOURCE.is_in(SOCIAL_SOURCES), "Paid Social"),
    (_IS_PAID & _SOURCE.is_in(VIDEO_SOURCES), "Paid Video"),
    (_MEDIUM.is_in(DISPLAY_MEDIA), "Display"),
    (_IS_PAID, "Paid Other"),
    (_MEDIUM.is_in(MAIL) | _SOURCE.is_in(MAIL), "Email"),
    (_MEDIUM.is_in(AFFILIATE_MEDIA), "Affiliates"),
    (
        _MEDIUM.is_in(SOCIAL_MEDIA) | _SOURCE.is_in(SOCIAL_SOURCES),
        "Organic Social",
    ),
    (_MEDIUM.eq("video") | _SOURCE.is_in(VIDEO_SOURCES), "Organic Video"),
    (_MEDIUM.eq("organic") | _SOURCE.is_in(SEARCH_SOURCES), "Organic Search"),
    (_MEDIUM.is_in(REFERRAL_MEDIA), "Referral"),
    (_MEDIUM.eq("audio"), "Audio"),
    (_MEDIUM.eq("sms") | _SOURCE.eq("sms"), "SMS"),
    (_MEDIUM.is_in(PUSH_MEDIA), "Mobile Push Notifications"),
)
"""The first matching rule determines the channel; matching ignores case."""


def _first_match(otherwise: Value, rule: tuple[Predicate, str]) -> Value:
    return If(rule[0], Literal(rule[1]), otherwise)


_UNASSIGNED: Value = Literal("Unassigned")
CHANNEL: Value = reduce(_first_match, reversed(_RULES), _UNASSIGNED)
"""The channel of a session; "Unassigned" if no rule matches, so that shares add up to 1."""
