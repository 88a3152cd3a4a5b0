"""What the page Try it is made of: the form of a row, and the answer of the HTTP service."""
