"""The page Servers: the health of each server, and the checks of the doctor."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ml_platform.doctor.check import Check
from ml_platform.doctor.examination import Examination, Result, State
from ml_platform.doctor.servers import ServerLook, known_config, server_looks
from ml_platform.doctor.table import CHECKS
from ml_platform.home.parts.missing import may_be_missing
from ml_platform.home.parts.text import counted, plain

KEPT = 30  # seconds, for all people
POLL = 1.0  # seconds
WORDS: dict[State, tuple[str, str]] = {
    "looking": ("hourglass_top", "being looked at"),
    "late": ("hourglass_bottom", "late"),
    "good": ("check_circle", "good"),
    "problem": ("error", "problem"),
    "unchecked": ("help", "unchecked"),
}


def show() -> None:
    """Draw the page."""
    st.title("Servers")
    with_heavy = st.toggle(
        "Also load every live model", help="This takes longer, and the memory of the largest model.", key="heavy checks"
    )
    with may_be_missing("The servers"):
        if st.button("Look again", icon=":material/refresh:"):
            _examination.clear()
        examination = _examination(with_heavy=with_heavy)
        st.fragment(_draw, run_every=None if examination.is_done else POLL)(examination)


@st.cache_resource(ttl=KEPT, max_entries=2, show_spinner=False)
def _examination(*, with_heavy: bool) -> Examination:
    config = known_config()
    checks = [check for check in CHECKS if with_heavy or not check.is_heavy]
    return Examination(server_looks(config), checks, config)


def _draw(examination: Examination) -> None:
    is_done = examination.is_done
    servers = [(server, examination.of_server(server)) for server in examination.servers]
    checks = [(check, examination.of_check(check)) for check in examination.checks]
    _verdict([*(result for _, result in servers), *(result for _, result in checks)], is_done=is_done)
    st.header("Health")
    for server, result in servers:
        with st.container():  # rows keep their places when one of them gets a problem
            _server(server, result)
    st.header("Checks")
    if not checks:
        st.info(
            "The checks need the settings of the platform, which its machine has: run `./ml-platform doctor` there.",
            icon=":material/info:",
        )
    for check, result in sorted(checks, key=lambda one: one[1].state == "good"):
        with st.container():
            _check(check, result)
    if is_done and not st.session_state.get(_key(examination)):
        st.session_state[_key(examination)] = True
        st.rerun()  # the page draws it again, without a timer


def _key(examination: Examination) -> str:
    return f"examination of {examination.begun}"


def _verdict(results: list[Result], *, is_done: bool) -> None:
    problems = sum(len(result.texts) for result in results if result.state == "problem")
    waiting = sum(result.state in ("looking", "late") for result in results)
    if problems:
        st.error(f"{counted(problems, 'problem')} found.", icon=":material/error:")
    elif is_done:
        st.success("All is well.", icon=":material/check_circle:")
    if waiting:
        st.caption(f"{counted(waiting, 'look')} not finished yet.")


def _server(server: ServerLook, result: Result) -> None:
    name, state, version, page = st.columns((3, 3, 2, 2), vertical_alignment="center")
    name.text(server.name)
    _state(state, result)
    version.text(server.version)
    if server.page:
        page.link_button(f"Open {plain(server.name)}", server.page, icon=":material/open_in_new:", type="tertiary")
    else:
        page.text("")
    _problems(result)


def _check(check: Check, result: Result) -> None:
    name, state = st.columns((7, 3), vertical_alignment="center")
    name.text(check.name)
    _state(state, result)
    _problems(result)


def _state(cell: DeltaGenerator, result: Result) -> None:
    icon, word = WORDS[result.state]
    cell.markdown(f":material/{icon}: {word}")


def _problems(result: Result) -> None:
    if result.state == "good" or not result.texts:
        return
    st.code("\n".join(result.texts), language=None, wrap_lines=True)
    if result.fix:
        st.caption(f"To fix it: {result.fix}.")
