"""The product form of section 3.4 in its three variants."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

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
def matching(make_config: Callable[..., object]) -> FashionBertForMatching:
    torch.manual_seed(1)
    return FashionBertForMatching(make_config(split_layers=1, side_agreement=True)).eval()  # pyright: ignore[reportArgumentType]


def click_model(matching: FashionBertForMatching, image: ClickImage, layers: int | None = None) -> ClickModel:
    return ClickModel.from_matching(matching, image, layers=layers, seed=0).eval()


def asked(model: ClickModel, pictures: Tensor | None) -> Tensor:
    with torch.inference_mode():
        return model(IDS, REAL, TYPES, PLACES, pictures)


def test_the_words_alone_do_not_see_pictures(matching: FashionBertForMatching) -> None:
    model = click_model(matching, "none").matching
    outputs = model.fashionbert(IDS, REAL, token_type_ids=TYPES, position_ids=PLACES)
    torch.testing.assert_close(asked(click_model(matching, "none"), None), model.alignment_head(outputs.pooled_output))
    assert (model.alignment_head.weight - matching.alignment_head.weight).abs().max() > 1e-3  # it is a new one


def test_beside_is_a_linear_function_of_the_mean_feature(matching: FashionBertForMatching, pictures: Tensor) -> None:
    model = click_model(matching, "beside")
    words = model.matching.fashionbert(IDS, REAL, token_type_ids=TYPES, position_ids=PLACES).pooled_output
    assert model.beside is not None
    weight = torch.cat([model.matching.alignment_head.weight, model.beside.weight], dim=1)
    expected = torch.cat([words, pictures.mean(dim=1)], dim=1) @ weight.T + model.matching.alignment_head.bias
    torch.testing.assert_close(asked(model, pictures), expected)


def test_inside_begins_as_the_pair_model_does(matching: FashionBertForMatching, pictures: Tensor) -> None:
    """With the vectors of query and picture, each read by itself; what the one sequence says comes to that."""
    model = click_model(matching, "inside")
    outputs = matching.fashionbert(IDS, REAL, pictures, token_type_ids=TYPES, position_ids=PLACES)
    assert model.matching.alignment_head.weight.abs().max() == 0
    nn.init.normal_(model.matching.alignment_head.weight)
    joined = model.matching.alignment_head(outputs.pooled_output)
    similarity = torch.cat(
        [
            matching.similarity(
                matching.vectors_of_texts(matching.fashionbert.read_texts(IDS[row : row + 1, :end])),
                matching.vectors_of_pictures(
                    matching.fashionbert.read_texts(torch.tensor([[2, 3]])),
                    matching.fashionbert.read_pictures(pictures[row : row + 1]),
                ),
            )
            for row, end in ((0, 4), (1, 3))
        ]
    )
    half = matching.side_agreement.gain * (similarity - matching.side_agreement.threshold) / 2  # pyright: ignore[reportOptionalMemberAccess]
    torch.testing.assert_close(asked(model, pictures), joined + torch.stack([-half, half], dim=1))
    with torch.inference_mode():
        torch.testing.assert_close(model.similarity(IDS, REAL, TYPES, pictures), similarity)
    assert model.config.split_layers == 1
    assert (asked(model, pictures) - asked(model, pictures.flip(0))).abs().max() > 1e-6


def test_a_model_without_vectors_reads_one_sequence(make_config: Callable[..., object], pictures: Tensor) -> None:
    matching = FashionBertForMatching(make_config()).eval()  # pyright: ignore[reportArgumentType]
    outputs = matching.fashionbert(IDS, REAL, pictures, token_type_ids=TYPES, position_ids=PLACES)
    expected = matching.alignment_head(outputs.pooled_output)
    torch.testing.assert_close(asked(click_model(matching, "inside"), pictures), expected)


def test_clicks_teach_the_vectors(matching: FashionBertForMatching, pictures: Tensor) -> None:
    model = click_model(matching, "inside")
    model(IDS, REAL, TYPES, PLACES, pictures)[:, 1].sum().backward()
    assert model.matching.vector_head is not None
    for weights in (model.matching.vector_head.text.weight, model.matching.vector_head.picture.weight):
        assert weights.grad is not None
        assert weights.grad.abs().max() > 0


@pytest.mark.parametrize("image", ["none", "beside", "inside"])
def test_padding_changes_nothing(matching: FashionBertForMatching, pictures: Tensor, image: ClickImage) -> None:
    model = click_model(matching, image)
    given = None if image == "none" else pictures
    alone = None if given is None else given[1:]
    with torch.inference_mode():
        short = model(IDS[1:, :5], REAL[1:, :5], TYPES[1:, :5], PLACES[1:, :5], alone)
    torch.testing.assert_close(asked(model, given)[1:], short, atol=1e-5, rtol=0)


def test_segments_and_positions_count(matching: FashionBertForMatching, pictures: Tensor) -> None:
    model = click_model(matching, "inside")
    nn.init.normal_(model.matching.alignment_head.weight)
    with torch.inference_mode():
        one_segment = model(IDS, REAL, torch.zeros_like(TYPES), PLACES, pictures)
        counted_on = model(IDS, REAL, TYPES, torch.arange(7).expand(2, 7), pictures)
    for other in (one_segment, counted_on):
        assert (asked(model, pictures) - other).abs().max() > 1e-6


def test_the_first_layers_are_those_of_the_encoder(matching: FashionBertForMatching) -> None:
    model = click_model(matching, "inside", layers=1)
    assert len(model.matching.fashionbert.bert.encoder.layer) == 1
    theirs, new = matching.state_dict(), {"alignment_head.weight", "alignment_head.bias"}
    found = model.matching.state_dict()
    assert all(torch.equal(value, theirs[name]) for name, value in found.items() if name not in new)
    assert model.config.split_layers == 0
    with pytest.raises(ValueError, match="3 layers are asked for, the encoder has 2"):
        click_model(matching, "inside", layers=3)


@pytest.mark.parametrize(("image", "given"), [("none", True), ("beside", False), ("inside", False)])
def test_pictures_where_they_are_read_and_nowhere_else(
    matching: FashionBertForMatching, pictures: Tensor, image: ClickImage, given: bool
) -> None:
    with pytest.raises(ValueError, match=r"needs pictures|reads no pictures"):
        asked(click_model(matching, image), pictures if given else None)


def test_the_head_depends_on_the_seed_alone(matching: FashionBertForMatching) -> None:
    before = torch.random.get_rng_state()
    heads = [
        ClickModel.from_matching(matching, "none", layers=None, seed=seed).matching.alignment_head.weight
        for seed in (1, 1, 2)
    ]
    assert torch.equal(heads[0], heads[1])
    assert not torch.equal(heads[0], heads[2])
    assert torch.equal(before, torch.random.get_rng_state())
