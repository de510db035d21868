"""The page of full-size figures is what the newest measurement says, and its hours follow from its rates."""

from types import ModuleType
from typing import Any

import pytest

from .conftest import load_script


@pytest.fixture(scope="module")
def full_size() -> ModuleType:
    return load_script("full_size")


@pytest.fixture(scope="module")
def result(full_size: ModuleType) -> dict[str, Any]:
    return full_size.newest_result()


def test_the_page_is_what_was_measured(full_size: ModuleType, result: dict[str, Any]) -> None:
    assert full_size.PAGE.read_text("utf-8") == full_size.page(result), "run: python docs/full_size.py"


@pytest.mark.parametrize(
    ("shape", "network", "words"),
    [("paper", 86_742_336, 448), ("released", 23_508_032, 64), ("inception_v3", 21_785_568, 448)],
)
def test_the_published_shapes_were_measured(result: dict[str, Any], shape: str, network: int, words: int) -> None:
    measured = result["shapes"][shape]
    for mode in ("crop", "grid"):
        assert measured[mode]["network_parameters"] == network
        assert measured[mode]["shape_a_picture"] == [64, 2048]
    assert measured["training"]["model_parameters"] == 113_304_380
    assert measured["training"]["tokens"] == [words, 64]


@pytest.mark.parametrize("shape", ["paper", "released", "inception_v3"])
def test_hours_follow_from_rates(result: dict[str, Any], shape: str) -> None:
    measured, cost = result["shapes"][shape], result["fashion_gen"][shape]
    for mode in ("crop", "grid"):
        assert cost[f"hours_features_{mode}"] == pytest.approx(293_008 * measured[mode]["seconds_a_picture"] / 3600)
    assert cost["gigabytes_store"] == pytest.approx(76.8, abs=0.05)
    assert cost["steps"] == cost["epochs"] * 4070
    assert cost["hours_training"] == pytest.approx(cost["steps"] * measured["training"]["seconds_a_step"] / 3600)
    assert cost["hours_scoring"] == pytest.approx(202_000 * measured["training"]["seconds_a_scored_pair"] / 3600)
