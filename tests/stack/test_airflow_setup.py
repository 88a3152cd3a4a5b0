"""The two logins of Airflow: created once, then given the passwords of `.env`."""

from contextlib import contextmanager
from types import SimpleNamespace

import pytest

pytestmark = pytest.mark.slow  # the import of Airflow's user management takes seconds


class Security:
    """Airflow's users in memory, with the calls that the set-up uses."""

    def __init__(self):
        self.users, self.roles, self.read_only = {}, {}, False

    def find_user(self, username):
        return self.users.get(username)

    def find_role(self, name):
        return self.roles.get(name) or SimpleNamespace(name=name)

    def bulk_sync_roles(self, roles):
        for given in roles:
            role = self.roles.setdefault(given["role"], SimpleNamespace(name=given["role"], permissions=[]))
            there = rights(role)
            role.permissions += [right(*one) for one in given["perms"] if one not in there]

    def remove_permission_from_role(self, role, permission):
        role.permissions.remove(permission)

    def add_user(self, username, first_name, last_name, email, role, password):
        self.users[username] = SimpleNamespace(
            id=username, username=username, first_name=first_name, last_name=last_name,
            email=email, role=role.name, password=password, active=True,
        )  # fmt: skip

    def get_all_users(self):
        return list(self.users.values())

    def update_user(self, user):
        return not self.read_only

    def reset_password(self, user_id, password):
        self.users[user_id].password = password


def right(action, resource):
    return SimpleNamespace(action=SimpleNamespace(name=action), resource=SimpleNamespace(name=resource))


def rights(role):
    return {(one.action.name, one.resource.name) for one in role.permissions}


@pytest.fixture
def set_up(monkeypatch):
    from stack import airflow_setup

    security = Security()

    @contextmanager
    def builder():
        yield SimpleNamespace(sm=security)

    monkeypatch.setattr(airflow_setup, "get_application_builder", builder)
    return airflow_setup, security


def test_a_new_platform_gets_an_administrator(set_up):
    module, security = set_up
    module.set_login("admin", "first")
    user = security.users["admin"]
    assert (user.role, user.password, user.email) == ("Admin", "first", "admin@localhost")


def test_a_changed_password_replaces_the_old_one(set_up):
    module, security = set_up
    module.set_login("admin", "first")
    module.set_login("admin", "second")
    assert list(security.users) == ["admin"]
    assert security.users["admin"].password == "second"


def test_a_renamed_login_replaces_the_old_one_and_no_other_user(set_up):
    module, security = set_up
    module.set_login("admin", "first")
    for first, email in (("Ada", "ada@localhost"), ("Platform", "platform@example.org")):
        name = email.partition("@")[0]
        security.add_user(name, first, "Administrator", email, SimpleNamespace(name="Admin"), "her own")
    module.set_login("boss", "second")
    active = {name: user.active for name, user in security.users.items()}
    assert active == {"admin": False, "boss": True, "ada": True, "platform": True}
    module.set_login("admin", "third")
    assert (security.users["admin"].active, security.users["boss"].active) == (True, False)


def test_a_login_that_cannot_be_deactivated_fails_the_step(set_up):
    module, security = set_up
    module.set_login("admin", "first")
    security.read_only = True
    with pytest.raises(SystemExit, match="user admin could not be deactivated"):
        module.set_login("boss", "second")


def test_the_home_page_has_a_login_with_few_rights(set_up):
    module, security = set_up
    module.set_home_login("first")
    user = security.users["home"]
    assert (user.role, user.password, user.active) == ("home", "first", True)
    assert rights(security.roles["home"]) == module.HOME_RIGHTS
    may = {action for action, _ in module.HOME_RIGHTS}
    assert may == {"can_read", "can_edit", "can_create"}
    assert {name for action, name in module.HOME_RIGHTS if action == "can_create"} == {"DAG Runs"}


def test_rights_that_somebody_added_to_the_login_of_the_home_page_are_removed(set_up):
    module, security = set_up
    module.set_home_login("first")
    security.roles["home"].permissions.append(right("can_edit", "Connections"))
    user = security.users["home"]
    user.active, user.roles = False, ["Admin"]
    module.set_home_login("second")
    assert rights(security.roles["home"]) == module.HOME_RIGHTS
    assert (user.password, user.active, user.roles) == ("second", True, [security.roles["home"]])
    security.read_only = True
    with pytest.raises(SystemExit, match="user home could not be given its role"):
        module.set_home_login("third")


def test_a_renamed_administrator_leaves_the_home_page_its_login(set_up):
    module, security = set_up
    module.set_login("admin", "first")
    module.set_home_login("first")
    module.set_login("boss", "second")
    assert {name: user.active for name, user in security.users.items()} == {"admin": False, "home": True, "boss": True}
    with pytest.raises(SystemExit, match="AIRFLOW_ADMIN_USER may not be home"):
        module.set_login("home", "third")


def test_the_rights_of_the_home_page_are_words_of_airflow(set_up):
    from airflow.providers.fab.www.security import permissions

    module, _ = set_up
    assert {word for one in module.HOME_RIGHTS for word in one} <= set(map(str, vars(permissions).values()))


def test_the_home_page_is_trusted_under_the_name_of_its_login(set_up):
    from ml_platform.records import persons

    assert set_up[0].HOME == persons.HOME


def test_the_database_is_migrated_before_the_login_is_set(set_up, monkeypatch):
    module, security = set_up
    monkeypatch.setenv("ADMIN_USER", "admin")
    monkeypatch.setenv("ADMIN_PASSWORD", "from the environment")
    monkeypatch.setenv("HOME_AIRFLOW_PASSWORD", "of the page")
    done = []
    monkeypatch.setattr(module.db, "upgradedb", lambda: (done.append("migrated"), security.users.clear()))
    monkeypatch.setattr(module, "grant_reading", lambda: done.append("granted"))
    module.main()
    assert done == ["migrated", "granted"]
    assert security.users["admin"].password == "from the environment"
    assert security.users["home"].password == "of the page"


@pytest.mark.parametrize("role", ["alerts", "metrics"])
def test_the_columns_that_a_role_reads_are_those_of_airflow(role):
    from airflow.jobs.job import Job
    from airflow.models import DagModel, DagRun, TaskInstance
    from airflow.models.hitl import HITLDetail

    from stack import airflow_setup

    models = (DagModel, DagRun, TaskInstance, HITLDetail, Job)
    tables = {model.__tablename__: set(model.__table__.c.keys()) for model in models}
    read = getattr(airflow_setup, f"READ_BY_{role.upper()}")
    assert read
    for table, columns in read.items():
        assert tables[table] >= set(columns)
