"""How far an export is from its model."""

import numpy as np
import pytest

from fashionbert.interop.onnx_parity import difference


def test_differences_by_hand() -> None:
    expected = np.array([0.0, 1.0, 2.0, 3.0], np.float32)
    found = np.array([0.5, 1.0, 3.5, 3.0], np.float32)
    by_hand = difference(found, expected)
    assert (by_hand.pairs, by_hand.largest, by_hand.mean) == (4, 1.5, 0.5)
    assert by_hand.rank_correlation == pytest.approx(0.8)
