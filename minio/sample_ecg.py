"""Invented heartbeats from electrocardiograms: which of five kinds is a beat?

A beat is a sum of Gaussians over the phase of the heart's cycle, one for each of its waves P, Q, R, S and T. Source:
P. McSharry, G. Clifford, L. Tarassenko, L. Smith, A dynamical model for generating synthetic electrocardiogram signals,
IEEE Transactions on Biomedical Engineering 50 (2003): the sum is their equation 1, integrated over one cycle. The kinds
are those of the standard ANSI/AAMI EC57. Each patient has waves, a heart rate, noise and a mix of kinds of their own.
"""

import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Vector = NDArray[np.float64]

TRAIN_PATIENTS, TEST_PATIENTS, BEATS = 160, 40, 30
SAMPLES, HERTZ, BEFORE = 140, 200, 50  # of a beat; per second; before the peak of the R wave
KINDS = ("normal", "supraventricular", "ventricular", "fusion", "paced")
SHARES = np.array([0.72, 0.09, 0.12, 0.06, 0.01])  # of an average patient without a pacemaker
START = pd.Timestamp("2025-01-06T08:00:00Z")
TIMES = (np.arange(SAMPLES) - BEFORE) / HERTZ  # seconds from the peak of the R wave

# Of P, Q, R, S, T: angle, height and width, from table 1 of the source; heights are its a * b ** 2, with R = 1.
ANGLES = np.array([-np.pi / 3, -np.pi / 12, 0.0, np.pi / 12, np.pi / 2])
HEIGHTS = np.array([0.25, -0.17, 1.0, -0.25, 0.40])
WIDTHS = np.array([0.25, 0.1, 0.1, 0.1, 0.4])
QRS, T = slice(1, 4), 4
EARLY = {"supraventricular": (0.66, 0.94), "ventricular": (0.62, 0.95), "fusion": (0.85, 1.02)}  # share of the cycle


@dataclass(frozen=True)
class Waves:
    """The five waves of a kind of beat: angles and widths in radians of the cycle, heights in millivolts."""

    angles: Vector
    heights: Vector
    widths: Vector

    def signal(self, times: Vector, cycle: float) -> Vector:
        """Return millivolts at times in seconds from the R wave.

        Args:
            times: shape (n_samples,).
            cycle: seconds from beat to beat. Angles and widths grow with the root of the rate: at a high rate the waves
                take a larger part of the cycle.
        """
        stretch = np.sqrt(1.0 / cycle)
        phases = 2 * np.pi * times[:, None] / cycle - self.angles * stretch
        waves: Vector = self.heights * np.exp(-0.5 * (phases / (self.widths * stretch)) ** 2)
        return waves.sum(axis=1)

    def only_t(self) -> "Waves":
        """Return the T wave alone."""
        return Waves(self.angles[[T]], self.heights[[T]], self.widths[[T]])


@dataclass(frozen=True)
class Patient:
    """What all beats of a patient share."""

    name: str
    age: float
    sex: str
    cycle: float  # seconds
    variation: float  # share of the cycle
    waves: dict[str, Waves]
    shares: Vector  # of the kinds
    noise: float  # millivolts
    wander: tuple[float, float]  # of the baseline: millivolts, hertz


def generate(seed: int, out: Path) -> None:
    """Write `train_ecg.csv.gz` (4,800 beats) and `test_ecg.csv.gz` (1,200, of other patients) into the folder `out`."""
    random = np.random.default_rng(seed)
    patients = [draw_patient(f"P{i + 1:03d}", random) for i in range(TRAIN_PATIENTS + TEST_PATIENTS)]
    starts = START + pd.to_timedelta(np.sort(random.uniform(0, 300, len(patients))), unit="D")
    beats = [record(patient, start, random) for patient, start in zip(patients, starts, strict=True)]
    out.mkdir(parents=True, exist_ok=True)
    _write(pd.concat(beats[:TRAIN_PATIENTS]), out / "train_ecg.csv.gz")
    _write(pd.concat(beats[TRAIN_PATIENTS:]).drop(columns="kind"), out / "test_ecg.csv.gz")


def draw_patient(name: str, random: np.random.Generator) -> Patient:
    """Draw a patient; every tenth has a pacemaker, every eighth a bundle branch block, whose normal beats are wide."""
    paced, blocked = random.random() < 0.1, random.random() < 0.125
    shares = random.dirichlet(SHARES * 8)
    return Patient(
        name,
        age=float(np.clip(random.normal(63, 15), 18, 96).round()) if random.random() > 0.04 else np.nan,
        sex=str(random.choice(["f", "m"])),
        cycle=60 / float(np.clip(random.normal(74, 12), 50, 110)),
        variation=random.uniform(0.03, 0.09),
        waves=_draw_waves(random, wide=1.5 if blocked else 1.0),
        shares=shares * 0.35 + 0.65 * np.eye(len(KINDS))[-1] if paced else shares,
        noise=random.uniform(0.02, 0.08),
        wander=(random.uniform(0.05, 0.25), random.uniform(0.15, 0.4)),
    )


def _draw_waves(random: np.random.Generator, wide: float) -> dict[str, Waves]:
    heights = HEIGHTS * random.lognormal(0, 0.25, 5) * random.uniform(0.6, 1.5)
    widths = WIDTHS * random.lognormal(0, 0.15, 5)
    angles = ANGLES * random.normal(1, 0.07, 5)
    widths[QRS] *= wide
    normal = Waves(angles, heights, widths)
    # From another place in the atria: the P wave is small or upside down, and the rest hardly differs.
    atrial = heights * [random.uniform(-0.7, 0.5), 1, 1, 1, random.uniform(0.8, 1.1)]
    # From a ventricle: no P wave, a wide QRS, and a T wave that points the other way.
    axis, factor = random.choice([-1.0, 1.0], p=[0.15, 0.85]), random.uniform(1.7, 2.6)
    ventricular = heights * [0.0, 0.6, 1.2 * axis, 1.6, -axis * random.uniform(0.7, 1.6)]
    wide_qrs = widths * [1, factor, factor, factor, 1.1]
    paced = heights * [0.1, 1.0, -0.8, 1.2, random.uniform(0.6, 1.2)]
    return {
        "normal": normal,
        "supraventricular": Waves(angles * [random.uniform(0.75, 1), 1, 1, 1, 1], atrial, widths),
        "ventricular": Waves(angles * [1, 1.8, 1, 1.8, 1.05], ventricular, wide_qrs),
        "paced": Waves(angles * [1, 1.6, 1, 1.6, 1.05], paced, widths * [1, 2, 2, 2, 1]),
    }


def record(patient: Patient, start: pd.Timestamp, random: np.random.Generator) -> pd.DataFrame:
    """Return the consecutive beats of a patient as a file has them, shape (BEATS, 8 + SAMPLES)."""
    kinds = random.choice(KINDS, BEATS, p=patient.shares)
    intervals = _intervals(patient, kinds, random)
    signals = np.array([_signal(patient, kinds[i], intervals[i], random) for i in range(BEATS)])
    _lose_contact(signals, random)
    milliseconds = (intervals * 1000).round()
    milliseconds[[0, -1]] = np.nan  # nobody recorded the beats before the first and after the last one
    facts = pd.DataFrame({
        "patient": patient.name,
        "beat_time": (start + pd.to_timedelta(np.cumsum(intervals[:-1]), unit="s")).round("ms"),
        "age": patient.age,
        "sex": patient.sex,
        "rr_previous": milliseconds[:-1],
        "rr_next": milliseconds[1:],
        "rr_mean": pd.Series(milliseconds[:-1]).rolling(10, min_periods=1).mean().round(),
        "kind": kinds,
    }).astype(dict.fromkeys(("age", "rr_previous", "rr_next", "rr_mean"), "Int64"))  # fmt: skip
    columns = [f"mv_{i:03d}" for i in range(SAMPLES)]
    return pd.concat([facts, pd.DataFrame(signals.round(2), columns=columns)], axis=1)


def _intervals(patient: Patient, kinds: NDArray[np.str_], random: np.random.Generator) -> Vector:
    """Return the seconds before each beat and after the last, shape (BEATS + 1,).

    Beats from outside of the sinus node come early. After one from a ventricle there is a pause that makes up for it.
    """
    breath = np.sin(2 * np.pi * np.arange(BEATS + 1) / random.uniform(3.5, 6) + random.uniform(0, 2 * np.pi))
    changes = patient.variation * (0.7 * breath + random.normal(0, 0.7, BEATS + 1))
    factors = np.ones(BEATS + 1)
    for i, kind in enumerate(kinds):
        if kind == "paced":
            changes[i] *= 0.1
        else:
            factors[i] *= random.uniform(*EARLY.get(kind, (1, 1)))
        if kind == "ventricular":
            factors[i + 1] *= 2 - factors[i]
    return patient.cycle * factors * (1 + changes)


def _signal(patient: Patient, kind: str, before: float, random: np.random.Generator) -> Vector:
    """Return the millivolts of one beat, with baseline wander and noise.

    Args:
        patient: whose beat it is.
        kind: of the beat.
        before: seconds since the beat before, whose T wave an early beat meets.
        random: draws what varies from beat to beat.
    """
    size = random.lognormal(0, 0.08)
    parts = {kind: 1.0}
    if kind == "fusion":  # an excitation from the sinus node meets one from a ventricle
        share = random.uniform(0.4, 0.7)
        parts = {"ventricular": share, "normal": 1 - share}
    signal = patient.waves["normal"].only_t().signal(TIMES + before, patient.cycle)
    for part, share in parts.items():
        signal += size * share * patient.waves[part].signal(TIMES, patient.cycle)
    if kind == "paced":  # the pulse of the pacemaker, which a filter of the recorder often hides
        signal += random.choice([0.0, 0.8], p=[0.2, 0.8]) * np.exp(-0.5 * ((TIMES + 0.11) / 0.004) ** 2)
    millivolts, hertz = patient.wander
    signal += millivolts * np.sin(2 * np.pi * (hertz * TIMES + random.random()))
    return signal + random.normal(0, patient.noise, SAMPLES)


def _lose_contact(signals: Vector, random: np.random.Generator) -> None:
    """Empty some samples in a row, in 3 % of the beats."""
    for signal in signals:
        if random.random() < 0.03:
            first = random.integers(0, SAMPLES - 30)
            signal[first : first + random.integers(5, 30)] = np.nan


def _write(table: pd.DataFrame, path: Path) -> None:
    """Write a gzip CSV without name and time in its header, so that equal rows give equal bytes."""
    text = table.to_csv(index=False, lineterminator="\n", date_format="%Y-%m-%dT%H:%M:%S.%fZ")
    with path.open("wb") as file, gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed:
        packed.write(text.encode())
