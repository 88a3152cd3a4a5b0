"""Models that are kept: MLflow's registry, their files, and the tags that say how they were trained."""
