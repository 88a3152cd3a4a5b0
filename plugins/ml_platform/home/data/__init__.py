"""What the page Data is made of: reports on the data, and the history of checks."""
