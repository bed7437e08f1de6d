"""From metrics and a question to a plan."""
