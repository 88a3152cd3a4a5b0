"""Code that the DAG files share. No other package of the library imports Airflow."""
