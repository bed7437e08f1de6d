"""Shops made of the exports that shop systems, analytics and advertising platforms write."""

from funnelkit.sources.shopify import shopify
from funnelkit.sources.shopify_json import shopify_json

__all__ = ["shopify", "shopify_json"]
