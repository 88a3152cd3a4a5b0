"""What our small servers write into their logs, and the same at the terminal of a person or for cron."""

import json
import os
from datetime import UTC, datetime

from stack import marks


def write(text: str, level: str = "info") -> None:
    """Write an entry: a line of JSON if this process is a server, else a line for people."""
    now = datetime.now(UTC)
    entry = json.dumps({"timestamp": now.isoformat(), "level": level, "event": text}, ensure_ascii=False)
    print(entry if marks.SERVER in os.environ else f"{now:%Y-%m-%d %H:%M:%S} {text}", flush=True)
