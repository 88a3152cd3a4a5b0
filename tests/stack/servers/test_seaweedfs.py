"""SeaweedFS: rights in its own verbs, and the files that close its inner listeners."""

import json
import os
import stat
import subprocess
import sys
import tomllib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from stack import access, secrets
from stack.config import ROOT
from stack.errors import ConfigError
from stack.servers import seaweedfs
from stack.servers.seaweedfs import Keys, write_settings

GET = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::in/*"]}
LOCATE = {"Effect": "Allow", "Action": ["s3:GetBucketLocation"], "Resource": ["arn:aws:s3:::in"]}


@pytest.fixture
def home(config, tmp_path):
    """The folder of SeaweedFS, with its settings."""
    write_settings(Keys.model_validate(dict(config)), tmp_path / "home")
    return tmp_path / "home"


def test_a_policy_is_translated_to_verbs(policy):
    assert seaweedfs.actions_of("mlflow") == ["Read:mlflow", "List:mlflow", "Write:mlflow/*", "Tagging:mlflow/*"]
    platform = seaweedfs.actions_of("platform")
    assert len([action for action in platform if "mlflow" not in action]) == 4 * len(access.buckets_of("platform")[1:])
    assert [action for action in platform if "mlflow" in action] == [
        "List:mlflow",
        *(f"{verb}:mlflow/training_sets/*" for verb in ("Read", "List", "Write", "Tagging")),
    ]
    assert seaweedfs.actions_of("some", policy(GET, LOCATE)) == ["Read:in"]


def test_a_verb_that_allows_more_than_the_policy_is_refused(policy):
    put = GET | {"Action": ["s3:PutObject", "s3:AbortMultipartUpload", "s3:DeleteObjectVersion"]}
    with pytest.raises(ConfigError, match=r"some\.json: in the scope in, .* all or none .* lacks s3:DeleteObject\.$"):
        seaweedfs.actions_of("some", policy(put))


def test_each_identity_has_its_own_key_and_rights(home, config):
    identities = {i["name"]: i for i in json.loads((home / "identities.json").read_text())["identities"]}
    assert set(identities) == {"admin", "platform", "mlflow", "logs", "files"}
    assert identities["mlflow"]["actions"] == ["Read:mlflow", "List:mlflow", "Write:mlflow/*", "Tagging:mlflow/*"]
    assert identities["logs"]["actions"] == ["Read:logs", "List:logs", "Write:logs/*", "Tagging:logs/*"]
    inboxes = [
        f"{verb}:{bucket}{end}"
        for bucket in ("train", "test", "label")
        for verb, end in (("List", ""), ("Write", "/*"))
    ]
    assert sorted(identities["files"]["actions"]) == sorted([*inboxes, "Read:result", "List:result"])
    assert "Admin" not in identities["platform"]["actions"]
    keys = [credential["secretKey"] for i in identities.values() for credential in i["credentials"]]
    secret_keys = (
        config.s3_secret_key, config.mlflow_s3_secret_key, config.logs_s3_secret_key, config.files_s3_secret_key
    )  # fmt: skip
    assert keys[1:] == [key.get_secret_value() for key in secret_keys]
    assert len(set(keys)) == 5


def test_every_inner_listener_requires_a_key(home):
    settings = tomllib.loads((home / "security.toml").read_text())
    for part in ("master", "volume", "filer", "s3", "admin"):
        assert settings["grpc"][part] == {"cert": str(home / "inner.crt"), "key": str(home / "inner.key")}
    assert settings["grpc"]["ca"] == str(home / "inner.crt")
    keys = [
        settings["jwt"]["signing"]["key"], settings["jwt"]["signing"]["read"]["key"],
        settings["jwt"]["filer_signing"]["key"], settings["jwt"]["filer_signing"]["read"]["key"],
        settings["s3"]["sse"]["key"],
    ]  # fmt: skip
    assert len(set(keys)) == len(keys)
    assert {len(bytes.fromhex(key)) for key in keys} == {32}


def test_only_the_owner_reads_the_files(home):
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in home.iterdir() if path.is_file()} == {0o600}


def test_the_certificate_fits_its_key_and_is_kept(home, config):
    certificate = x509.load_pem_x509_certificate((home / "inner.crt").read_bytes())
    key = load_pem_private_key((home / "inner.key").read_bytes(), None)
    assert certificate.public_key() == key.public_key()
    certificate.verify_directly_issued_by(certificate)
    before = (home / "inner.crt").read_bytes()
    write_settings(Keys.model_validate(dict(config)), home)
    assert (home / "inner.crt").read_bytes() == before


def test_another_signing_key_gives_other_inner_keys(home, config):
    before = (home / "security.toml").read_text()
    write_settings(Keys.model_validate(dict(config) | {"objects_signing_key": "another"}), home)
    assert (home / "security.toml").read_text() != before


def test_nothing_listens_beyond_this_machine_or_without_signatures(config):
    command = seaweedfs.server(config).command
    assert {"-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-disableHttp=true", "-webdav=false"} <= set(command)
    assert f"-bucket={','.join(access.buckets())}" in command


def test_every_port_of_the_command_is_declared(config):
    server = seaweedfs.server(config)
    given = {int(word.partition("=")[2]) for word in server.command if ".port" in word.partition("=")[0]} - {0}
    assert given <= set(server.ports.values())
    assert server.ports["CONSOLE_PORT + 10000"] == config.console_port + 10_000


def test_the_module_writes_the_settings_of_a_container_from_its_environment(config, tmp_path):
    values = secrets.read(config.env_file)
    environment = {**os.environ, **{name: values[name] for name in (field.upper() for field in Keys.model_fields)}}
    command = [sys.executable, "-m", "stack.servers.seaweedfs", str(tmp_path / "home")]
    subprocess.run(command, env=environment, cwd=ROOT, check=True)
    identities = json.loads((tmp_path / "home" / "identities.json").read_text())["identities"]
    assert [identity["name"] for identity in identities] == ["admin", "platform", "mlflow", "logs", "files"]
