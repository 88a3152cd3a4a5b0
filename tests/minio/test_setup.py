"""`minio/setup.sh`: it may run at any time, and leaves exactly what `minio/` describes."""

import json
import os
import subprocess

import pytest

from stack.access import FOLDER, buckets
from stack.servers import objects
from tests.conftest import s3_server

USERS = {
    "MC_HOST_store": "http://s3-admin:secret-of-root@127.0.0.1:9",
    **{"S3_ACCESS_KEY": "platform", "S3_SECRET_KEY": "secret-of-platform"},
    **{"MLFLOW_S3_ACCESS_KEY": "mlflow", "MLFLOW_S3_SECRET_KEY": "secret-of-mlflow"},
    **{"LOGS_S3_ACCESS_KEY": "logs", "LOGS_S3_SECRET_KEY": "secret-of-logs"},
    **{"FILES_S3_ACCESS_KEY": "files", "FILES_S3_SECRET_KEY": "secret-of-files"},
    **{"CONSOLE_USER": "admin", "CONSOLE_PASSWORD": "secret-of-admin"},
}
ON_MINIO = [
    pytest.mark.servers,
    pytest.mark.prove,
    pytest.mark.skipif(s3_server() != "minio", reason="it sets up MinIO; S3_SERVER=minio runs this"),
]


def run(environment):
    command = ["sh", str(FOLDER / "setup.sh")]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"CONSOLE_USER": "s3-admin"}, 'S3_ADMIN_ACCESS_KEY and CONSOLE_USER are both "s3-admin"'),
        ({"CONSOLE_USER": "platform"}, 'S3_ACCESS_KEY and CONSOLE_USER are both "platform"'),
        ({"MLFLOW_S3_ACCESS_KEY": "platform"}, 'S3_ACCESS_KEY and MLFLOW_S3_ACCESS_KEY are both "platform"'),
        ({"LOGS_S3_ACCESS_KEY": "mlflow"}, 'MLFLOW_S3_ACCESS_KEY and LOGS_S3_ACCESS_KEY are both "mlflow"'),
    ],
)
def test_two_identities_with_one_name_are_refused(given, named):
    done = run({"PATH": os.environ["PATH"]} | USERS | given)
    assert done.returncode == 1
    assert done.stderr == f"minio/setup.sh: {named}; each needs a name of its own\n"


@pytest.mark.parametrize("missing", sorted(USERS))
def test_a_variable_that_is_missing_is_named(missing):
    done = run({"PATH": os.environ["PATH"]} | {key: value for key, value in USERS.items() if key != missing})
    assert done.returncode
    assert missing in done.stderr


@pytest.fixture
def setup(servers):
    """Return a function that runs the script against the running server, with other variables where they are given."""
    environment = objects.server(servers).setup.environment

    def again(**given):
        done = run({**environment, **given})
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    yield again
    again()


@pytest.fixture
def mc(servers, tmp_path):
    """Return a function that asks the running server, as its root user."""
    environment = {**objects.server(servers).setup.environment, "MC_CONFIG_DIR": str(tmp_path)}

    def asked(*words):
        done = subprocess.run(["mc", "--json", *words], env=environment, capture_output=True, text=True, check=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    return asked


class TestOnMinIO:
    pytestmark = ON_MINIO

    def test_run_again_it_says_and_leaves_the_same(self, setup, mc):
        assert setup() == setup()
        assert {user["accessKey"]: user["policyName"] for user in mc("admin", "user", "list", "store")} == {
            "platform": "platform",
            "mlflow": "mlflow",
            "logs": "logs",
            "admin": "console",
        }
        assert {entry["key"].rstrip("/") for entry in mc("ls", "store")} == set(buckets())

    def test_a_user_keeps_no_other_policy_and_is_enabled(self, setup, mc):
        mc("admin", "policy", "attach", "store", "readwrite", "diagnostics", "--user", "mlflow")
        mc("admin", "policy", "detach", "store", "console", "--user", "admin")
        mc("admin", "user", "disable", "store", "platform")
        setup()
        policies = {user["accessKey"]: user["policyName"] for user in mc("admin", "user", "list", "store")}
        assert policies == {"platform": "platform", "mlflow": "mlflow", "logs": "logs", "admin": "console"}
        assert {user["userStatus"] for user in mc("admin", "user", "list", "store")} == {"enabled"}

    def test_a_renamed_user_is_removed_and_no_other_one(self, setup, mc):
        mc("admin", "user", "add", "store", "a-person", "secret-of-a-person")
        mc("admin", "policy", "attach", "store", "console", "--user", "a-person")
        said = setup(CONSOLE_USER="boss")
        assert "user admin: removed, because it has another name now" in said.splitlines()
        users = {user["accessKey"]: user["policyName"] for user in mc("admin", "user", "list", "store")}
        ours = {"platform": "platform", "mlflow": "mlflow", "logs": "logs", "boss": "console"}
        assert users == ours | {"a-person": "console"}
        mc("admin", "user", "remove", "store", "a-person")
        setup()
        assert "boss" not in {user["accessKey"] for user in mc("admin", "user", "list", "store")}

    def test_a_policy_is_as_its_file_says(self, setup, mc, tmp_path):
        file = tmp_path / "other.json"
        file.write_text((FOLDER / "policies" / "mlflow.json").read_text().replace("mlflow", "result"))
        mc("admin", "policy", "create", "store", "mlflow", str(file))
        setup()
        (answer,) = mc("admin", "policy", "info", "store", "mlflow")
        written = json.loads((FOLDER / "policies" / "mlflow.json").read_text())["Statement"][0]
        assert answer["policyInfo"]["Policy"]["Statement"][0]["Resource"] == written["Resource"]

    def test_a_new_secret_replaces_the_old_one(self, setup, mc, servers, monkeypatch):
        setup(MLFLOW_S3_SECRET_KEY="another-secret")
        address = f"127.0.0.1:{servers.s3_port}"
        old, new = servers.mlflow_s3_secret_key.get_secret_value(), "another-secret"
        for secret, refused in ((old, True), (new, False)):
            command = ["mc", "--json", "ls", "as_mlflow"]
            environment = {"PATH": os.environ["PATH"], "MC_HOST_as_mlflow": f"http://mlflow:{secret}@{address}"}
            done = subprocess.run(command, env=environment, capture_output=True, check=False)
            assert bool(done.returncode) == refused

    def test_nobody_gives_rights_or_keys_away(self, servers, tmp_path):
        address, secret = f"127.0.0.1:{servers.s3_port}", servers.console_password.get_secret_value()
        environment = {
            "PATH": os.environ["PATH"],
            "MC_CONFIG_DIR": str(tmp_path),
            "MC_HOST_own": f"http://{servers.console_user}:{secret}@{address}",
        }
        for words in (
            ["admin", "user", "add", "own", servers.console_user, "chosen-by-me"],
            ["admin", "user", "add", "own", "friend", "chosen-by-me"],
            ["admin", "accesskey", "create", "own"],
            ["admin", "policy", "attach", "own", "readwrite", "--user", servers.console_user],
            ["anonymous", "set", "download", "own/train"],
            ["mb", "own/stray"],
            ["rb", "--force", "own/reports"],
        ):
            done = subprocess.run(["mc", *words], env=environment, capture_output=True, text=True, check=False)
            assert "Access Denied" in done.stderr, words
