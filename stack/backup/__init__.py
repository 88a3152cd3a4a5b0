"""`make backup` and `make restore`: databases, buckets and settings as one folder, wherever the platform runs.

A backup is `manifest.json`, the settings `.env`, a dump of each database and a tar file of each bucket. It contains all
secrets of the platform, so only its owner can read it.
"""
