"""The platform's library: everything that can be imported, tested and read without Airflow."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]  # of the clone, or of what the image holds of it
