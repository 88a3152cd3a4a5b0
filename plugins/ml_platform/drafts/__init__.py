"""From a file to a draft of its data set."""
