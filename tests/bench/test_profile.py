from types import SimpleNamespace

import numpy as np
import pytest
import torch

from fashionbert.bench.profile import OPTIMIZER, REST, kind_of, profile_work


def event(name: str, *parents: str) -> SimpleNamespace:
    above = event(*parents) if parents else None
    return SimpleNamespace(name=name, cpu_parent=above)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("aten::mm", "products of matrices"),
        ("aten::addmm", "products of matrices"),
        ("aten::_scaled_dot_product_flash_attention_for_cpu_backward", "attention"),
        ("aten::gelu_backward", "GELU and LayerNorm"),
        ("aten::native_layer_norm", "GELU and LayerNorm"),
        ("aten::_log_softmax_backward_data", "losses"),
        ("aten::linalg_vector_norm", "norms of gradients"),
        ("aten::add_", "residuals, sums of gradients"),
        ("aten::copy_", "copies"),
        ("aten::_index_put_impl_", "copies"),
        ("AddmmBackward0", REST),
        ("aten::view", REST),
    ],
)
def test_operators_have_a_kind(name: str, kind: str) -> None:
    assert kind_of(event(name)) == kind


def test_what_an_optimizer_calls_is_the_optimizers() -> None:
    assert kind_of(event("aten::add_", "aten::lerp_", "Optimizer.step#AdamW.step")) == OPTIMIZER


def test_a_product_is_found_where_it_is_all_there_is() -> None:
    matrix = torch.rand(400, 400)

    def work() -> np.ndarray:
        (matrix @ matrix).relu_()
        return np.zeros(0, np.float32)

    found = profile_work(work, repetitions=2)
    assert next(iter(found)) == "products of matrices"
    assert list(found.values()) == sorted(found.values(), reverse=True)
