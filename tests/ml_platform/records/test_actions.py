"""Actions of people are recorded before they are done, with what came of them; real Postgres."""

import pytest

from ml_platform.exceptions import RegistryError
from ml_platform.records import actions

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]


def _of(dataset):
    return [(one.person, one.action, one.target, one.reason, one.problem) for one in actions.newest(dataset=dataset)]


def test_an_action_is_recorded_before_it_is_done():
    with actions.recorded("olga", "roll back the model", dataset="act_one", target="version 1", reason="too many"):
        (begun,) = actions.newest(dataset="act_one")
        assert (begun.ended_at, begun.problem) == (None, None)
    (done,) = actions.newest(dataset="act_one")
    assert done.ended_at >= done.began_at
    assert _of("act_one") == [("olga", "roll back the model", "version 1", "too many", None)]


def test_an_action_that_fails_is_recorded_with_its_problem():
    with (
        pytest.raises(RegistryError),
        actions.recorded("olga", "roll back the model", dataset="act_two", target="version 7"),
    ):
        raise RegistryError("there is no version 7")
    assert _of("act_two") == [("olga", "roll back the model", "version 7", "", "there is no version 7")]


def test_an_action_that_is_interrupted_stays_without_an_end():
    with pytest.raises(KeyboardInterrupt), actions.recorded("olga", "wait", dataset="act_three", target=""):
        raise KeyboardInterrupt
    assert [one.ended_at for one in actions.newest(dataset="act_three")] == [None]


def test_the_newest_comes_first_and_an_action_may_be_about_no_data_set():
    for target in ("a", "b", "c"):
        with actions.recorded("victor", "look", dataset=None, target=target):
            pass
    assert [one.target for one in actions.newest(limit=2)] == ["c", "b"]
