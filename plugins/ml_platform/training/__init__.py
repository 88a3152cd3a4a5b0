"""From labels to a registered version: training set, split, search and fit."""
