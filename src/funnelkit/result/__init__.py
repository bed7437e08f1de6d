"""Results: aligned answers, arithmetic on them, and views."""
