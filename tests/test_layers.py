"""Every package has its place in the layers, which `make lint` holds."""

import tomllib
from pathlib import Path

import pytest

from ml_platform import ROOT

LIBRARY = ROOT / "plugins" / "ml_platform"


@pytest.fixture(scope="module")
def layers() -> list[str]:
    """The names of all layers, from the top."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (contract,) = (one for one in config["contracts"] if one["id"] == "layers")
    return [name for layer in contract["layers"] for name in layer.split(" | ")]


def module_of(path: Path) -> str:
    return f"ml_platform.{path.stem}"


def test_every_package_of_the_library_is_a_layer(layers: list[str]) -> None:
    inside = {path for path in LIBRARY.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    outside_the_contract = {LIBRARY / "__init__.py", LIBRARY / "__main__.py"}
    assert {module_of(path) for path in inside - outside_the_contract} == {
        name for name in layers if name.startswith("ml_platform.")
    }


def test_at_the_root_of_the_library_there_are_packages_and_few_modules() -> None:
    assert {path.name for path in LIBRARY.glob("*.py")} == {
        "__init__.py", "__main__.py", "exceptions.py", "logs.py", "pages.py", "settings.py"
    }  # fmt: skip


def test_every_module_has_a_test_file_at_the_mirrored_place() -> None:
    missing = []
    for source, tests in ((LIBRARY, ROOT / "tests" / "ml_platform"), (ROOT / "stack", ROOT / "tests" / "stack")):
        for module in sorted(source.rglob("*.py")):
            place = tests / module.relative_to(source).parent
            if not module.name.startswith("__") and not list(place.glob(f"test_{module.stem}.py")):
                missing.append(module.relative_to(ROOT).as_posix())
    assert missing == []
