"""The page /docs for people: the description of the service, and a row to try for each live model."""
