"""The gradients are those of finite differences, and the steps those of Nesterov's method."""

from itertools import chain

import numpy as np
import pytest

from ml_platform.estimators.dense_network import (
    NesterovSGD,
    copy_of,
    descend,
    initial_network,
    loss_and_gradients,
    outputs_of,
    softmax,
)

OBJECTIVES = ("cross_entropy", "squared_error")
SHAPES = ([5, 3], [5, 7, 3], [5, 7, 6, 3])  # inputs, hidden layers, outputs
RANDOM = np.random.RandomState(0)
INPUTS, ROW_WEIGHTS = RANDOM.normal(size=(20, 5)), RANDOM.uniform(0.5, 2, 20)
TARGETS = {"cross_entropy": np.eye(3)[RANDOM.randint(0, 3, 20)], "squared_error": RANDOM.normal(size=(20, 3))}


def flat(network) -> np.ndarray:
    return np.concatenate([parameter.ravel() for layer in network for parameter in layer])


def numeric_gradient(network, loss, width: float = 1e-6) -> np.ndarray:
    """Central differences, one parameter at a time."""
    found = []
    for parameter in (parameter for layer in network for parameter in layer):
        for position in np.ndindex(parameter.shape):
            usual, values = parameter[position], []
            for shift in (width, -width):
                parameter[position] = usual + shift
                values.append(loss())
            parameter[position] = usual
            found.append((values[0] - values[1]) / (2 * width))
    return np.array(found)


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("sizes", SHAPES, ids=str)
@pytest.mark.parametrize("alpha", [0.0, 0.3])
def test_gradients_equal_finite_differences(objective, sizes, alpha) -> None:
    network = [(weights, bias + 0.1) for weights, bias in initial_network(sizes, np.random.RandomState(1))]
    options = {"alpha": alpha, "objective": objective}
    arguments = (INPUTS, TARGETS[objective], ROW_WEIGHTS)
    _, gradients = loss_and_gradients(network, *arguments, **options)
    expected = numeric_gradient(network, lambda: loss_and_gradients(network, *arguments, **options)[0])
    np.testing.assert_allclose(flat(gradients), expected, rtol=1e-5, atol=1e-8)


def test_a_row_of_weight_2_counts_as_two_rows() -> None:
    network, options = (
        initial_network([5, 7, 3], np.random.RandomState(1)),
        {"alpha": 0.0, "objective": "cross_entropy"},
    )
    targets, twice = TARGETS["cross_entropy"], np.repeat(np.arange(20), 2)
    once = loss_and_gradients(network, INPUTS, targets, np.full(20, 2.0), **options)
    double = loss_and_gradients(network, INPUTS[twice], targets[twice], np.full(40, 2.0), **options)
    np.testing.assert_allclose(flat(once[1]), flat(double[1]), rtol=1e-12)
    plain = loss_and_gradients(network, INPUTS, targets, np.ones(20), **options)
    assert once[0] == pytest.approx(2 * plain[0])


@pytest.mark.parametrize("size", [1.0, 1e3, 1e100, 1e300])
def test_outputs_of_any_size_give_probabilities(size) -> None:
    probabilities = softmax(np.array([[size, -size, 0.0], [0.0, 0.0, 0.0]]))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-15)
    np.testing.assert_allclose(probabilities[1], 1 / 3, rtol=1e-15)
    assert probabilities[0].argmax() == 0


def test_a_layer_is_a_product_with_relu_and_the_last_one_is_linear() -> None:
    network = [
        (np.array([[1.0, -1.0]]), np.array([0.0, 0.5])),
        (np.array([[1.0], [10.0]]), np.array([-7.0])),
    ]
    assert outputs_of(network, np.array([[2.0], [-3.0]])).ravel().tolist() == [2 - 7, 35 - 7]


def test_first_weights_have_the_variance_of_he() -> None:
    (weights, bias), _ = initial_network([200, 100, 2], np.random.RandomState(0))
    assert weights.std() == pytest.approx(np.sqrt(2 / 200), rel=0.02)
    assert (bias == 0).all()


def test_nesterov_looks_ahead_from_where_the_velocity_leads() -> None:
    """On f(x) = x² / 2 the steps equal the textbook's: the gradient is taken at x + momentum * velocity."""
    network = [(np.array([[1.0]]), np.array([0.0]))]
    optimizer, momentum, rate = NesterovSGD(network, 0.9), 0.9, 0.1
    place, velocity = 1.0, 0.0
    for _ in range(20):
        optimizer.step([(network[0][0].copy(), np.array([0.0]))], rate)
        velocity = momentum * velocity - rate * (place + momentum * velocity)
        place += velocity
        assert network[0][0].item() == pytest.approx(place + momentum * velocity)


def test_each_epoch_takes_every_row_once_in_another_order(monkeypatch) -> None:
    seen = []

    def record(network, inputs, *_, **__):
        seen.append(inputs[:, 0].tolist())
        return 0.0, [(np.zeros((1, 1)), np.zeros(1))]

    monkeypatch.setattr("ml_platform.estimators.dense_network.loss_and_gradients", record)
    rows = np.arange(10.0)[:, None]
    network, ones = [(np.zeros((1, 1)), np.zeros(1))], np.ones(10)
    steps = descend(
        network, rows, rows, ones, "squared_error", [0.1] * 6,
        batch_size=4, momentum=0.9, alpha=0.0, random=np.random.RandomState(0),
    )  # fmt: skip
    assert len(list(steps)) == 6
    assert [len(batch) for batch in seen] == [4, 4, 2, 4, 4, 2]
    first, second = list(chain(*seen[:3])), list(chain(*seen[3:]))
    assert sorted(first) == sorted(second) == list(range(10))
    assert first != second


def test_the_loss_falls() -> None:
    network = initial_network([5, 7, 1], np.random.RandomState(0))
    target = np.sin(INPUTS[:, :1])
    losses = list(
        descend(
            network, INPUTS, target, np.ones(20), "squared_error", [0.05] * 300,
            batch_size=20, momentum=0.9, alpha=0.0, random=np.random.RandomState(0),
        )
    )  # fmt: skip
    assert losses[-1] < 0.1 * losses[0]


def test_a_copy_stays_as_it_is() -> None:
    network = initial_network([2, 3, 1], np.random.RandomState(0))
    before, copied = flat(network), copy_of(network)
    for weights, bias in network:
        weights += 1
        bias += 1
    assert np.array_equal(flat(copied), before)
