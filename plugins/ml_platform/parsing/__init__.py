"""Rows of texts as typed batches, and what is wrong with them."""
