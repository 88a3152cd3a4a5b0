"""A small dense network in NumPy: layers with ReLU between them, its gradients, and SGD with Nesterov momentum.

It knows no estimator: `snapshot_ensemble` says what is fitted, and when the learning rate falls.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Layer = tuple[Matrix, Matrix]  # weights, shape (n_inputs, n_outputs), and bias, shape (n_outputs,), or their gradients
Network = list[Layer]
Objective = Literal["cross_entropy", "squared_error"]

_TINY = np.finfo(np.float64).tiny  # its logarithm is finite


def initial_network(sizes: Sequence[int], random: np.random.RandomState) -> Network:
    """Draw weights with variance 2 / n_inputs; biases are 0.

    Source: K. He et al., Delving Deep into Rectifiers (ICCV 2015), section 2.2.

    Args:
        sizes: number of inputs, of units of each hidden layer, and of outputs.
        random: draws the weights.
    """
    return [
        (random.normal(0.0, np.sqrt(2.0 / inputs), (inputs, outputs)), np.zeros(outputs))
        for inputs, outputs in pairwise(sizes)
    ]


def outputs_of(network: Network, inputs: Matrix) -> Matrix:
    """Return the outputs of the last layer, shape (n_rows, n_outputs), for inputs of shape (n_rows, n_inputs)."""
    return _activations(network, inputs)[-1]


def _activations(network: Network, inputs: Matrix) -> list[Matrix]:
    """Return the inputs and the values of each layer; the last one is linear."""
    values = [inputs]
    for weights, bias in network[:-1]:
        values.append(np.maximum(values[-1] @ weights + bias, 0.0))
    weights, bias = network[-1]
    return [*values, values[-1] @ weights + bias]


def softmax(outputs: Matrix) -> Matrix:
    """Return probabilities, shape (n_rows, n_classes); finite outputs of any size give finite probabilities."""
    exponentials: Matrix = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    exponentials /= exponentials.sum(axis=1, keepdims=True)
    return exponentials


def loss_and_gradients(
    network: Network, inputs: Matrix, targets: Matrix, row_weights: Matrix, *, alpha: float, objective: Objective
) -> tuple[float, Network]:
    """Return the mean loss of a batch with its penalty, and the gradients of all parameters.

    Args:
        network: the parameters.
        inputs: shape (n_rows, n_inputs).
        targets: shape (n_rows, n_outputs); for cross entropy the probability of each class.
        row_weights: shape (n_rows,).
        alpha: strength of the penalty: half of it times the sum of the squared weights; biases have none.
        objective: cross entropy of the softmax, or half the squared error.
    """
    values = _activations(network, inputs)
    shares = row_weights[:, None] / len(inputs)
    if objective == "cross_entropy":
        predictions = softmax(values[-1])
        loss = -float(np.sum(shares * targets * np.log(np.maximum(predictions, _TINY))))
    else:
        predictions = values[-1]
        loss = float(np.sum(shares * (predictions - targets) ** 2)) / 2
    loss += alpha / 2 * sum(float(np.sum(weights**2)) for weights, _ in network)
    delta, gradients = shares * (predictions - targets), list[Layer]()  # the same for both objectives
    for (weights, _), value in zip(reversed(network), reversed(values[:-1]), strict=True):
        gradients.append((value.T @ delta + alpha * weights, delta.sum(axis=0)))
        if value is not inputs:
            delta = (delta @ weights.T) * (value > 0)
    return loss, gradients[::-1]


class NesterovSGD:
    """Stochastic gradient descent with Nesterov momentum; it changes the parameters of a network in place.

    Source: I. Sutskever et al., On the importance of initialization and momentum in deep learning (ICML 2013), section
    2, written for the parameters that it looks ahead from.
    """

    def __init__(self, network: Network, momentum: float) -> None:
        """Start with a velocity of 0."""
        self._momentum = momentum
        self._parameters = [parameter for layer in network for parameter in layer]
        self._velocities = [np.zeros_like(parameter) for parameter in self._parameters]

    def step(self, gradients: Network, learning_rate: float) -> None:
        """Follow the gradients of one batch."""
        flat = (gradient for layer in gradients for gradient in layer)
        for parameter, velocity, gradient in zip(self._parameters, self._velocities, flat, strict=True):
            velocity *= self._momentum
            velocity -= learning_rate * gradient
            parameter += self._momentum * velocity - learning_rate * gradient


def descend(
    network: Network, inputs: Matrix, targets: Matrix, row_weights: Matrix, objective: Objective,
    rates: Iterable[float], *, batch_size: int, momentum: float, alpha: float, random: np.random.RandomState,
) -> Iterator[float]:  # fmt: skip
    """Take one step for each learning rate, and yield the loss of its batch before the step.

    Args:
        network: changed in place.
        inputs: see `loss_and_gradients`, as for the next three and alpha.
        targets: see there.
        row_weights: see there.
        objective: see there.
        rates: the learning rate of each step.
        batch_size: number of rows of a step; the last batch of an epoch may have fewer.
        momentum: see `NesterovSGD`.
        alpha: see there.
        random: draws the order of the rows of each epoch.
    """
    optimizer = NesterovSGD(network, momentum)
    for rate, rows in zip(rates, _batches(len(inputs), batch_size, random), strict=False):
        batch = inputs[rows], targets[rows], row_weights[rows]
        loss, gradients = loss_and_gradients(network, *batch, alpha=alpha, objective=objective)
        optimizer.step(gradients, rate)
        yield loss


def _batches(rows: int, size: int, random: np.random.RandomState) -> Iterator[NDArray[np.intp]]:
    """Yield the positions of the rows of each batch, without end; an epoch takes every row once."""
    while True:
        order = random.permutation(rows)
        yield from (order[start : start + size] for start in range(0, rows, size))


def copy_of(network: Network) -> Network:
    """Return a copy, which further steps do not change."""
    return [(weights.copy(), bias.copy()) for weights, bias in network]
