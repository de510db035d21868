"""The product form of section 3.4 in its three variants."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from fashionbert.model import FashionBertForMatching
from fashionbert.model.clicks import ClickImage, ClickModel

IDS = torch.tensor([[2, 5, 6, 3, 7, 8, 3], [2, 9, 3, 10, 3, 0, 0]])
REAL = IDS > 0
TYPES = torch.tensor([[0, 0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, 0, 0]])
PLACES = torch.tensor([[0, 1, 2, 3, 1, 2, 3], [0, 1, 2, 1, 2, 0, 0]])


@pytest.fixture
def pictures() -> Tensor:
    return torch.randn(2, 9, 6, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def encoder(make_config: Callable[..., object]) -> FashionBertForMatching:
    torch.manual_seed(1)
    return FashionBertForMatching(make_config(split_layers=1, side_agreement=True)).eval()  # pyright: ignore[reportArgumentType]


def click_model(encoder: FashionBertForMatching, image: ClickImage, layers: int | None = None) -> ClickModel:
    return ClickModel.from_encoder(encoder.fashionbert, image, layers=layers, seed=0).eval()


def asked(model: ClickModel, pictures: Tensor | None) -> Tensor:
    with torch.inference_mode():
        return model(IDS, REAL, TYPES, PLACES, pictures)


def test_the_words_alone_do_not_see_pictures(encoder: FashionBertForMatching) -> None:
    model = click_model(encoder, "none")
    outputs = model.fashionbert(IDS, REAL, token_type_ids=TYPES, position_ids=PLACES)
    torch.testing.assert_close(asked(model, None), model.head(outputs.pooled_output))


def test_beside_is_a_linear_function_of_the_mean_feature(encoder: FashionBertForMatching, pictures: Tensor) -> None:
    model = click_model(encoder, "beside")
    words = model.fashionbert(IDS, REAL, token_type_ids=TYPES, position_ids=PLACES).pooled_output
    expected = model.head(torch.cat([words, pictures.mean(dim=1)], dim=1))
    torch.testing.assert_close(asked(model, pictures), expected)


def test_inside_is_one_sequence(encoder: FashionBertForMatching, pictures: Tensor) -> None:
    model = click_model(encoder, "inside")
    outputs = model.fashionbert(IDS, REAL, pictures, token_type_ids=TYPES, position_ids=PLACES)
    torch.testing.assert_close(asked(model, pictures), model.head(outputs.pooled_output))
    assert model.config.split_layers == 0
    assert (asked(model, pictures) - asked(model, pictures.flip(0))).abs().max() > 1e-6


@pytest.mark.parametrize("image", ["none", "beside", "inside"])
def test_padding_changes_nothing(encoder: FashionBertForMatching, pictures: Tensor, image: ClickImage) -> None:
    model = click_model(encoder, image)
    given = None if image == "none" else pictures
    alone = None if given is None else given[1:]
    with torch.inference_mode():
        short = model(IDS[1:, :5], REAL[1:, :5], TYPES[1:, :5], PLACES[1:, :5], alone)
    torch.testing.assert_close(asked(model, given)[1:], short, atol=1e-5, rtol=0)


def test_segments_and_positions_count(encoder: FashionBertForMatching, pictures: Tensor) -> None:
    model = click_model(encoder, "inside")
    with torch.inference_mode():
        one_segment = model(IDS, REAL, torch.zeros_like(TYPES), PLACES, pictures)
        counted_on = model(IDS, REAL, TYPES, torch.arange(7).expand(2, 7), pictures)
    for other in (one_segment, counted_on):
        assert (asked(model, pictures) - other).abs().max() > 1e-6


def test_the_first_layers_are_those_of_the_encoder(encoder: FashionBertForMatching) -> None:
    model = click_model(encoder, "inside", layers=1)
    assert len(model.fashionbert.bert.encoder.layer) == 1
    theirs = encoder.fashionbert.state_dict()
    assert all(torch.equal(value, theirs[name]) for name, value in model.fashionbert.state_dict().items())
    with pytest.raises(ValueError, match="3 layers are asked for, the encoder has 2"):
        click_model(encoder, "inside", layers=3)


@pytest.mark.parametrize(("image", "given"), [("none", True), ("beside", False), ("inside", False)])
def test_pictures_where_they_are_read_and_nowhere_else(
    encoder: FashionBertForMatching, pictures: Tensor, image: ClickImage, given: bool
) -> None:
    with pytest.raises(ValueError, match=r"needs pictures|reads no pictures"):
        asked(click_model(encoder, image), pictures if given else None)


def test_the_head_depends_on_the_seed_alone(encoder: FashionBertForMatching) -> None:
    before = torch.random.get_rng_state()
    heads = [
        ClickModel.from_encoder(encoder.fashionbert, "none", layers=None, seed=seed).head.weight for seed in (1, 1, 2)
    ]
    assert torch.equal(heads[0], heads[1])
    assert not torch.equal(heads[0], heads[2])
    assert torch.equal(before, torch.random.get_rng_state())
