import math
import re

import pytest

from ml_platform.gate import Decision, decide


def facts(ours, theirs=None, champion=3):
    return Decision("refused", "", 4, champion, ours, theirs)


@pytest.mark.parametrize(
    ("given", "min_gain", "decision", "text"),
    [
        (facts(0.6, 0.5), 0.0, "promoted", "better: F1 0.6000 against 0.5000 of champion 3 on the same rows"),
        (facts(0.6, 0.6), 0.0, "kept", "not better by more than 0"),
        (facts(0.5, 0.6), 0.0, "kept", "not better"),
        (facts(0.61, 0.6), 0.02, "kept", "not better by more than 0.02"),
        (facts(0.63, 0.6), 0.02, "promoted", "better"),
        (facts(math.nan, 0.1), 0.0, "refused", "has F1 nan"),
        (facts(None, 0.1), 0.0, "refused", "not a working model"),
        (facts(0.0, champion=None), 0.0, "refused", "has F1 0.0"),
        (facts(math.nan, champion=None), 0.0, "refused", "has F1 nan"),
        (facts(0.4, champion=None), 0.0, "promoted", "first to go live"),
        (facts(0.4), 0.0, "promoted", r"champion 3 cannot be used \(files are gone\)"),
        (facts(math.nan), 0.0, "refused", "has F1 nan"),
        (facts(0.6, math.nan), 0.0, "promoted", "champion 3 cannot be used"),
    ],
)
def test_decisions(given, min_gain, decision, text):
    decided = decide(given, min_gain, "files are gone")
    assert decided.decision == decision
    assert re.search(text, decided.reason)
    assert decided.challenger_f1 is None or math.isfinite(decided.challenger_f1)
