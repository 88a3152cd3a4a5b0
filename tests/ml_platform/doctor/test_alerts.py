"""Messages that a channel refuses, on a real Postgres."""

import pytest

from ml_platform.doctor import alerts

pytestmark = pytest.mark.servers
MESSAGE = """
INSERT INTO monitoring.alert_messages (message_id, channel, made_at, attempts, next_attempt, problem, sent_at)
VALUES (gen_random_uuid(), 'refusing', now() - interval '20 min', 3, now(), 'connection refused', {sent})"""


def test_a_channel_that_refuses_messages_is_named_with_the_reason(servers, superuser):
    try:
        superuser(MESSAGE.format(sent="now()"))
        assert not [text for text in alerts.waiting_messages(servers) if "refusing" in text]
        superuser(MESSAGE.format(sent="NULL"))
        (problem,) = [text for text in alerts.waiting_messages(servers) if "refusing" in text]
        assert problem == "a message waits for the channel refusing, the first for 20 minutes: connection refused"
    finally:
        superuser("DELETE FROM monitoring.alert_messages WHERE channel = 'refusing'")
