"""The table of checks is complete: each has a name of its own, and says what to do."""

from ml_platform.doctor.table import CHECKS, SERVERS
from stack.servers.inventory import all_nodes


def test_each_check_has_a_name_of_its_own_and_a_fix(config):
    names = [check.name for check in (SERVERS, *CHECKS)]
    assert len(set(names)) == len(names)
    assert all(check.fix and not check.fix.endswith(".") for check in CHECKS)


def test_checks_need_servers_that_exist(config):
    assert {name for check in CHECKS for name in check.needs} <= set(all_nodes(config))
