"""Alerts: messages must reach their channels."""

from collections.abc import Iterator

from stack.backup import databases
from stack.config import Config

WAITING = """
SELECT json_build_array(channel, count(*), extract(epoch FROM now() - min(made_at))::int / 60,
    (array_agg(problem ORDER BY attempts DESC))[1])
FROM monitoring.alert_messages WHERE sent_at IS NULL AND attempts > 0 AND made_at < now() - interval '15 min'
GROUP BY channel ORDER BY channel"""


def waiting_messages(config: Config) -> Iterator[str]:
    """Yield the channels that have refused a message for 15 minutes, with the reason."""
    for channel, number, minutes, problem in databases.query(config, "platform", WAITING):
        messages = "a message waits" if number == 1 else f"{number:,} messages wait"
        yield f"{messages} for the channel {channel}, the first for {minutes:,} minutes: {problem}"
