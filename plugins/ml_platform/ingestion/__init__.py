"""Ingestion: read an uploaded file, load all its good rows or none, and archive it with a report."""
