"""Files of every supported format, read as rows of texts."""
