"""The setup of a Kafka broker: exactly the rights of our roles, and no change to others'."""

from concurrent.futures import Future

import pytest
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
)

from stack.servers import kafka_setup
from stack.servers.kafka_roles import ROLES


def binding(user, operation=AclOperation.WRITE):
    """Return a right on the topic `rows`."""
    return AclBinding(
        ResourceType.TOPIC, "rows", ResourcePatternType.LITERAL, f"User:{user}", "*", operation, AclPermissionType.ALLOW
    )


def done(value=None):
    future = Future()
    future.set_result(value)
    return future


class Admin:
    """A broker's rights and users, in memory."""

    def __init__(self, *bindings):
        self.bindings, self.passwords, self.changes = set(bindings), {}, 0
        self.topics = {"rows": None}

    def list_topics(self, timeout):
        return self

    def create_topics(self, topics):
        self.topics |= {topic.topic: topic for topic in topics}
        return {topic.topic: done() for topic in topics}

    def describe_acls(self, _):
        return done(list(self.bindings))

    def create_acls(self, bindings):
        self.bindings |= set(bindings)
        self.changes += 1
        return {one: done() for one in bindings}

    def delete_acls(self, filters):
        named = {(one.name, one.principal, one.operation) for one in filters}
        self.bindings = {one for one in self.bindings if (one.name, one.principal, one.operation) not in named}
        self.changes += 1
        return {one: done() for one in filters}

    def alter_user_scram_credentials(self, changes):
        self.passwords |= {change.user: change.password for change in changes}
        return {change.user: done() for change in changes}


def test_rights_are_set_once():
    admin = Admin()
    assert not kafka_setup.has_rights(admin, ["orders"])
    kafka_setup.set_rights(admin, ["orders"])
    kafka_setup.set_rights(admin, ["orders"])
    assert kafka_setup.has_rights(admin, ["orders"])
    assert admin.changes == 1


def test_topics_that_are_missing_are_created_and_others_stay():
    admin = Admin()
    assert not kafka_setup.has_topics(admin, ["rows", "claims"])
    kafka_setup.create_topics(admin, ["rows", "claims"])
    assert kafka_setup.has_topics(admin, ["rows", "claims"])
    assert admin.topics["rows"] is None
    assert admin.topics["claims"].num_partitions == kafka_setup.PARTITIONS


def test_rights_of_a_data_set_that_was_removed_are_taken_back():
    admin = Admin()
    kafka_setup.set_rights(admin, ["orders", "visits"])
    kafka_setup.set_rights(admin, ["visits"])
    assert kafka_setup.has_rights(admin, ["visits"])


def test_rights_of_other_users_stay():
    admin = Admin(binding("someone"), binding("pipelines"))
    kafka_setup.set_rights(admin, [])
    assert binding("someone") in admin.bindings
    assert binding("pipelines") not in admin.bindings


def test_a_refusal_is_an_error():
    class Refusing(Admin):
        def create_acls(self, bindings):
            future = Future()
            future.set_exception(PermissionError("refused"))
            return {bindings[0]: future}

    with pytest.raises(PermissionError, match="refused"):
        kafka_setup.set_rights(Refusing(), [])


def test_the_step_logs_in_on_the_inner_listener_and_sets_every_password(monkeypatch, tmp_path):
    clients, admin = [], Admin()
    (tmp_path / "orders.yaml").write_text("name: orders\nsource: {kind: kafka}\n")
    monkeypatch.setattr(kafka_setup, "AdminClient", lambda settings: clients.append(settings) or admin)
    passwords = {variable: f"secret of {role}" for role, variable in ROLES.items()}
    inner = {"KAFKA_INNER": "127.0.0.1:19310", "KAFKA_INNER_PASSWORD": "hush", "DATASETS_DIR": str(tmp_path)}
    kafka_setup.main(passwords | inner)
    (settings,) = clients
    assert (settings["bootstrap.servers"], settings["sasl.mechanism"]) == ("127.0.0.1:19310", "PLAIN")
    assert admin.passwords == {role: f"secret of {role}".encode() for role in ROLES}
    assert kafka_setup.has_rights(admin, ["orders"])
