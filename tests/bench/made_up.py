"""Contenders of no use but to be measured."""

import os

import numpy as np
from numpy.typing import NDArray

from fashionbert.bench.contender import Work
from fashionbert.errors import SettingsError


def constant(value: float, count: int = 3) -> Work:
    return lambda: np.full(count, value, np.float32)


def not_installed() -> Work:
    raise ModuleNotFoundError("No module named 'rival'", name="rival")


def broken() -> Work:
    raise ValueError("no such setting\nand more")


def dead() -> Work:
    os._exit(3)


def dies_later() -> Work:
    turns = iter(range(2))

    def work() -> NDArray[np.float32]:
        if next(turns, None) is None:
            os._exit(9)
        return np.zeros(1, np.float32)

    return work


def too_old() -> Work:
    raise ImportError("cannot import name 'new' from 'rival'", name="rival")


def counting() -> Work:
    """Gives how often it was done before."""
    times = iter(range(100))
    return lambda: np.full(1, next(times), np.float32)


def refused() -> Work:
    raise SettingsError("it cannot be", ["one thing", "another"])
