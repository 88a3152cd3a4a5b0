"""How checks are run: a server that is away is one finding, and an outage during a check is another."""

import pytest

from ml_platform.doctor.check import Check, Finding, diagnose
from stack.errors import StackError

SERVERS = Check("servers", lambda config: (), "start them")


def outage(config):
    raise StackError("no answer")


def test_what_checks_find_is_listed_with_what_to_do(config):
    bad = Check("two", lambda config: ["a", "b"], "fix it")
    done = diagnose(config, SERVERS, {}, [Check("one", lambda config: [], ""), bad])
    assert done.passed == ("servers", "one")
    assert done.findings == (Finding("two", "a", "fix it"), Finding("two", "b", "fix it"))
    assert done.skipped == {}


def test_checks_that_need_a_server_that_is_away_are_not_run(config):
    done = diagnose(config, SERVERS, {"postgres": "STOPPED"}, [Check("one", outage, "", ("objects", "postgres"))])
    assert done.findings == (Finding("servers", "postgres: STOPPED", "start them"),)
    assert done.skipped == {"one": "needs postgres"}


def test_an_outage_during_a_check_is_a_finding(config):
    (finding,) = diagnose(config, SERVERS, {}, [Check("one", outage, "wait")]).findings
    assert finding == Finding("one", "this cannot be checked: no answer", "wait")


def test_a_mistake_of_our_own_is_not_hidden(config):
    def mistaken(config):
        raise TypeError("a mistake")

    with pytest.raises(TypeError, match="a mistake"):
        diagnose(config, SERVERS, {}, [Check("one", mistaken, "")])
