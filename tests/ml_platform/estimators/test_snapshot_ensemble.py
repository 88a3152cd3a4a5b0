"""The estimators do what the paper describes, and are estimators as scikit-learn wants them."""

import math

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits, make_classification
from sklearn.metrics import log_loss, r2_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from threadpoolctl import threadpool_limits

from ml_platform.estimators import dense_network
from ml_platform.estimators import snapshot_ensemble as module
from ml_platform.estimators.dense_network import descend, initial_network, outputs_of, softmax
from ml_platform.estimators.row_probabilities import in_blocks
from ml_platform.estimators.snapshot_ensemble import (
    SnapshotEnsembleClassifier,
    SnapshotEnsembleRegressor,
    cosine_learning_rates,
)

BOTH = pytest.mark.parametrize("estimator", [SnapshotEnsembleClassifier, SnapshotEnsembleRegressor])


def scaled(load, seed: int = 0):
    """Return training inputs, test inputs, training target, test target; mean 0 and variance 1."""
    inputs, target = load(return_X_y=True)
    train, test, *targets = train_test_split(inputs, target, random_state=seed)
    scaler = StandardScaler().fit(train)
    return scaler.transform(train), scaler.transform(test), *targets


@pytest.fixture(scope="module")
def digits():
    return scaled(load_digits)


@pytest.fixture(scope="module")
def fitted(digits):
    train, _, labels, _ = digits
    return SnapshotEnsembleClassifier(random_state=0).fit(train, labels)


def members(classifier) -> list[SnapshotEnsembleClassifier]:
    """Each snapshot as a classifier of its own."""
    alone = []
    for snapshot in classifier.snapshots_:
        one = clone(classifier)
        one.__dict__ |= classifier.__dict__ | {"snapshots_": [snapshot]}
        alone.append(one)
    return alone


# scikit-learn's own checks

# Their inputs are not scaled, so a regressor needs smaller steps.
CHECKED = [SnapshotEnsembleClassifier(), SnapshotEnsembleRegressor(learning_rate=0.001)]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks(CHECKED)
def test_scikit_learn_accepts_it(estimator, check) -> None:
    if getattr(check, "func", check).__name__ != "check_array_api_input":  # asks for an environment variable
        check(estimator)


# The method


@pytest.mark.parametrize(("total", "cycles"), [(100, 5), (12, 3), (7, 1), (4, 4)])
def test_the_learning_rate_follows_equation_2(total, cycles) -> None:
    peak, cycle = 0.3, math.ceil(total / cycles)
    expected = [
        peak / 2 * (math.cos(math.pi * ((t - 1) % math.ceil(total / cycles)) / math.ceil(total / cycles)) + 1)
        for t in range(1, total + 1)
    ]
    assert list(cosine_learning_rates(peak, cycle, cycles)) == pytest.approx(expected)


def test_each_cycle_begins_at_the_peak_and_falls_to_nearly_0() -> None:
    rates = np.array(list(cosine_learning_rates(0.2, 50, 4))).reshape(4, 50)
    assert (rates == rates[0]).all()
    assert rates[0, 0] == 0.2
    assert rates[0, 25] == pytest.approx(0.1)
    assert (np.diff(rates[0]) < 0).all()
    assert 0 < rates[0, -1] < 0.001


@BOTH
def test_a_fit_takes_the_steps_of_the_schedule_and_a_snapshot_at_each_minimum(estimator, monkeypatch) -> None:
    """61 rows in batches of 8 are 8 steps; 7 epochs are 56 steps, so 3 cycles have 19 each."""
    rates, copied = [], []
    step, copy_of = dense_network.NesterovSGD.step, module.copy_of

    def step_and_record(self, gradients, learning_rate):
        rates.append(learning_rate)
        step(self, gradients, learning_rate)

    def copy_and_record(network):
        copied.append(len(rates))
        return copy_of(network)

    monkeypatch.setattr(dense_network.NesterovSGD, "step", step_and_record)
    monkeypatch.setattr(module, "copy_of", copy_and_record)
    inputs = np.random.default_rng(0).normal(size=(61, 3))
    model = estimator(n_snapshots=3, epochs=7, batch_size=8, learning_rate=0.05, random_state=0)
    model.fit(inputs, inputs[:, 0] > 0)
    assert rates == list(cosine_learning_rates(0.05, 19, 3))
    assert copied == [19, 38, 57]
    assert model.n_iter_ == 57
    assert all(rates[position - 1] == min(rates) for position in copied)


def test_the_loss_is_lowest_where_snapshots_are_taken() -> None:
    inputs, labels = make_classification(1200, 20, n_informative=8, n_classes=3, flip_y=0.1, random_state=0)
    cycle, random = 200, np.random.RandomState(0)
    network, targets = initial_network([20, 32, 3], random), np.eye(3)[labels]
    losses = np.array(list(descend(
        network, inputs, targets, np.ones(1200), "cross_entropy", cosine_learning_rates(0.2, cycle, 4),
        batch_size=32, momentum=0.9, alpha=1e-3, random=random,
    )))  # fmt: skip
    starts, ends = (losses.reshape(4, cycle)[1:, part].mean(axis=1) for part in (slice(0, 40), slice(-40, None)))
    assert (ends < 0.8 * starts).all()


def test_snapshots_differ_in_weights_and_in_what_they_get_wrong(digits, fitted) -> None:
    _, test, _, labels = digits
    alone = members(fitted)
    assert len(alone) == 5
    weights = [snapshot[0][0] for snapshot in fitted.snapshots_]
    assert all(not np.allclose(weights[0], other, atol=1e-3) for other in weights[1:])
    errors = {tuple(np.flatnonzero(one.predict(test) != labels)) for one in alone}
    assert len(errors) > 1


@pytest.mark.parametrize("seed", range(3))
def test_the_average_is_better_than_its_members_on_the_mean(seed) -> None:
    """Held-out log loss: by Jensen's inequality never worse; here the members differ enough that it is better."""
    inputs, labels = make_classification(
        1200, 20, n_informative=8, n_classes=3, class_sep=0.8, flip_y=0.1, random_state=seed
    )
    train, test, train_labels, test_labels = train_test_split(inputs, labels, random_state=seed)
    model = SnapshotEnsembleClassifier(learning_rate=0.2, random_state=seed).fit(train, train_labels)
    alone = [log_loss(test_labels, one.predict_proba(test)) for one in members(model)]
    assert log_loss(test_labels, model.predict_proba(test)) < 0.97 * np.mean(alone)


def test_the_prediction_is_the_mean_of_the_snapshots(digits, fitted) -> None:
    _, test, _, _ = digits
    each = [one.predict_proba(test) for one in members(fitted)]
    np.testing.assert_allclose(fitted.predict_proba(test), np.mean(each, axis=0), rtol=1e-12, atol=1e-15)


def test_the_last_m_snapshots_are_averaged_and_the_training_is_the_same(digits, fitted) -> None:
    train, test, labels, _ = digits
    last = SnapshotEnsembleClassifier(n_averaged=2, random_state=0).fit(train, labels)
    assert len(last.snapshots_) == 2
    each = [one.predict_proba(test) for one in members(fitted)[-2:]]
    np.testing.assert_allclose(last.predict_proba(test), np.mean(each, axis=0), rtol=1e-12, atol=1e-15)


def test_with_one_snapshot_it_is_the_plain_network(digits) -> None:
    train, test, labels, _ = digits
    model = SnapshotEnsembleClassifier(n_snapshots=1, epochs=5, random_state=3).fit(train, labels)
    random = np.random.RandomState(3)
    network, steps = initial_network([64, 64, 10], random), 5 * math.ceil(len(train) / 64)
    rates = [0.05 / 2 * (math.cos(math.pi * t / steps) + 1) for t in range(steps)]
    ones, targets = np.ones(len(train)), np.eye(10)[labels]
    options = {"batch_size": 64, "momentum": 0.9, "alpha": 1e-3, "random": random}
    with threadpool_limits(1):
        assert len(list(descend(network, train, targets, ones, "cross_entropy", rates, **options))) == model.n_iter_
        assert np.array_equal(softmax(outputs_of(network, test)), model.predict_proba(test))


# What it learns


def test_it_learns_digits(digits, fitted) -> None:
    _, test, _, labels = digits
    assert fitted.score(test, labels) > 0.96


def test_a_regressor_learns_whatever_the_unit_of_the_target() -> None:
    train, test, target, expected = scaled(load_diabetes)
    options = {"hidden_layer_sizes": 16, "alpha": 0.1, "epochs": 20, "random_state": 0}
    first, second = (SnapshotEnsembleRegressor(**options).fit(train, unit * target) for unit in (1, 1e6))
    assert r2_score(expected, first.predict(test)) > 0.3
    np.testing.assert_allclose(second.predict(test), 1e6 * first.predict(test), rtol=1e-6)


def test_a_constant_target_is_predicted() -> None:
    inputs = np.random.default_rng(0).normal(size=(50, 2))
    model = SnapshotEnsembleRegressor(epochs=400, random_state=0).fit(inputs, np.full(50, 7.0))
    assert model.target_scale_ == 1
    np.testing.assert_allclose(model.predict(inputs), 7, atol=0.3)


def test_balanced_weights_find_more_of_a_rare_class() -> None:
    inputs, labels = make_classification(2000, 10, weights=[0.95], flip_y=0.05, class_sep=0.5, random_state=0)
    plain, balanced = (
        SnapshotEnsembleClassifier(class_weight=weight, epochs=10, random_state=0).fit(inputs, labels)
        for weight in (None, "balanced")
    )
    assert balanced.predict(inputs).sum() > 2 * plain.predict(inputs).sum()


def test_weights_by_class_count_by_their_ratio(digits) -> None:
    train, test, labels, _ = digits
    options = {"epochs": 3, "random_state": 0}
    small, large = (
        SnapshotEnsembleClassifier(class_weight=dict.fromkeys(range(10), size) | {3: 4 * size}, **options)
        for size in (1, 1024)
    )
    assert np.array_equal(small.fit(train, labels).predict_proba(test), large.fit(train, labels).predict_proba(test))


# As an estimator


@BOTH
def test_the_same_seed_gives_the_same_bits_with_any_number_of_threads(estimator, digits) -> None:
    train, _, labels, _ = digits
    fits = []
    for threads, seed in ((1, 0), (2, 0), (1, 1)):
        with threadpool_limits(threads):
            model = estimator(epochs=3, random_state=seed).fit(train, labels)
        fits.append([parameter for layers in model.snapshots_ for layer in layers for parameter in layer])
    first, second, other = fits
    assert all(map(np.array_equal, first, second))
    assert not all(map(np.array_equal, first, other))


@pytest.mark.parametrize("sizes", [(128, 64), (77,), (33, 5, 9)], ids=str)
@pytest.mark.parametrize("columns", [1, 37, 146])
def test_a_row_of_a_wide_table_has_the_same_bits_in_any_batch(columns, sizes) -> None:
    inputs = np.random.default_rng(0).normal(size=(200, columns))
    labels = np.arange(200) % 5
    with threadpool_limits(1):
        model = SnapshotEnsembleClassifier(sizes, epochs=2, n_snapshots=2, random_state=0).fit(inputs, labels)
        predict_proba = in_blocks(model, inputs[:10], "predict_proba")
        whole = predict_proba(inputs)
        for size in (1, 3, 64, 65):
            parts = [predict_proba(inputs[start : start + size]) for start in range(0, 200, size)]
            assert np.array_equal(np.vstack(parts), whole)


def test_labels_may_be_texts(digits) -> None:
    train, test, labels, _ = digits
    model = SnapshotEnsembleClassifier(epochs=3, random_state=0).fit(train, np.where(labels > 4, "high", "low"))
    assert model.classes_.tolist() == ["high", "low"]
    assert set(model.predict(test)) == {"high", "low"}


@BOTH
@pytest.mark.parametrize("sizes", [8, [8], (8,), np.array([8])], ids=["int", "list", "tuple", "array"])
def test_hidden_layers_are_a_number_a_list_or_a_tuple(estimator, sizes, digits) -> None:
    train, _, labels, _ = digits
    model = estimator(sizes, epochs=1, n_snapshots=1, random_state=0).fit(train, labels)
    assert [weights.shape[1] for weights, _ in model.snapshots_[0]][:-1] == [8]


def test_a_number_far_outside_of_the_training_rows_has_a_probability(fitted) -> None:
    far = np.zeros((2, 64))
    far[:, 5] = 1e100, -1e100
    assert np.isfinite(fitted.predict_proba(far)).all()


@BOTH
@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"n_snapshots": 0}, "The 'n_snapshots' parameter of {} must be an int of at least 1. Got 0 instead."),
        ({"epochs": 2.5}, "The 'epochs' parameter of {} must be an int of at least 1. Got 2.5 instead."),
        ({"batch_size": True}, "The 'batch_size' parameter of {} must be an int of at least 1. Got True instead."),
        ({"n_averaged": 6}, "None or an int from 1 to n_snapshots, which is 5. Got 6 instead."),
        ({"hidden_layer_sizes": []}, "The 'hidden_layer_sizes' parameter of {} must be an int of at least 1 or a list"),
        ({"hidden_layer_sizes": [8, 0]}, "one per layer. Got [8, 0] instead."),
        ({"hidden_layer_sizes": "8"}, "Got '8' instead."),
        ({"learning_rate": 0.0}, "The 'learning_rate' parameter of {} must be a number over 0. Got 0.0 instead."),
        ({"learning_rate": math.nan}, "Got nan instead."),
        ({"momentum": 1.0}, "The 'momentum' parameter of {} must be a number from 0 to below 1. Got 1.0 instead."),
        ({"alpha": -1}, "The 'alpha' parameter of {} must be a number of at least 0. Got -1 instead."),
        ({"alpha": "auto"}, "Got 'auto' instead."),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)  # fmt: skip
def test_a_wrong_parameter_is_named_with_its_value_and_what_is_allowed(estimator, params, text) -> None:
    with pytest.raises(ValueError) as raised:
        estimator(**params).fit(np.zeros((4, 1)), [0, 1, 0, 1])
    assert text.format(estimator.__name__) in str(raised.value)


def test_a_wrong_class_weight_is_named() -> None:
    text = "'class_weight' parameter of SnapshotEnsembleClassifier must be None, 'balanced' or a dict .* Got 'much'"
    with pytest.raises(ValueError, match=text):
        SnapshotEnsembleClassifier(class_weight="much").fit(np.zeros((4, 1)), [0, 1, 0, 1])


@BOTH
def test_a_training_that_diverges_says_what_to_do(estimator) -> None:
    inputs = 1e6 * np.random.default_rng(0).normal(size=(100, 5))
    with pytest.raises(ValueError, match=r"diverged, a learning_rate of 1e\+50 is too large .* use a smaller one"):
        estimator(learning_rate=1e50, random_state=0).fit(inputs, inputs[:, 0] > 0)


@BOTH
def test_missing_values_are_refused(estimator) -> None:
    with pytest.raises(ValueError, match="contains NaN"):
        estimator().fit([[1.0], [np.nan]], [0, 1])
