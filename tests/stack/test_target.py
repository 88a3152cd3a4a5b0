"""TARGET chooses the runner; both runners have the same functions."""

import inspect

import pytest

from stack.runners import compose, embedded
from stack.target import Runner, runner

FUNCTIONS = [name for name in vars(Runner) if not name.startswith("_")]


def test_the_target_chooses_the_runner(config):
    assert runner(config) is embedded
    assert runner(config.model_copy(update={"target": "compose"})) is compose


@pytest.mark.parametrize("name", FUNCTIONS)
def test_both_runners_take_the_same_arguments(name):
    parameters = list(inspect.signature(getattr(Runner, name)).parameters)[1:]
    for module in (embedded, compose):
        assert list(inspect.signature(getattr(module, name)).parameters) == parameters, module
