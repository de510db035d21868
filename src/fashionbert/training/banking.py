"""Filling the model's bank of vectors with training sides."""

import numpy as np
import torch

from fashionbert.data import Examples
from fashionbert.scoring import Scorer


def fill_bank(scorer: Scorer, examples: Examples) -> None:
    """Read texts and pictures, evenly spread over the training split, and keep their vectors in the model's bank.

    A split with fewer rows than the bank has places fills it with some of them twice, which a mean does not mind. A
    model without a bank is left as it is.

    Args:
        scorer: of the model.
        examples: training split.
    """
    bank = scorer.model.bank
    if bank is None:
        return
    rows = np.linspace(0, len(examples) - 1, len(bank.texts)).round().astype(np.int64)
    texts_RE = scorer.encode_tokens(examples.texts.rows(rows))
    pictures_RE = scorer.encode_features(lambda places: examples.read_features(rows[places]), len(rows))
    bank.fill(torch.from_numpy(texts_RE), torch.from_numpy(pictures_RE))
