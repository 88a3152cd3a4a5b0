"""Counters from tables: each entry once, and never a value that falls."""

from datetime import UTC, datetime, timedelta

import pytest

from ml_platform.metrics.counting import LATE, Counts

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
    assert counts.read(entries.count, START + timedelta(minutes=1)) == {ONE: (1.0,)}


def test_every_entry_counts_once_over_days_and_only_new_times_are_asked(entries, counts):
    for minute in range(0, 3 * 24 * 60, 7):
        now = START + timedelta(minutes=minute)
        entries.moments.append(now)
        assert counts.read(entries.count, now) == {ONE: (float(len(entries.moments)),)}
        assert now - entries.asked[-1] <= 2 * LATE


def test_an_entry_that_appears_late_counts(entries, counts):
    now = START + timedelta(days=1)
    counts.read(entries.count, now)
    entries.moments.append(now - LATE + timedelta(minutes=1))
    assert counts.read(entries.count, now + timedelta(minutes=5))[ONE] == (1.0,)
    assert counts.read(entries.count, now + timedelta(days=2))[ONE] == (1.0,)


def test_a_removal_makes_no_value_fall(entries, counts):
    entries.moments = [START + timedelta(seconds=second) for second in range(5)]
    now = START + timedelta(minutes=1)
    assert counts.read(entries.count, now)[ONE] == (5.0,)
    entries.moments = entries.moments[:2]
    assert counts.read(entries.count, now)[ONE] == (5.0,)


def test_labels_show_zero_before_their_first_entry(entries, counts):
    other = ("penguins",)
    entries.moments = [START]
    assert counts.read(entries.count, START, [ONE, other]) == {ONE: (1.0,), other: (0.0,)}


def test_a_sum_and_its_number_are_added_together():
    counts = Counts(START, 2)
    found = {ONE: (1.5, 2.0)}
    assert counts.read(lambda *_: found, START + timedelta(hours=3)) == {ONE: (3.0, 4.0)}
