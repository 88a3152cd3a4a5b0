"""The server that collects Airflow's own metrics for Prometheus: statsd_exporter, where it is installed."""

from stack.config import HOST, Config
from stack.servers import probes
from stack.servers.node import Server, base_environment, find_program

NAME = "airflow-metrics"
PROGRAM = "statsd_exporter"
NOT_WANTED = "AIRFLOW__METRICS__STATSD_ON is not True"
REMEDY = f"put the program {PROGRAM} of the Prometheus project on the PATH"


def is_wanted(config: Config) -> bool:
    """Return whether Airflow sends metrics."""
    return config.airflow__metrics__statsd_on == "True"


def is_installed(config: Config) -> bool:
    """Return whether this machine has the program."""
    return find_program(config, PROGRAM) is not None


def server(config: Config) -> Server:
    """Describe the server: Airflow's processes send to its UDP port, and Prometheus reads its page."""
    return Server(
        name=NAME,
        command=(
            PROGRAM,
            f"--statsd.listen-udp={HOST}:{config.statsd_inner_port}",
            "--statsd.listen-tcp=",
            f"--web.listen-address={HOST}:{config.airflow_metrics_port}",
        ),
        environment=base_environment(config),
        probe=probes.http(f"http://{HOST}:{config.airflow_metrics_port}/-/healthy"),
        version="of the system",
        ports={"AIRFLOW_METRICS_PORT": config.airflow_metrics_port},
        directory=config.state_dir,
    )


def environment_of_airflow(config: Config) -> dict[str, str]:
    """Return the variables with which Airflow sends its metrics; none while it does not."""
    if not is_wanted(config):
        return {}
    return {
        "AIRFLOW__METRICS__STATSD_ON": "True",
        "AIRFLOW__METRICS__STATSD_HOST": HOST,
        "AIRFLOW__METRICS__STATSD_PORT": str(config.statsd_inner_port),
    }
