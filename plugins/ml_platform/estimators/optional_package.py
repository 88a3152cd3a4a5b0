"""A package that only some estimators need: imported when one of them is fitted or loaded, not before."""

import importlib
import importlib.metadata
from dataclasses import dataclass
from types import ModuleType


@dataclass(frozen=True)
class OptionalPackage:
    """A package that is imported late.

    Attributes:
        name: its name in a requirements file.
        module: its name in Python.
    """

    name: str
    module: str

    def load(self) -> ModuleType:
        """Import the package.

        Raises:
            ImportError: it is not installed, or a library of the operating system is missing; the text says what to do.
        """
        try:
            return importlib.import_module(self.module)
        except (ImportError, OSError) as error:
            advice = "install libgomp1 (Debian, Ubuntu: apt-get install libgomp1)" if "libgomp" in str(error) else ""
            advice = advice or f"install {self.name} in the version of requirements.lock"
            raise ImportError(f"the package {self.name} cannot be imported here: {error}; {advice}") from error

    def installed(self) -> dict[str, str]:
        """Return name and version of the installed package; empty if it is not installed.

        A package that is named as the module counts too: `xgboost` is `xgboost-cpu` with support for graphics cards.
        """
        for name in (self.name, self.module):
            try:
                return {name: importlib.metadata.version(name)}
            except importlib.metadata.PackageNotFoundError:
                continue
        return {}

    def problem(self) -> str | None:
        """Return why the package cannot be imported; None if it can."""
        try:
            self.load()
        except ImportError as error:
            return str(error)
        return None
