"""The table of estimators, and how a fitted estimator scores rows."""
