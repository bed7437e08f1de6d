"""What the analyses of journeys share: who did what and when, in order, and how it is shown."""
