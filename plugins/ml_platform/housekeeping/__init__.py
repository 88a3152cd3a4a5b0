"""Housekeeping: what is older than its retention is removed, store by store, unless something needs it."""
