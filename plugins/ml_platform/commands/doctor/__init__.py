"""`ml-platform doctor`: what is wrong with a running platform, and what to do about it."""
