"""A package that only some estimators need is imported late, and its absence is said with what to install."""

import subprocess
import sys

import pytest

from ml_platform import ROOT
from ml_platform.estimators import optional_package
from ml_platform.estimators.optional_package import OptionalPackage


def test_a_library_that_is_there_is_imported() -> None:
    package = OptionalPackage("no-such-package", "json")
    assert package.load() is sys.modules["json"]
    assert package.problem() is None


def test_a_package_that_is_not_installed_is_named_with_what_to_install() -> None:
    package = OptionalPackage("no-such-package", "no_such_module")
    with pytest.raises(ImportError, match=r"no-such-package cannot be imported here: No module named 'no_such_module'"):
        package.load()
    problem = package.problem()
    assert problem is not None
    assert problem.endswith("install no-such-package in the version of requirements.lock")
    assert package.installed() == {}


def test_a_missing_library_of_the_system_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(name: str) -> None:
        raise OSError("libgomp.so.1: cannot open shared object file: No such file or directory")

    monkeypatch.setattr(optional_package.importlib, "import_module", load)
    problem = OptionalPackage("lightgbm", "lightgbm").problem()
    assert problem is not None
    assert "libgomp.so.1" in problem
    assert problem.endswith("install libgomp1 (Debian, Ubuntu: apt-get install libgomp1)")


def test_the_package_that_is_installed_is_found_under_either_name() -> None:
    assert list(OptionalPackage("scikit-learn", "sklearn").installed()) == ["scikit-learn"]
    assert list(OptionalPackage("pandas-without-cards", "pandas").installed()) == ["pandas"]


@pytest.mark.slow
def test_the_libraries_of_boosted_trees_are_not_imported_with_the_table_and_print_nothing() -> None:
    program = (
        "import sys; from ml_platform.estimators.table import ESTIMATORS; from ml_platform.registry import model_files;"
        "assert not {'xgboost', 'lightgbm'} & set(sys.modules);"
        "assert [kind.problem() for kind in ESTIMATORS.values()] == [None] * len(ESTIMATORS)"
    )
    environment = {"PYTHONPATH": f"{ROOT / 'plugins'}:{ROOT}", "PATH": "/usr/bin:/bin"}
    ended = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")
