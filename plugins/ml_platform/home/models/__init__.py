"""The views of the page Models, and what a person can do there."""
