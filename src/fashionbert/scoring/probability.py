"""From the margin of two logits to a probability, and the line that sets one right (Platt, 1999).

Letters: n scores.
"""

import numpy as np
from numpy.typing import NDArray

_NEWTON_STEPS = 100
_RIDGE = 1e-6


def match_probability(margins: NDArray[np.floating]) -> NDArray[np.float64]:
    """Softmax over two logits, from their difference: ``1 / (1 + exp(-margin))``, without overflow.

    In float64, where probabilities that float32 would round to 1 stay apart and can still be ranked.
    """
    return 0.5 * (1.0 + np.tanh(0.5 * margins.astype(np.float64)))


def fit_line(margins_n: NDArray[np.floating], right_n: NDArray[np.bool_]) -> tuple[float, float]:
    """Fit ``sigmoid(slope * margin + offset)`` to what was right, by maximum likelihood.

    Platt's targets, which keep a little away from 0 and 1, make the fit exist where margins part right from wrong.

    Args:
        margins_n: log-odds, or any score that rises with what is to be right.
        right_n: whether each was right.

    Returns:
        Slope and offset.

    Raises:
        ValueError: all are right, or none is.
    """
    right = int(right_n.sum())
    wrong = len(right_n) - right
    if not right or not wrong:
        raise ValueError(f"{right} right ones and {wrong} wrong ones: a line needs both")
    targets = np.where(right_n, (right + 1) / (right + 2), 1 / (wrong + 2))
    inputs_n2 = np.stack([np.asarray(margins_n, np.float64), np.ones(len(margins_n))], axis=1)
    line = np.array([0.0, np.log((right + 1) / (wrong + 1))])
    for _ in range(_NEWTON_STEPS):
        predicted = 0.5 * (1.0 + np.tanh(0.5 * (inputs_n2 @ line)))
        gradient = inputs_n2.T @ (predicted - targets)
        curvature = (inputs_n2 * (predicted * (1 - predicted))[:, None]).T @ inputs_n2 + _RIDGE * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        line = line - step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < 1e-10:
            break
    return float(line[0]), float(line[1])
