"""The steps of the page New data set."""
