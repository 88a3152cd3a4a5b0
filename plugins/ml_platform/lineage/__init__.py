"""From a prediction back to the uploads behind it."""
