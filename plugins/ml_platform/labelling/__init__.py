"""From test to truth: which scored rows a person is asked about; their labels come back as answer files."""
