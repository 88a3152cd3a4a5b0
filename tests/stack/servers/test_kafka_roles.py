"""The roles of Kafka: each has its own password in `.env`, and no more rights than it needs."""

from stack import secrets
from stack.servers.kafka_roles import NO_INTERNAL_TOPIC, READER_GROUP, ROLES, SUPER_USER, client_settings, rights


def allowed(role, *datasets):
    return {(right.resource, right.name, right.operation) for right in rights(list(datasets))[role] if right.allowed}


def test_each_role_has_a_password_of_its_own():
    example = secrets.read(secrets.EXAMPLE)
    assert len(set(ROLES.values())) == len(ROLES)
    assert set(ROLES.values()) <= set(example)


def test_only_the_super_user_reaches_the_topics_of_kafka_itself():
    assert set(rights([])) == set(ROLES) - {SUPER_USER}
    assert all(NO_INTERNAL_TOPIC in its_rights for its_rights in rights([]).values())
    assert not NO_INTERNAL_TOPIC.allowed


def test_the_tasks_read_and_the_producers_write():
    assert {operation for _, _, operation in allowed("pipelines")} == {"DESCRIBE", "READ", "DESCRIBE_CONFIGS"}
    assert ("GROUP", READER_GROUP, "DESCRIBE") in allowed("pipelines")
    assert {operation for _, _, operation in allowed("producer")} == {"DESCRIBE", "WRITE"}


def test_the_stream_writes_the_topics_of_its_data_sets_only():
    written = {
        (name, operation)
        for resource, name, operation in allowed("stream", "orders") - allowed("stream")
        if resource == "TOPIC"
    }
    names = ("orders.predictions", "orders.rejected")
    assert written == {(name, operation) for name in names for operation in ("CREATE", "WRITE")}
    assert {operation for resource, _, operation in allowed("stream") if resource == "TOPIC"} == {"DESCRIBE", "READ"}


def test_a_client_logs_in_by_scram():
    settings = client_settings("127.0.0.1:9092", "producer", "hush")
    assert settings["sasl.mechanism"] == "SCRAM-SHA-512"
    assert (settings["sasl.username"], settings["sasl.password"]) == ("producer", "hush")
