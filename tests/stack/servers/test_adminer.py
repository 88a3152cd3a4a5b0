"""Adminer runs where PHP with pgsql and its page are installed, and nowhere else."""

import pytest

from stack.servers import adminer
from stack.servers.node import decide_environment


@pytest.fixture
def php(tmp_path, monkeypatch):
    """Return a function that installs a PHP with these modules, and the page."""

    def install(*modules, page=True):
        program = tmp_path / "php"
        program.write_text("#!/bin/sh\n" + "\n".join(f"echo {module}" for module in modules) + "\n")
        program.chmod(0o755)
        if page:
            (tmp_path / "adminer.php").touch()

    monkeypatch.setattr(adminer, "PAGE", tmp_path / "adminer.php")
    monkeypatch.setenv("PATH", str(tmp_path))
    return install


def test_it_runs_where_all_of_it_is_installed(config, php):
    php("Core", "pgsql")
    (server,) = adminer.nodes(config)
    assert server.command[:3] == ("php", "-S", f"127.0.0.1:{config.adminer_port}")
    assert server.command[-1] == str(adminer.HOST_CHECK)
    assert adminer.HOST_CHECK.exists()
    assert server.environment["ADMINER_HOSTS"] == f"127.0.0.1:{config.adminer_port},localhost:{config.adminer_port}"
    assert server.environment["ADMINER_PAGE"] == str(adminer.PAGE)
    assert server.ports == {"ADMINER_PORT": config.adminer_port}


def test_a_machine_without_php_has_no_adminer(config, php):
    assert list(adminer.nodes(config)) == []


@pytest.mark.parametrize(("modules", "page"), [(("Core",), True), (("Core", "pgsql"), False)])
def test_a_missing_extension_or_page_is_seen(config, php, modules, page):
    php(*modules, page=page)
    assert not adminer.is_installed(config)


def test_another_shell_with_a_shorter_path_changes_nothing(config, php, monkeypatch):
    php("Core", "pgsql")
    config.state_dir.mkdir()
    decide_environment(config)
    monkeypatch.setenv("PATH", "/nowhere")
    assert adminer.is_installed(config)
