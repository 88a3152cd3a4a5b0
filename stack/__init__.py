"""The platform's servers: their commands, their health, their start and stop, their backup.

stack
├── __main__    the commands up, down, status, logs, reset, for servers as processes of this machine
├── backup      make and restore a backup, wherever the platform runs
├── target      TARGET: the runner that starts and stops the platform
├── runners     embedded, under supervisord; compose, in containers
├── servers     one module per server: command, environment, health probe
└── config, secrets, access, errors    the settings of `.env`, the rights in the buckets

airflow_setup and healthcheck also run inside the containers; airflow_api is a client for pages, the demo and the tests;
revision and secrets are scripts that need no packages.
"""
