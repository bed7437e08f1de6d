"""The words for where visitors come from: sources, media, platforms, channels."""

from __future__ import annotations

__all__ = [
    "AFFILIATE_MEDIA",
    "CHANNELS",
    "DISPLAY_MEDIA",
    "MAIL",
    "NOWHERE",
    "OTHER_MEDIA",
    "PAID_MEDIA",
    "PLATFORMS",
    "PLATFORM_SYNONYMS",
    "PUSH_MEDIA",
    "REFERRAL_MEDIA",
    "SEARCH_SOURCES",
    "SOCIAL_MEDIA",
    "SOCIAL_PLATFORMS",
    "SOCIAL_SOURCES",
    "SOURCES",
    "VIDEO_SOURCES",
]

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

PLATFORMS = (*SOCIAL_PLATFORMS, "google", "bing", "amazon", "criteo")
"""The platforms that are known by name."""

PLATFORM_SYNONYMS = {
    **{f"{platform} ads": platform for platform in PLATFORMS},
    "google adwords": "google",
    "microsoft ads": "bing",
    "microsoft advertising": "bing",
    "bing advertising": "bing",
    "fb": "facebook",
    "fb ads": "facebook",
    "ig": "instagram",
}
"""How platforms name their advertising."""

SEARCH_SOURCES = (
    *("google", "bing", "yahoo", "duckduckgo", "baidu", "yandex", "ecosia", "seznam", "naver"),
)
SOCIAL_SOURCES = (
    *(name for name in SOCIAL_PLATFORMS if name != "youtube"),
    *("facebook.com", "m.facebook.com", "l.facebook.com", "fb", "ig", "instagram.com"),
    *("l.instagram.com", "t.co", "twitter.com", "x.com", "tiktok.com", "pinterest.com"),
    *("linkedin.com", "lnkd.in", "reddit.com", "snapchat.com", "threads.net", "social"),
)
VIDEO_SOURCES = ("youtube", "youtube.com", "vimeo", "vimeo.com", "twitch", "twitch.tv")
PAID_MEDIA = (
    *("cpc", "ppc", "cpv", "cpa", "sem", "paid", "retargeting", "paid_search", "paid_social"),
)
MAIL = ("email", "newsletter")
NOWHERE = ("direct", "(direct)", "(none)", "none", "(not set)")

SOURCES = (*SEARCH_SOURCES, *SOCIAL_SOURCES, *VIDEO_SOURCES, *MAIL, "sms", *NOWHERE)
"""The sources that tell the channel of a session."""

DISPLAY_MEDIA = ("display", "banner", "expandable", "interstitial", "cpm")
AFFILIATE_MEDIA = ("affiliate", "affiliates")
SOCIAL_MEDIA = ("social", "social-network", "social-media", "sm")
REFERRAL_MEDIA = ("referral", "app", "link")
PUSH_MEDIA = ("push", "mobile", "notification")
OTHER_MEDIA = (
    *(*DISPLAY_MEDIA, *AFFILIATE_MEDIA, *SOCIAL_MEDIA, "video", "organic", *REFERRAL_MEDIA),
    *("audio", "sms", *PUSH_MEDIA),
)
"""The media that tell the channel of a session, besides paid ones, e-mail and none."""

CHANNELS = (
    *("Direct", "Cross-network", "Paid Shopping", "Paid Search", "Paid Social", "Paid Video"),
    *("Display", "Paid Other", "Email", "Affiliates", "Organic Social", "Organic Video"),
    *("Organic Shopping", "Organic Search", "Referral", "Audio", "SMS"),
    *("Mobile Push Notifications", "Unassigned"),
)
"""The channels of a session or order, as GA4's default channel group spells them."""
