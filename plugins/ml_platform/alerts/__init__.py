"""Alerts: what needs a person is found in what is recorded anyway, and sent once to each channel."""
