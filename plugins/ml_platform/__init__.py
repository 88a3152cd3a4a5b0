"""The platform's library. Only its package `airflow` needs Airflow; the rest can be imported and tested without."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]  # of the repository, or of its copy in the image
RANDOM_STATE = 20130101  # seeds every random draw: the same data give the same model
