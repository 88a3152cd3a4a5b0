"""The kinds of models that can be trained, in one table, and how a fitted one scores rows."""
