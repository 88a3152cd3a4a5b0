"""The feature store (Feast): features, the point-in-time join, and the newest row of each entity."""
