"""The external systems, one module each: object storage, Postgres, MLflow."""
