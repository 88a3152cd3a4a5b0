"""Draft the spec of a data set from a file, and check a spec against a file."""
