"""The lines that `docker compose logs --timestamps` prints."""

from datetime import UTC, datetime

from stack.logs import containers


def test_each_line_has_the_name_of_its_service_and_a_time():
    lines = [
        "airflow-api-1      | 2026-11-30T06:12:10.340400123Z plain text\n",
        'serving-1  | 2026-11-30T06:12:11Z {"timestamp": "2026-11-30T06:12:10.5Z", "event": "auto answers"}\n',
        "serving-1  | 2026-11-30T06:12:11Z \n",
        "no line of a container\n",
    ]
    found = [(entry.server, entry.time, entry.text) for entry in containers.entries(lines)]
    assert found == [
        ("airflow-api", datetime(2026, 11, 30, 6, 12, 10, 340400, UTC), "plain text"),
        ("serving", datetime(2026, 11, 30, 6, 12, 10, 500000, UTC), "auto answers"),
    ]
