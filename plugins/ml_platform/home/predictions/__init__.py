"""What the page Predictions is made of: calibration, and one entity."""
