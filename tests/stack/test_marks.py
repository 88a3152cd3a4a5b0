"""The marks of a process are those of all that it starts, also of a program that gives itself a title."""

import os
import subprocess
import sys

import psutil

from stack import marks

TITLED = """
import setproctitle, time
setproctitle.setproctitle("a title " + "that is long " * 40)
print("up", flush=True)
time.sleep(60)
"""


def test_a_grandchild_with_a_title_has_both_marks(tmp_path):
    own = {marks.STATE: str(tmp_path), marks.SERVER: "one"}
    environment = {**os.environ, "SPT_NOENV": "1", **own}
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {TITLED!r}])"
    with subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"up\n"
        (grandchild,) = psutil.Process(process.pid).children()
        try:
            assert own.items() <= grandchild.environ().items()
            assert grandchild.cmdline()[0].startswith("a title")
        finally:
            grandchild.kill()
