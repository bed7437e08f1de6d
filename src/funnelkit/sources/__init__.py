"""Shops made of the exports that shop systems, analytics and advertising platforms write."""

from funnelkit.sources.shopify import shopify

__all__ = ["shopify"]
