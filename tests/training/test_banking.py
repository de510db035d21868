"""The bank is filled when the pair stage begins and before each of its validations."""

from pathlib import Path

import numpy as np
import torch

from fashionbert.catalogue import Catalogue
from fashionbert.data import build_examples
from fashionbert.images.store import FeatureStore
from fashionbert.scoring import Scorer
from fashionbert.training.banking import fill_bank

from .conftest import Run

WITH_BANK = {"model.bank_size": 20}


def test_the_bank_holds_training_sides_of_the_model_that_was_kept(
    run: Run, catalogue: Catalogue, store: FeatureStore, tmp_path: Path
) -> None:
    run({**WITH_BANK, "training.epochs": 1, "training.contrastive_epochs": 0.5, "training.validate_every": 0.5})
    scorer = Scorer.from_pretrained(tmp_path / "run")
    bank = scorer.model.bank
    assert bank is not None
    examples = build_examples(
        catalogue.split("train"), store, scorer.processor.tokenizer, max_tokens=64, all_pictures=True
    )
    rows = np.linspace(0, len(examples) - 1, 20).round().astype(int)
    texts = scorer.encode_tokens(examples.texts)[rows]
    pictures = scorer.encode_features(examples.read_features(np.arange(len(examples))))[rows]
    np.testing.assert_allclose(bank.texts.numpy(), texts, atol=1e-5)
    np.testing.assert_allclose(bank.pictures.numpy(), pictures, atol=1e-5)


def test_a_bank_larger_than_the_split(run: Run, catalogue: Catalogue, store: FeatureStore, tmp_path: Path) -> None:
    run({**WITH_BANK, "training.epochs": 0.05})
    scorer = Scorer.from_pretrained(tmp_path / "run")
    few = catalogue.split("train").subset([number < 3 for number in range(len(catalogue.split("train")))])
    examples = build_examples(few, store, scorer.processor.tokenizer, max_tokens=64, all_pictures=False)
    fill_bank(scorer, examples)
    assert scorer.model.bank is not None
    assert len(torch.unique(scorer.model.bank.texts.round(decimals=4), dim=0)) == 3
