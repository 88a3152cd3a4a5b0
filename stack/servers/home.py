"""The home page: what people see of the platform, and do with it."""

from importlib.metadata import version

from stack.config import HOST, Config, hosts
from stack.servers import probes
from stack.servers.node import Server, base_environment, program


def server(config: Config) -> Server:
    """Describe the page. It works without the other servers, too: it says which part is missing."""
    own = {
        "HOME_HOST": HOST,
        "HOME_PORT": str(config.home_port),
        "HOME_HOSTS": hosts(config.home_port),
        "HOME_ADMIN_USER": config.home_admin_user,
        "HOME_ADMIN_PASSWORD": config.home_admin_password.get_secret_value(),
        "HOME_SESSION_KEY": config.home_session_key.get_secret_value(),
        "HOME_USERS": config.home_users.get_secret_value(),
        "SERVING_URL": config.serving_url,
        "SERVING_TOKEN": config.serving_token.get_secret_value(),
    }
    client = config.environment() | config.airflow_environment()
    return Server(
        name="home",
        command=(program("python"), "-m", "ml_platform.home"),
        environment=base_environment(config) | config.source() | client | own,
        probe=probes.http(f"{config.home_url}/live"),
        version=version("streamlit"),
        needs=("dbinit",),
        ports={"HOME_PORT": config.home_port},
    )
