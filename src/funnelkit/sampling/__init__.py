"""What intervals and experiments share: metrics per unit, and the moments over units."""
