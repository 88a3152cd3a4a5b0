"""The doctor: what is wrong with a running platform, and what to do about it; for a command and the home page."""
