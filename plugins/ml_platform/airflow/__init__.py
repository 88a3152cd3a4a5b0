"""The only part of the library that imports Airflow: what the DAG files share."""
