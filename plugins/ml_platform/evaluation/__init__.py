"""How good a classifier is: metrics, charts, importance, and the report on the hold-out."""
