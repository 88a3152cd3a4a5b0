"""Counters from tables: each entry once, and never a value that falls."""

from datetime import UTC, datetime, timedelta

import pytest

from ml_platform.metrics.counting import LATE, NEW, Counts

START = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
ONE = ("auto",)


class Entries:
    """A table of moments; it remembers which times it was asked about."""

    def __init__(self):
        self.moments, self.asked = [], []

    def count(self, after, before):
        self.asked.append(after)
        found = sum(after <= moment < before for moment in self.moments)
        return {ONE: (float(found),)} if found else {}


@pytest.fixture
def entries():
    return Entries()


@pytest.fixture
def counts():
    return Counts(START, 1)


def test_entries_from_before_the_start_do_not_count(entries, counts):
    entries.moments = [START - timedelta(days=1), START + timedelta(seconds=1)]
    counts.read(entries.count, START + timedelta(seconds=2))
    assert counts.read(entries.count, START + timedelta(minutes=1)) == {ONE: (1.0,)}


def test_every_entry_counts_once_over_days_and_only_new_times_are_asked(entries, counts):
    for minute in range(0, 3 * 24 * 60, 7):
        now = START + timedelta(minutes=minute)
        entries.moments.append(now)
        counted = counts.read(entries.count, now)
        assert minute == 0 or counted == {ONE: (float(len(entries.moments)),)}
        assert now - entries.asked[-1] <= 2 * LATE


def test_an_entry_that_appears_late_counts(entries, counts):
    now = START + timedelta(days=1)
    counts.read(entries.count, now)
    entries.moments.append(now - LATE + timedelta(minutes=1))
    counts.read(entries.count, now + timedelta(minutes=5))
    assert counts.read(entries.count, now + timedelta(minutes=6))[ONE] == (1.0,)
    assert counts.read(entries.count, now + timedelta(days=2))[ONE] == (1.0,)


def test_a_removal_makes_no_value_fall(entries, counts):
    entries.moments = [START + timedelta(seconds=second) for second in range(5)]
    counts.read(entries.count, START + timedelta(seconds=9))
    now = START + timedelta(minutes=1)
    assert counts.read(entries.count, now)[ONE] == (5.0,)
    entries.moments = entries.moments[:2]
    assert counts.read(entries.count, now)[ONE] == (5.0,)


def test_new_labels_are_zero_for_a_moment(entries, counts):
    entries.moments = [START]
    assert counts.read(entries.count, START) == {ONE: (0.0,)}
    assert counts.read(entries.count, START + NEW / 2) == {ONE: (0.0,)}
    assert counts.read(entries.count, START + NEW) == {ONE: (1.0,)}


def test_a_sum_and_its_number_are_added_together():
    counts = Counts(START, 2)
    found = {ONE: (1.5, 2.0)}
    counts.read(lambda *_: found, START)
    assert counts.read(lambda *_: found, START + timedelta(hours=3)) == {ONE: (3.0, 4.0)}
