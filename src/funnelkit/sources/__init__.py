"""Shops made of the exports that shop systems, analytics and advertising platforms write."""

from funnelkit.sources.detecting import Detected, detect, scan
from funnelkit.sources.ga4_bigquery import ga4_bigquery
from funnelkit.sources.ga4_report import ga4_report
from funnelkit.sources.google_ads import google_ads
from funnelkit.sources.klaviyo import klaviyo
from funnelkit.sources.magento import magento
from funnelkit.sources.mailchimp import mailchimp
from funnelkit.sources.meta_ads import meta_ads
from funnelkit.sources.olist import olist
from funnelkit.sources.proposing import propose
from funnelkit.sources.segment import segment
from funnelkit.sources.shopify import shopify
from funnelkit.sources.shopify_json import shopify_json
from funnelkit.sources.stripe import stripe
from funnelkit.sources.tiktok_ads import tiktok_ads
from funnelkit.sources.woocommerce import woocommerce
from funnelkit.sources.woocommerce_orders import woocommerce_orders

__all__ = [
    "Detected",
    "detect",
    "ga4_bigquery",
    "ga4_report",
    "google_ads",
    "klaviyo",
    "magento",
    "mailchimp",
    "meta_ads",
    "olist",
    "propose",
    "scan",
    "segment",
    "shopify",
    "shopify_json",
    "stripe",
    "tiktok_ads",
    "woocommerce",
    "woocommerce_orders",
]
