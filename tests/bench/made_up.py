"""Contenders of no use but to be measured."""

import os

import numpy as np

from fashionbert.bench.contender import Work


def constant(value: float, count: int = 3) -> Work:
    return lambda: np.full(count, value, np.float32)


def not_installed() -> Work:
    raise ModuleNotFoundError("No module named 'rival'", name="rival")


def broken() -> Work:
    raise ValueError("no such setting\nand more")


def dead() -> Work:
    os._exit(3)
