"""Shops made of the exports that shop systems, analytics and advertising platforms write."""

from funnelkit.sources.magento import magento
from funnelkit.sources.shopify import shopify
from funnelkit.sources.shopify_json import shopify_json
from funnelkit.sources.woocommerce import woocommerce

__all__ = ["magento", "shopify", "shopify_json", "woocommerce"]
