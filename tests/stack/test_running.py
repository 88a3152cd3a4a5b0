"""The whole stack, running: healthy, on this machine only, and closed to whoever does not log in."""

import http.client
import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from base64 import b64encode
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import uuid4

import boto3
import httpx
import psutil
import pytest
from botocore.config import Config as Options
from botocore.exceptions import ClientError
from pydantic import SecretStr

from ml_platform.commands.doctor import examine
from ml_platform.doctor.table import CHECKS
from stack import airflow_cleanup, healthcheck, watchdog
from stack import config as settings
from stack.access import buckets
from stack.runners import embedded
from stack.runners.supervisor import Supervisor
from stack.servers.inventory import all_nodes
from stack.servers.node import servers_of
from tests.conftest import s3_server
from tests.end_to_end.conftest import eventually

pytestmark = pytest.mark.servers
ON_THIS_MACHINE = pytest.mark.skipif(
    os.environ.get("TARGET") == "compose", reason="is about this machine's processes; tests/compose looks at containers"
)
MINIO_ONLY = pytest.mark.skipif(
    s3_server() != "minio", reason="SeaweedFS's console has one user of its own, who is its administrator"
)
SEAWEEDFS_ONLY = pytest.mark.skipif(
    s3_server() != "seaweedfs", reason="MinIO has no listeners but S3 and its console; the test above sees that"
)

HARMLESS = ("", "ui/index.html", "status")  # versions and free space: no names, no data
GUESSES = [
    "admin",
    "password",
    "airflow",
    "minioadmin",
    "minio",
    "postgres",
    "123456",
    "changeme",
    "platform",
    "seaweedfs",
]
CONSOLE_PAGES = {  # each shows the names of buckets or of what is in them
    "seaweedfs": ("files?path=/buckets/train", "object-store/buckets", "api/s3/buckets", "admin"),
    "minio": ("api/v1/buckets", "api/v1/buckets/train/objects", "api/v1/session"),
}
CONSOLE_FILES = {  # where its pages fetch and send a file
    "seaweedfs": ("api/files/download?path=/buckets/train/canary.txt", "api/files/upload"),
    "minio": tuple(
        f"api/v1/buckets/train/objects/{do}?prefix={key}.txt"
        for do, key in (("download", "canary"), ("upload", "stray"))
    ),
}


def listeners(config):
    ours = {process.pid for process in Supervisor(config).processes()}
    found = [c for c in psutil.net_connections("inet") if c.status == psutil.CONN_LISTEN and c.pid in ours]
    return {(c.laddr.ip, c.laddr.port) for c in found}


def answer(url, data=None, headers=None):
    """Return status and body; status 0 where the server speaks no HTTP."""
    request = urllib.request.Request(url, data=data, headers=headers or {})  # noqa: S310 – http only
    try:
        with urllib.request.build_opener(NoRedirect).open(request, timeout=30) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()
    except (OSError, http.client.HTTPException):
        return 0, b""


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args):
        return None


def s3(config, access_key, secret_key):
    options = Options(retries={"max_attempts": 0}, s3={"addressing_style": "path"})
    return boto3.client(
        "s3", endpoint_url=config.s3_url, region_name="us-east-1", config=options,
        aws_access_key_id=access_key, aws_secret_access_key=secret_key.get_secret_value(),
    )  # fmt: skip


def refused(call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    return False


@ON_THIS_MACHINE
def test_every_server_is_healthy(stack):
    servers = servers_of(all_nodes(stack))
    assert embedded.look(servers, Supervisor(stack).states()) == dict.fromkeys(s.name for s in servers)


@ON_THIS_MACHINE
def test_status_says_so(stack):
    command = [sys.executable, "-m", "stack", "--env-file", str(stack.env_file), "status"]
    assert subprocess.run(command, cwd=settings.ROOT, capture_output=True, check=False).returncode == 0


@ON_THIS_MACHINE
def test_the_doctor_finds_nothing(stack):
    diagnosis = examine(stack)
    assert (diagnosis.findings, diagnosis.skipped) == ((), {})
    assert len(diagnosis.passed) == len(CHECKS) + 1


@ON_THIS_MACHINE
@pytest.mark.prove
def test_airflow_counts_old_records_also_with_exceptions(stack, monkeypatch):
    for name, value in all_nodes(stack)["airflow-scheduler"].environment.items():
        monkeypatch.setenv(name, value)
    counts = airflow_cleanup.clean(datetime.now(UTC), dry_run=True)  # the runs that wait now are exceptions
    assert counts["log"] > 0


@ON_THIS_MACHINE
def test_only_this_machine_is_listened_to_and_only_on_ports_of_the_contract(stack):
    known = {port for server in servers_of(all_nodes(stack)) for port in server.ports.values()}
    found = listeners(stack)
    also = {("::1", stack.s3_port)} if stack.s3_server == "minio" else set()  # MinIO takes every loopback address
    assert {ip for ip, _ in found - also} == {"127.0.0.1"}
    assert {port for _, port in found} == known


def test_airflow_wants_a_login(stack):
    for path in ("dags", "connections", "variables", "config", "dags/ingest_auto/dagRuns"):
        assert answer(f"{stack.airflow_url}/api/v2/{path}")[0] == 401
    assert answer(f"{stack.airflow_url}/execution/connections/s3")[0] in (401, 403)


@pytest.mark.parametrize("password", GUESSES)
def test_airflow_refuses_what_people_try_first(stack, password):
    body = json.dumps({"username": stack.airflow_admin_user, "password": password}).encode()
    assert answer(f"{stack.airflow_url}/auth/token", body, {"Content-Type": "application/json"})[0] == 401


def test_airflow_lets_the_administrator_in_and_starts_all_pipelines_paused(stack):
    password = stack.airflow_admin_password.get_secret_value()
    body = json.dumps({"username": stack.airflow_admin_user, "password": password}).encode()
    status, token = answer(f"{stack.airflow_url}/auth/token", body, {"Content-Type": "application/json"})
    assert status == 201
    bearer = {"Authorization": f"Bearer {json.loads(token)['access_token']}"}
    _, problems = answer(f"{stack.airflow_url}/api/v2/importErrors", headers=bearer)
    assert json.loads(problems)["import_errors"] == []
    _, dags = answer(f"{stack.airflow_url}/api/v2/dags", headers=bearer)
    assert not [dag["dag_id"] for dag in json.loads(dags)["dags"] if "example" in dag["tags"]]


def test_s3_refuses_strangers(stack):
    for bucket in buckets():
        assert answer(f"{stack.s3_url}/{bucket}?list-type=2")[0] == 403
        assert answer(f"{stack.s3_url}/{bucket}/any.csv")[0] == 403
    assert answer(stack.s3_url)[0] == 403
    assert answer(f"{stack.s3_url}/", b"Action=CreateUser&UserName=me")[0] in (400, 403)


USED = {  # where each S3 identity writes: beginnings of keys
    "platform": ("train/", "test/", "label/", "result/", "reports/", "mlflow/training_sets/"),
    "mlflow": ("mlflow/",),
    "logs": ("logs/",),
}


def identities(config):
    """Return a client of each S3 identity that a service has."""
    return {
        "mlflow": s3(config, config.mlflow_s3_access_key, config.mlflow_s3_secret_key),
        "platform": s3(config, config.s3_access_key, config.s3_secret_key),
        "logs": s3(config, config.logs_s3_access_key, config.logs_s3_secret_key),
    }


@pytest.mark.parametrize("name", USED)
def test_each_s3_identity_reaches_only_its_buckets(stack, name):
    client = identities(stack)[name]
    for bucket in buckets():
        for key in ("rights.txt", "training_sets/rights.txt", "1/models/rights.txt", "training_sets.txt"):
            is_used = f"{bucket}/{key}".startswith(USED[name])
            calls = [
                refused(client.put_object, Bucket=bucket, Key=key, Body=b"x"),
                refused(client.get_object, Bucket=bucket, Key=key),
                refused(client.put_object_tagging, Bucket=bucket, Key=key, Tagging={"TagSet": []}),
                refused(client.delete_object, Bucket=bucket, Key=key),
            ]
            assert calls == [not is_used] * 4, (bucket, key)
        is_listed = any(used.startswith(f"{bucket}/") for used in USED[name])
        assert refused(client.list_objects_v2, Bucket=bucket) == (not is_listed), bucket


def test_the_service_drops_files_and_reads_results_and_nothing_else(stack):
    client = s3(stack, stack.files_s3_access_key, stack.files_s3_secret_key)
    for bucket in buckets():
        where = {"Bucket": bucket, "Key": "rights.txt"}
        is_inbox = bucket in ("train", "test", "label")
        assert refused(client.put_object, **where, Body=b"x") == (not is_inbox), bucket
        assert refused(client.list_objects_v2, Bucket=bucket) == (not is_inbox and bucket != "result"), bucket
        assert refused(client.get_object, **where) == (bucket != "result"), bucket
        assert refused(client.put_object_tagging, **where, Tagging={"TagSet": []}), bucket
        assert refused(client.delete_object, **where) == (not is_inbox), bucket


RULE = {"ID": "all", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}
ENCRYPTION = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
EVERYBODY = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::train/*"}
SETTINGS = {  # of a bucket; a lifecycle rule can expire all that is in it
    "put_bucket_lifecycle_configuration": {"LifecycleConfiguration": {"Rules": [RULE]}},
    "delete_bucket_lifecycle": {},
    "put_bucket_cors": {"CORSConfiguration": {"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]}},
    "delete_bucket_cors": {},
    "put_bucket_versioning": {"VersioningConfiguration": {"Status": "Suspended"}},
    "put_bucket_tagging": {"Tagging": {"TagSet": [{"Key": "a", "Value": "b"}]}},
    "put_bucket_encryption": {"ServerSideEncryptionConfiguration": ENCRYPTION},
    "put_bucket_policy": {"Policy": json.dumps({"Version": "2012-10-17", "Statement": [EVERYBODY]})},
    "delete_bucket_policy": {},
    "put_object_lock_configuration": {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}},
    "delete_bucket": {},
}
NOT_IN_MINIO = {"put_bucket_cors", "delete_bucket_cors"}  # it has one setting for the server: no user changes it


@pytest.mark.parametrize("name", USED)
def test_no_s3_identity_changes_the_settings_of_a_bucket(stack, name):
    client = identities(stack)[name]
    for bucket in buckets():
        for call, arguments in SETTINGS.items():
            if not (stack.s3_server == "minio" and call in NOT_IN_MINIO):
                assert refused(getattr(client, call), Bucket=bucket, **arguments), (bucket, call)
    assert refused(client.create_bucket, Bucket="stray")


@pytest.mark.parametrize("secret", GUESSES)
def test_s3_refuses_what_people_try_first(stack, secret):
    names = (stack.s3_admin_access_key, stack.s3_access_key, stack.mlflow_s3_access_key, stack.files_s3_access_key)
    for access_key in (*names, "minioadmin"):
        assert refused(s3(stack, access_key, SecretStr(secret)).list_buckets)


def test_the_console_wants_a_login(stack):
    console = f"http://127.0.0.1:{stack.console_port}"
    for path in CONSOLE_PAGES[stack.s3_server]:
        status, body = answer(f"{console}/{path}")
        assert status in (302, 303, 307, 401, 403), path
        assert b"train" not in body


@contextmanager
def console_as(config, user, password):
    """A client of the console that logs in as its page does, whether that succeeds or not."""
    with httpx.Client(base_url=f"http://127.0.0.1:{config.console_port}", timeout=30) as client:
        if config.s3_server == "minio":
            client.post("/api/v1/login", json={"accessKey": user, "secretKey": password})
        else:
            token = re.search(r'name="csrf_token" value="(\w+)"', client.get("/login").text)[1]
            client.post("/login", data={"username": user, "password": password, "csrf_token": token})
        yield client


@pytest.mark.parametrize("password", GUESSES)
def test_the_console_refuses_what_people_try_first(stack, password):
    for user in {stack.console_user, "minioadmin"}:
        with console_as(stack, user, password) as client:
            assert client.get(CONSOLE_PAGES[stack.s3_server][0]).status_code != 200


def test_the_console_lets_its_user_in(stack):
    with console_as(stack, stack.console_user, stack.console_password.get_secret_value()) as client:
        page = client.get(CONSOLE_PAGES[stack.s3_server][0])
    assert (page.status_code, "train" in page.text) == (200, True)


def test_nobody_fetches_or_drops_a_file_in_the_console_without_a_login(stack):
    store = s3(stack, stack.s3_access_key, stack.s3_secret_key)
    store.put_object(Bucket="train", Key="canary.txt", Body=b"canary-in-the-bucket")
    download, upload = CONSOLE_FILES[stack.s3_server]
    with console_as(stack, stack.console_user, stack.console_password.get_secret_value()) as user:
        assert user.get(download).content == b"canary-in-the-bucket"
    with httpx.Client(base_url=f"http://127.0.0.1:{stack.console_port}", timeout=30) as stranger:
        assert b"canary-in" not in stranger.get(download).content
        answered = stranger.post(upload, files={"8": ("stray.txt", b"stranger", "text/plain")})
    assert answered.status_code != 200
    assert store.list_objects_v2(Bucket="train", Prefix="stray")["KeyCount"] == 0
    store.delete_object(Bucket="train", Key="canary.txt")


@MINIO_ONLY
def test_whoever_uses_the_console_administers_nothing(stack):
    console = s3(stack, stack.console_user, stack.console_password)
    for bucket in buckets():
        assert not refused(console.list_objects_v2, Bucket=bucket)
        assert refused(console.delete_bucket, Bucket=bucket)
        assert refused(console.put_bucket_versioning, Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    assert refused(console.create_bucket, Bucket="stray")


@ON_THIS_MACHINE
@SEAWEEDFS_ONLY
def test_the_object_stores_inner_listeners_serve_nothing_without_a_key(stack):
    client = s3(stack, stack.s3_access_key, stack.s3_secret_key)
    client.put_object(Bucket="train", Key="canary.txt", Body=b"canary-in-the-bucket")
    paths = [
        *("", "buckets/train/canary.txt", "buckets/train/", "1,01", "2,02637037d6"),
        *("dir/assign", "submit", "dir/lookup?volumeId=1", "vol/grow?count=1", "col/delete?collection=train"),
        *("ui/index.html", "status", "metrics", "debug/pprof/"),
    ]
    for port in range(stack.objects_inner_port, stack.objects_inner_port + 7):
        for path in paths:
            for data in (None, b"stranger"):
                status, body = answer(f"http://127.0.0.1:{port}/{path}", data)
                assert b"canary" not in body
                assert b'"fid"' not in body
                assert status in (0, 400, 401, 404, 405) or path in HARMLESS, (port, path, status)
    client.delete_object(Bucket="train", Key="canary.txt")


@ON_THIS_MACHINE
@SEAWEEDFS_ONLY
def test_inner_calls_need_our_certificate(stack):
    import grpc

    for offset in (1, 3, 5, 6):
        address = f"127.0.0.1:{stack.objects_inner_port + offset}"
        with grpc.insecure_channel(address) as channel, pytest.raises(grpc.FutureTimeoutError):
            grpc.channel_ready_future(channel).result(timeout=1)


def basic(user, password):
    return {"Authorization": f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"}


def logins(config):
    """Return the addresses of the pages behind the guard, each with the headers of its logins."""
    pages = {
        "mlflow": ((config.mlflow_admin_user, config.mlflow_admin_password),
                   (config.mlflow_pipelines_user, config.mlflow_pipelines_password)),
        "feast": ((config.feast_admin_user, config.feast_admin_password),),
    }  # fmt: skip
    return {
        f"http://127.0.0.1:{getattr(config, f'{name}_port')}": [
            basic(user, password.get_secret_value()) for user, password in users
        ]
        for name, users in pages.items()
    }


READS = {
    "mlflow": ("", "/static-files/index.html", "/api/2.0/mlflow/registered-models/search",
               "/ajax-api/2.0/mlflow/experiments/get?experiment_id=0", "/graphql", "/version", "/metrics",
               "/openapi.json"),
    "feast": ("", "/projects-list.json", "/api/v1/entities?project=ml_platform", "/api/v1/openapi.json", "/docs"),
}  # fmt: skip
NEW_EXPERIMENT = "/api/2.0/mlflow/experiments/create"
JSON = {"Content-Type": "application/json"}


def test_mlflow_and_feast_want_a_login(stack):
    for (page, users), paths in zip(logins(stack).items(), READS.values(), strict=True):
        assert answer(f"{page}/health")[0] == 200
        for path in paths:
            assert answer(page + path)[0] == 401, path
        for user in users:
            assert answer(page + paths[0], headers=user)[0] == 200
            assert answer(page + paths[2], headers=user)[0] == 200
        for user in (stack.mlflow_admin_user, stack.mlflow_pipelines_user):
            for password in (*GUESSES, stack.airflow_admin_password.get_secret_value()):
                assert answer(page, headers=basic(user, password))[0] == 401


def test_mlflow_and_feast_refuse_other_sites(stack):
    for page, users in logins(stack).items():
        for user in users:
            assert answer(page, headers=user | {"Host": "evil.example"})[0] == 403
            for origin in ("http://evil.example", "http://localhost:3333"):
                post = JSON | user | {"Origin": origin}
                assert answer(page + NEW_EXPERIMENT, b'{"name": "x"}', post)[0] == 403


def test_mlflow_takes_writes_from_its_own_pages(stack):
    (page, users), *_ = logins(stack).items()
    for number, user in enumerate(users):
        post = JSON | user | {"Origin": f"http://127.0.0.1:{stack.mlflow_port}"}
        body = json.dumps({"name": f"written {number} {uuid4()}"}).encode()
        status, created = answer(page + NEW_EXPERIMENT, body, post)
        assert status == 200
        delete = json.dumps({"experiment_id": json.loads(created)["experiment_id"]}).encode()
        assert answer(f"{page}/api/2.0/mlflow/experiments/delete", delete, post)[0] == 200


def test_airflow_and_adminer_refuse_other_sites(stack):
    health, adminer = f"{stack.airflow_url}/api/v2/monitor/health", f"http://127.0.0.1:{stack.adminer_port}/"
    assert answer(health)[0] == 200
    assert answer(health, headers={"Host": "evil.example"})[0] == 400
    if "adminer" in all_nodes(stack) or stack.target == "compose":
        assert answer(adminer)[0] == 200
        for headers in ({"Host": "evil.example"}, {"Origin": "http://localhost:3333"}):
            assert answer(adminer, headers=headers)[0] == 403


def test_feast_only_shows(stack):
    page, (user,) = list(logins(stack).items())[1]
    entity = json.dumps({"name": "stray", "project": "ml_platform", "join_key": "id", "value_type": "INT64"}).encode()
    for path in ("entities", "feature-views", "push", "projects"):
        assert answer(f"{page}/api/v1/{path}", entity, JSON | user)[0] == 405
    request = urllib.request.Request(  # noqa: S310 – http only
        f"{page}/api/v1/feature_views/auto?project=ml_platform", headers=user, method="DELETE"
    )
    with pytest.raises(urllib.error.HTTPError, match="405"):
        urllib.request.urlopen(request, timeout=30)  # noqa: S310
    _, shown = answer(f"{page}/api/v1/entities?project=ml_platform", headers=user)
    assert "stray" not in shown.decode()


@ON_THIS_MACHINE
def test_no_secret_is_in_a_process_list_or_a_log(stack):
    secret = {name: value.get_secret_value() for name, value in stack if hasattr(value, "get_secret_value")}
    lines = " ".join(" ".join(process.cmdline()) for process in Supervisor(stack).processes())
    assert [name for name, value in secret.items() if value in lines] == []
    folders = (stack.state_dir / "logs", stack.state_dir / "airflow" / "logs")
    for path in (path for folder in folders for path in folder.rglob("*") if path.is_file()):
        text = path.read_text(errors="replace")
        assert [name for name, value in secret.items() if value in text] == [], path


@ON_THIS_MACHINE
def test_the_watchdog_finds_a_heartbeat_of_each_component(stack):
    with healthcheck.database(stack.database_uri("airflow")) as query:
        ages = {server: healthcheck.heartbeat_age(query, job) for server, job in watchdog.COMPONENTS.items()}
    assert all(age < healthcheck.STALE for age in ages.values())


@ON_THIS_MACHINE
@pytest.mark.prove
def test_the_watchdog_restarts_a_component_that_hangs(stack):
    triggerer = watchdog.main_process(str(stack.state_dir), "airflow-triggerer")
    triggerer.suspend()
    psutil.wait_procs([triggerer], timeout=300)
    assert not triggerer.is_running()
    eventually(lambda: all_nodes(stack)["airflow-triggerer"].probe() is None, "the triggerer works again")
