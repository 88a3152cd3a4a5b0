"""The outside systems, one module each: object storage, Postgres, MLflow."""
