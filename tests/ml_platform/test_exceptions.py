"""The exception tree is the one that its module's docstring draws."""

import inspect
import pickle
import re

import pytest

from ml_platform import exceptions
from ml_platform.exceptions import PlatformError

CLASSES = {name: kind for name, kind in vars(exceptions).items() if inspect.isclass(kind)}


def test_the_docstring_draws_every_exception_once() -> None:
    drawn = re.findall(r"^(?:[├└]── )?(\w+Error)\b", exceptions.__doc__ or "", re.MULTILINE)
    assert sorted(drawn) == sorted(CLASSES)


@pytest.mark.parametrize("name", sorted(set(CLASSES) - {"PlatformError"}))
def test_every_exception_is_caught_as_a_platform_error_and_as_no_other(name: str) -> None:
    assert CLASSES[name].__bases__ == (PlatformError,)


def test_the_base_is_an_ordinary_exception() -> None:
    assert PlatformError.__bases__ == (Exception,)


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_an_exception_has_a_docstring_and_keeps_its_text(name: str) -> None:
    assert CLASSES[name].__doc__
    assert str(CLASSES[name]("train_auto.csv: line 3: bad")) == "train_auto.csv: line 3: bad"


def test_a_broken_contract_keeps_the_line_that_its_text_names() -> None:
    error = exceptions.ContractError("train_auto.csv: line 3: bad", line=3)
    assert (error.line, pickle.loads(pickle.dumps(error)).line) == (3, 3)  # noqa: S301 – as a task passes it on
    assert exceptions.ContractError("bad").line is None
