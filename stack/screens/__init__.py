"""The pages of MLflow and Feast behind a guard: neither server asks for a login that `.env` could set."""
