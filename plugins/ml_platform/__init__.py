"""The platform's library: everything that can be imported, tested and read without Airflow."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]  # of the clone, or of what the image holds of it
RANDOM_STATE = 20130101  # of every random draw, so that the same data give the same model
