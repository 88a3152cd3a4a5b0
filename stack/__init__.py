"""The platform's servers on one machine, without Docker: what runs, in which order, and how to stop it."""
