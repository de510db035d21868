"""Against the authors' own code: numbers that EasyTransfer's FashionBERT gave for one small batch."""

from pathlib import Path

import pytest
import torch

from fashionbert.interop import read_case
from fashionbert.objectives import alignment_loss, masked_patch_loss, masked_word_loss, released_weights

Case = dict[str, torch.Tensor]
pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def case(shared: Path) -> Case:
    return read_case(shared / "parity" / "easytransfer_tiny" / "case.npz")


def losses(case: Case) -> torch.Tensor:
    real = case["masked_lm_weights"] > 0
    words = masked_word_loss(case["mlm_logits"][real], case["masked_lm_ids"][real])
    match = alignment_loss(case["nsp_logits"], case["nx_sent_labels"])
    patches = masked_patch_loss(case["mpm_logits"].flatten(0, 1), case["target_raw_patch_features"].flatten(0, 1))
    return torch.stack([words, match, patches])


def test_losses(case: Case) -> None:
    theirs = torch.stack([case["masked_lm_loss"], case["next_sentence_loss"], case["image_loss"]])
    torch.testing.assert_close(losses(case), theirs, atol=1e-4, rtol=0)


def test_weights_and_the_weighed_loss(case: Case) -> None:
    weights = released_weights(losses(case))
    torch.testing.assert_close(weights, case["adaptive_weights"], atol=1e-5, rtol=0)
    torch.testing.assert_close((weights * losses(case)).sum(), case["adaptive_loss"], atol=1e-4, rtol=0)


def test_the_features_that_count_are_the_masked_ones(case: Case) -> None:
    places = case["masked_patch_positions"]
    picked = case["image_feature"].gather(1, places[..., None].expand(-1, -1, case["image_feature"].shape[-1]))
    torch.testing.assert_close(picked, case["target_raw_patch_features"])
