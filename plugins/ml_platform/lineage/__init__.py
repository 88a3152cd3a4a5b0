"""From a prediction back to the uploads behind it, and the events of OpenLineage about each step on the way."""
