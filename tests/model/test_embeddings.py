from collections.abc import Callable

import pytest
import torch

from fashionbert.model import FashionBertConfig
from fashionbert.model.embeddings import PatchEmbeddings


def test_by_hand(make_config: Callable[..., FashionBertConfig]) -> None:
    """Projection + place + last segment, then LayerNorm."""
    embeddings = PatchEmbeddings(make_config()).eval()
    features = torch.randn(2, 9, 6)
    raw = features @ embeddings.projection.weight.T
    raw = raw + embeddings.position_embeddings.weight + embeddings.segment_embeddings.weight[1]
    by_hand = (raw - raw.mean(-1, keepdim=True)) / (raw.var(-1, keepdim=True, unbiased=False) + 1e-12).sqrt()
    torch.testing.assert_close(embeddings(features), by_hand, atol=1e-5, rtol=0)
    assert embeddings.projection.bias is None


def test_standardised_features(make_config: Callable[..., FashionBertConfig]) -> None:
    embeddings = PatchEmbeddings(make_config(standardise_features=True)).eval()
    plain = PatchEmbeddings(make_config()).eval()
    plain.load_state_dict({name: value for name, value in embeddings.state_dict().items() if "feature_" not in name})
    embeddings.feature_mean.copy_(torch.arange(6))
    embeddings.feature_deviation.fill_(2.0)
    features = torch.randn(2, 9, 6)
    torch.testing.assert_close(embeddings(features * 2 + torch.arange(6)), plain(features), atol=1e-5, rtol=0)
    masked = torch.zeros(2, 9, dtype=torch.bool)
    masked[0, 0] = True
    torch.testing.assert_close(embeddings(features, masked)[0, 0], plain(torch.zeros(1, 9, 6))[0, 0])


def test_stored_half_precision_is_read(make_config: Callable[..., FashionBertConfig]) -> None:
    embeddings = PatchEmbeddings(make_config()).eval()
    features = torch.randn(1, 9, 6).half()
    torch.testing.assert_close(embeddings(features), embeddings(features.float()))


def test_too_many_patches(make_config: Callable[..., FashionBertConfig]) -> None:
    with pytest.raises(ValueError, match="16 patches a picture, but the model was built for 9"):
        PatchEmbeddings(make_config())(torch.zeros(1, 16, 6))
