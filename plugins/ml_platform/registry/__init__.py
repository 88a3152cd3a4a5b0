"""MLflow's model registry: versions, their files, and the tags that record their training."""
