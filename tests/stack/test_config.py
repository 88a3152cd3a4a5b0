"""The settings of `.env`: documented, private, checked, and masked in output."""

import stat

import pytest
from cryptography.fernet import Fernet

from stack import secrets
from stack.config import ROOT, Config, load
from stack.errors import ConfigError

OURS = {"env_file", "target"}  # where the variables are, and what a command is about
OPTIONAL = {"openlineage_api_key", "openlineage__transport"}  # of a server of the user's: never made up


@pytest.fixture(autouse=True)
def no_variables_of_the_caller(monkeypatch):
    for key in (*secrets.read(secrets.EXAMPLE), "ENV_FILE"):
        monkeypatch.delenv(key, raising=False)


@pytest.fixture
def env_file(tmp_path):
    return tmp_path / ".env"


def test_the_example_names_every_variable_and_no_other():
    assert {key.lower() for key in secrets.read(secrets.EXAMPLE)} == set(Config.model_fields) - OURS - OPTIONAL
    assert all(f"#{name.upper()}=\n" in secrets.EXAMPLE.read_text() for name in OPTIONAL)


def test_the_example_has_no_secret():
    example = secrets.read(secrets.EXAMPLE)
    assert [
        key
        for key in example
        if key.endswith(("PASSWORD", "SECRET", "SECRET_KEY", "FERNET_KEY", "TOKEN")) and example[key]
    ] == []


def test_the_first_start_makes_a_private_file_with_random_secrets(env_file, tmp_path):
    first, second = load(env_file), load(tmp_path / "other.env")
    assert stat.S_IMODE(env_file.stat().st_mode) == 0o600
    secret = {name for name, field in Config.model_fields.items() if "SecretStr" in str(field.annotation)}
    made = secret - OPTIONAL - {"home_users"}  # at first there are none
    assert len(made) >= 13
    values = [getattr(config, name).get_secret_value() for config in (first, second) for name in made]
    assert len(set(values)) == len(values)
    assert min(map(len, values)) >= 24
    Fernet(first.airflow_fernet_key.get_secret_value())


def test_a_file_that_others_can_read_is_closed(env_file):
    load(env_file)
    env_file.chmod(0o644)
    load(env_file)
    assert stat.S_IMODE(env_file.stat().st_mode) == 0o600


def test_loading_again_changes_nothing(env_file):
    assert load(env_file) == load(env_file)


def test_the_lines_of_the_user_stay(env_file):
    env_file.write_text("# mine\nMLFLOW_PORT=5999\nREADER_DB_PASSWORD=chosen\nEXTRA=1\n")
    config = load(env_file)
    assert (config.mlflow_port, config.reader_db_password.get_secret_value()) == (5999, "chosen")
    assert env_file.read_text().startswith("# mine\nMLFLOW_PORT=5999\nREADER_DB_PASSWORD=chosen\nEXTRA=1\n")


def test_the_environment_wins_for_ports_and_the_state_folder(env_file, monkeypatch):
    monkeypatch.setenv("S3_PORT", "9999")
    monkeypatch.setenv("STATE_DIR", "/elsewhere")
    monkeypatch.setenv("READER_DB_PASSWORD", "not from here")
    config = load(env_file)
    assert (config.s3_port, str(config.state_dir)) == (9999, "/elsewhere")
    assert config.reader_db_password.get_secret_value() != "not from here"


def test_the_variable_env_file_chooses_the_file(tmp_path, monkeypatch):
    monkeypatch.setenv("ENV_FILE", str(tmp_path / "mine.env"))
    assert load().env_file == tmp_path / "mine.env"
    assert load().state_dir == tmp_path / ".state"


def test_a_wrong_value_is_named_and_no_secret_is_shown(env_file):
    env_file.write_text("MLFLOW_PORT=high\nREADER_DB_PASSWORD=hush\n")
    with pytest.raises(ConfigError, match="MLFLOW_PORT") as raised:
        load(env_file)
    assert "hush" not in str(raised.value)


def test_printing_shows_no_secret(env_file):
    config = load(env_file)
    shown = f"{config!r} {config}"
    secret = [
        getattr(config, name) for name in Config.model_fields if name.endswith(("password", "secret", "secret_key"))
    ]
    assert not [value for value in secret if value.get_secret_value() in shown]


def test_passwords_are_quoted_in_addresses(env_file):
    env_file.write_text("PLATFORM_DB_PASSWORD='a/b@c:d'\n")
    assert load(env_file).database_uri("platform") == "postgresql://platform:a%2Fb%40c%3Ad@127.0.0.1:15432/platform"


def test_clients_get_every_setting_of_the_library(env_file):
    from ml_platform.settings import Settings

    needed = {name.upper() for name, field in Settings.model_fields.items() if field.is_required()}
    environment = load(env_file).environment()
    assert needed <= set(environment)
    assert {"AIRFLOW_URL", "MLFLOW_URL", "CONSOLE_URL", "FEAST_URL", "ADMINER_URL"} <= set(environment)


def test_another_process_reads_the_same_settings(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_PORT", "6123")
    config = load(tmp_path / ".env")
    monkeypatch.delenv("MLFLOW_PORT")
    for name, value in config.source().items():
        monkeypatch.setenv(name, value)
    assert load() == config


def test_adminer_opens_with_the_files_that_came_in_last_and_containers_do_so_too(env_file):
    page = load(env_file).screen_urls()["ADMINER_URL"]
    assert "&ns=uploads&select=ledger&order%5B0%5D=claimed_at&desc%5B0%5D=1" in page
    assert page.partition("&username")[2] in (ROOT / "docker-compose.yml").read_text()
