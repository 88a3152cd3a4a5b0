"""`python -m stack.servers.kafka_setup`: set the passwords and rights of the roles of a Kafka broker.

It runs at each start, and logs in on the inner listener, so a changed password of any role, the super user's too, can
be set.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    NewTopic,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from stack.servers.kafka_roles import INNER_USER, ROLES, client_settings, rights
from stack.servers.kafka_specs import datasets, topics

ITERATIONS = 8192  # of SCRAM
PARTITIONS = 2  # of a topic that is created here
START_SECONDS = 90  # in which the broker must answer
SECONDS = 30  # for one request


def main(environment: Mapping[str, str]) -> None:
    """Set up the broker that the environment names.

    Raises:
        KafkaException: it does not answer, or refuses.
    """
    inner = client_settings(environment["KAFKA_INNER"], INNER_USER, environment["KAFKA_INNER_PASSWORD"], "PLAIN")
    admin = AdminClient(inner | {"log_level": 0})
    admin.list_topics(timeout=START_SECONDS)
    set_passwords(admin, {role: environment[variable] for role, variable in ROLES.items()})
    folder = Path(environment["DATASETS_DIR"])
    set_rights(admin, datasets(folder))
    create_topics(admin, topics(folder))


def set_passwords(admin: AdminClient, passwords: Mapping[str, str]) -> None:
    """Give users their passwords; one that does not exist yet is created."""
    info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, ITERATIONS)
    changes: list[Any] = [
        UserScramCredentialUpsertion(role, info, password.encode()) for role, password in passwords.items()
    ]
    _wait(admin.alter_user_scram_credentials(changes))


def set_rights(admin: AdminClient, names: list[str]) -> None:
    """Give each role exactly its rights; those of other users stay as they are.

    Args:
        admin: logged in as the super user.
        names: of the data sets whose topics the role `stream` may write.
    """
    wanted, present = set(_bindings(names)), _present(admin)
    if missing := list(wanted - present):
        _wait(admin.create_acls(missing))
    if surplus := list(present - wanted):
        _wait(admin.delete_acls([_filter_of(binding) for binding in surplus]))


def create_topics(admin: AdminClient, names: list[str]) -> None:
    """Create the topics that are missing; those that exist stay as they are."""
    existing = admin.list_topics(timeout=SECONDS).topics
    if missing := [NewTopic(name, PARTITIONS, 1) for name in names if name not in existing]:
        _wait(admin.create_topics(missing))


def has_topics(admin: AdminClient, names: list[str]) -> bool:
    """Return whether these topics exist."""
    return set(names) <= set(admin.list_topics(timeout=SECONDS).topics)


def has_rights(admin: AdminClient, names: list[str]) -> bool:
    """Return whether each role has exactly its rights."""
    return set(_bindings(names)) == _present(admin)


def _bindings(names: list[str]) -> Iterator[AclBinding]:
    for role, its_rights in rights(names).items():
        for right in its_rights:
            yield AclBinding(
                ResourceType[right.resource],
                right.name,
                ResourcePatternType.PREFIXED if right.prefix else ResourcePatternType.LITERAL,
                f"User:{role}",
                "*",
                AclOperation[right.operation],
                AclPermissionType.ALLOW if right.allowed else AclPermissionType.DENY,
            )


def _present(admin: AdminClient) -> set[AclBinding]:
    """Return the rights that our roles have in the broker."""
    some: Any = None
    every = AclBindingFilter(
        ResourceType.ANY, some, ResourcePatternType.ANY, some, some, AclOperation.ANY, AclPermissionType.ANY
    )
    ours = {f"User:{role}" for role in ROLES}
    return {binding for binding in admin.describe_acls(every).result(SECONDS) if binding.principal in ours}


def _filter_of(binding: AclBinding) -> AclBindingFilter:
    return AclBindingFilter(
        binding.restype,
        binding.name,
        binding.resource_pattern_type,
        binding.principal,
        binding.host,
        binding.operation,
        binding.permission_type,
    )


def _wait(futures: Mapping[Any, Any]) -> None:
    for future in futures.values():
        future.result(SECONDS)


if __name__ == "__main__":
    try:
        main(os.environ)
    except KafkaException as error:
        sys.exit(f"Kafka does not answer, or refuses: {error}. Its own log is kafka.log, beside this one.")
