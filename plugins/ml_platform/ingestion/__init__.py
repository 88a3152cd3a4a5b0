"""From a dropped file to rows: read, loaded whole or not at all, and settled with a report."""
