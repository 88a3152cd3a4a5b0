"""The errors of the stack: one base class, and a docstring that lists them all."""

import inspect

from stack import errors


def test_every_error_is_a_stack_error_and_in_the_list():
    classes = [value for value in vars(errors).values() if inspect.isclass(value)]
    assert errors.StackError in classes
    for error in classes:
        assert issubclass(error, errors.StackError)
        assert error.__name__ in errors.__doc__


def test_the_text_is_the_whole_message():
    assert str(errors.ConfigError("S3_PORT is missing.")) == "S3_PORT is missing."
