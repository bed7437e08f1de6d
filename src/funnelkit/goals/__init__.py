"""Goals: what is to be reached until when, and the arithmetic of how that stands."""
