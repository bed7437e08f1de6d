"""The canonical tables of a shop, and how their columns derive from one another."""
