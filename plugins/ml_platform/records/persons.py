"""Who did something in Airflow: its user or, for what the home page does there, the person in front of the page.

The home page has one login of Airflow. It sends the person's name along, and only from this login the name counts.
"""

from ml_platform.exceptions import ConfigurationError

HOME = "home"  # the login, which stack/airflow_setup.py creates
ON_BEHALF_OF = "on_behalf_of"  # the field of a run's conf, and of an answer
REASON = "reason"  # the field of the form under a question
LONGEST = 200


def person(user: str | None, on_behalf_of: object) -> str | None:
    """Return who did something.

    Args:
        user: Airflow's user; None if nobody did it.
        on_behalf_of: the name that came along. It counts only from the login `home`.
    """
    if user == HOME and isinstance(on_behalf_of, str) and on_behalf_of.strip():
        return " ".join(on_behalf_of.split())[:LONGEST]
    return user


def needed(text: str | None, what: str) -> str:
    """Return a text without the spaces around it.

    Raises:
        ConfigurationError: there is none.
    """
    if not (stripped := (text or "").strip()):
        raise ConfigurationError(f"{what} is missing")
    return stripped
