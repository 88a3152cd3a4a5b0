"""Causes on the machine: full disks, old backups, servers that do not work."""

import json
import shutil
import urllib.error
import urllib.request
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ml_platform.alerts.causes import Cause, Look, shortened

AGAIN = 2  # percent below the limit at which a disk is no longer full, so that it is not reported back and forth
TIMEOUT = 5  # seconds
COMPONENTS = ("scheduler", "triggerer", "dag_processor")
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def disks(paths: Iterable[str], limit: int, open_keys: Collection[str]) -> Look:
    """Return the disks that are nearly full.

    Args:
        paths: a folder of each disk.
        limit: percent that may be used.
        open_keys: the paths that were reported and are not over.
    """
    return Look.of(["disk_full"], _full(paths, limit, open_keys))


def _full(paths: Iterable[str], limit: int, open_keys: Collection[str]) -> Iterator[Cause]:
    for path in paths:
        usage = shutil.disk_usage(path)
        percent = 100 * (usage.total - usage.free) / usage.total
        if percent >= (limit - AGAIN if path in open_keys else limit):
            yield Cause("disk_full", path, {"path": path, "percent": round(percent), "free": round(usage.free / 1e9)})


def backups(folder: Path | None, within: timedelta | None, text: str, now: datetime, since: datetime) -> Look:
    """Return whether the newest backup is too old; there is none to expect before the platform is that old.

    Args:
        folder: of the backups; None: they are not watched.
        within: how old the newest may be; None: they are not watched.
        text: the same for people.
        now: the time.
        since: when the watch began.
    """
    if folder is None or within is None:
        return Look.of(["backup_old"], [])
    newest = max((_made_at(path) for path in _backups(folder)), default=None)
    if now - (newest or since) <= within:
        return Look.of(["backup_old"], [])
    shown = f"{newest:%Y-%m-%d %H:%M} UTC" if newest else "never"
    return Look.of(["backup_old"], [Cause("backup_old", str(folder), _facts(folder, shown, text))])


def _facts(folder: Path, newest: str, within: str) -> dict[str, str]:
    return {"folder": str(folder), "newest": newest, "within": within}


def _backups(folder: Path) -> list[Path]:
    """Return the complete backups; one that is being made has a name with a dot."""
    return [path for path in folder.glob("*") if path.is_dir() and not path.name.startswith(".")]


def _made_at(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


class Servers:
    """Asks the servers, and remembers since when each does not work."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._since: dict[str, datetime] = {}

    def look(self, addresses: Mapping[str, str], least: timedelta, open_keys: Collection[str], now: datetime) -> Look:
        """Return the servers that have not worked for some time.

        Args:
            addresses: the health page of each server; that of `airflow-api` tells about the other components, too.
            least: how long a server must be away.
            open_keys: the servers that were reported and are not over.
            now: the time.
        """
        problems: dict[str, str | None] = {}
        for name, address in addresses.items():
            problems |= problems_of(name, address)
        if problems.get("airflow-api"):  # which would tell: those that were reported are not over yet
            problems |= {key: "it is not known" for key in open_keys if key.startswith("airflow-")} | {
                "airflow-api": problems["airflow-api"]
            }
        return Look.of(["server_unhealthy"], self._lasting(problems, least, open_keys, now))

    def _lasting(
        self, problems: Mapping[str, str | None], least: timedelta, open_keys: Collection[str], now: datetime
    ) -> Iterator[Cause]:
        for name, problem in problems.items():
            if problem is None:
                self._since.pop(name, None)
                continue
            since = self._since.setdefault(name, now)
            if now - since >= least or name in open_keys:
                yield Cause("server_unhealthy", name, {"server": name, "problem": shortened(problem)})


def problems_of(name: str, address: str) -> dict[str, str | None]:
    """Return the problem, or None, of a server and of those that it tells about."""
    try:
        with OPENER.open(address, timeout=TIMEOUT) as answer:  # the addresses are those of our own servers
            body = answer.read()
        return {name: None} | (_components(body) if name == "airflow-api" else {})
    except urllib.error.HTTPError as error:
        return {name: None if error.code < 500 else f"{address}: {error}"}
    except (OSError, ValueError) as error:
        return {name: f"{address}: {error}"}


def _components(body: bytes) -> dict[str, str | None]:
    health = json.loads(body)
    states = {name: health.get(name, {}).get("status") for name in ("metadatabase", *COMPONENTS)}
    return {
        f"airflow-{name.replace('_', '-')}": None if state == "healthy" else f"Airflow reports it as {state}"
        for name, state in states.items()
    }
