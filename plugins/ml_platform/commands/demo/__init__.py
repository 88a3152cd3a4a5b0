"""`ml-platform demo`: from a sample to a model and its predictions; the training rows may come from a source."""
