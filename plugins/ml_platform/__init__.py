"""The platform's library: everything that can be imported, tested and read without Airflow."""
