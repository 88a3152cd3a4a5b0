"""The roles of the Kafka broker, and what each may do."""

from typing import Any, NamedTuple

SUPER_USER = "kafka-admin"
ROLES = {  # and the variable of `.env` that has the password
    SUPER_USER: "KAFKA_ADMIN_PASSWORD",
    "pipelines": "KAFKA_PIPELINES_PASSWORD",
    "stream": "KAFKA_STREAM_PASSWORD",
    "producer": "KAFKA_PRODUCER_PASSWORD",
}
INNER_USER = "inner"  # the broker itself, on listeners of its own
READER_GROUP = "pipelines"  # a reader by offsets needs the name of a group, too; it cannot store offsets in it
OUTPUTS = ("predictions", "rejected")  # topics of a data set, written by the role `stream`


class Right(NamedTuple):
    """A right of a role on resources: of one name, of all names that begin with it, or of all names (`*`)."""

    resource: str
    name: str
    operation: str
    prefix: bool = False
    allowed: bool = True


NO_INTERNAL_TOPIC = Right("TOPIC", "__", "ALL", prefix=True, allowed=False)  # a denial is stronger than a permission


def rights(datasets: list[str]) -> dict[str, list[Right]]:
    """Return the rights of each role; the super user needs none.

    Args:
        datasets: those whose predictions the role `stream` may write. A right can name the beginning of a topic's name,
            but not its end; so there is one for each topic.
    """
    read = [Right("TOPIC", "*", operation) for operation in ("DESCRIBE", "READ")]
    outputs = [f"{dataset}.{output}" for dataset in datasets for output in OUTPUTS]
    return {
        "pipelines": [
            NO_INTERNAL_TOPIC,
            *read,
            Right("TOPIC", "*", "DESCRIBE_CONFIGS"),
            Right("GROUP", READER_GROUP, "DESCRIBE"),
        ],
        "stream": [
            NO_INTERNAL_TOPIC,
            *read,
            *(Right("TOPIC", name, operation) for name in outputs for operation in ("CREATE", "WRITE")),
            Right("GROUP", "stream-", "READ", prefix=True),
            Right("TRANSACTIONAL_ID", "stream-", "WRITE", prefix=True),
        ],
        "producer": [NO_INTERNAL_TOPIC, *(Right("TOPIC", "*", operation) for operation in ("DESCRIBE", "WRITE"))],
    }


def client_settings(servers: str, user: str, password: str, mechanism: str = "SCRAM-SHA-512") -> dict[str, Any]:
    """Return the settings with which a client of librdkafka logs in."""
    return {
        "bootstrap.servers": servers,
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": mechanism,
        "sasl.username": user,
        "sasl.password": password,
    }
