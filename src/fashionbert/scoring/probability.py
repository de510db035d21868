"""From the margin of two logits to a probability."""

import numpy as np
from numpy.typing import NDArray


def match_probability(margins: NDArray[np.floating]) -> NDArray[np.float64]:
    """Softmax over two logits, from their difference: ``1 / (1 + exp(-margin))``, without overflow.

    In float64, where probabilities that float32 would round to 1 stay apart and can still be ranked.
    """
    return 0.5 * (1.0 + np.tanh(0.5 * margins.astype(np.float64)))
