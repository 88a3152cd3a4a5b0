"""Rows of texts become typed batches; each bad value gets a reason."""
