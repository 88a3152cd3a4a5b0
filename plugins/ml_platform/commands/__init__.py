"""The program `ml-platform`."""
