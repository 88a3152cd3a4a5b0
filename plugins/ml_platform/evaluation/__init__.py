"""How good a model is: metrics, charts, and the report on the hold-out."""
