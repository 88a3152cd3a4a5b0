"""The platform's servers on one machine, without Docker: what runs, in which order, and how to stop it.

stack
├── __main__    the commands up, down, status, logs, reset
├── backup      make and restore a backup, wherever the platform runs
├── target      embedded or containers: which of the runners starts and stops the platform
├── runners     start and stop: supervisord for `make up`, Docker Compose for containers
├── servers     one module per server: its command, its environment, its health probe
└── config, secrets, access, errors, ...    the settings of `.env`, the rights in the buckets

healthcheck and airflow_setup also run inside the containers; airflow_api is the client of the demo and of tests.
"""
