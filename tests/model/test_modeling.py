from collections.abc import Callable
from typing import TypeAlias

import pytest
import torch
from transformers import BertModel

from fashionbert.model import FashionBertConfig, FashionBertForMatching, FashionBertForPreTraining, Meeting, frame_ids

Inputs: TypeAlias = dict[str, torch.Tensor]
Model: TypeAlias = FashionBertForPreTraining
CLOSE = {"atol": 1e-5, "rtol": 0}


def test_shapes(model: Model, inputs: Inputs) -> None:
    outputs = model(**inputs)
    assert outputs.last_hidden_state.shape == (4, 7 + 9, 16)
    assert outputs.pooled_output.shape == (4, 16)
    assert outputs.alignment_logits.shape == (4, 2)
    assert outputs.attention_mask.sum(dim=1).tolist() == [7 + 9, 4 + 9, 6 + 9, 2 + 9]
    assert outputs.attentions is None


def test_words_alone_are_read_as_bert_reads_them(model: Model, inputs: Inputs) -> None:
    bert = BertModel(model.config).eval()
    bert.load_state_dict(model.fashionbert.bert.state_dict())
    real = inputs["attention_mask"].bool()
    theirs = bert(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"])
    ours = model.fashionbert(inputs["input_ids"], inputs["attention_mask"])
    torch.testing.assert_close(ours.last_hidden_state[real], theirs.last_hidden_state[real], **CLOSE)
    torch.testing.assert_close(ours.pooled_output, theirs.pooler_output, **CLOSE)


def test_alignment_reads_the_pooler(model: Model, inputs: Inputs) -> None:
    outputs = model(**inputs)
    by_hand = torch.tanh(model.fashionbert.bert.pooler.dense(outputs.last_hidden_state[:, 0]))  # pyright: ignore[reportOptionalMemberAccess]
    torch.testing.assert_close(outputs.pooled_output, by_hand)
    torch.testing.assert_close(outputs.alignment_logits, model.alignment_head(by_hand))


@pytest.mark.parametrize("padding", [1, 5, 17])
def test_text_padding_changes_nothing(model: Model, inputs: Inputs, padding: int) -> None:
    wide = {
        "input_ids": torch.cat([inputs["input_ids"], torch.full((4, padding), 3)], dim=1),
        "attention_mask": torch.cat([inputs["attention_mask"], torch.zeros(4, padding, dtype=torch.int64)], dim=1),
        "patch_features": inputs["patch_features"],
    }
    narrow_out, wide_out = model(**inputs), model(**wide)
    torch.testing.assert_close(wide_out.alignment_logits, narrow_out.alignment_logits, **CLOSE)
    patches = wide_out.last_hidden_state[:, -9:], narrow_out.last_hidden_state[:, -9:]
    torch.testing.assert_close(*patches, **CLOSE)
    text_vectors = [model.text_vectors(side["input_ids"], side["attention_mask"]) for side in (wide, inputs)]
    torch.testing.assert_close(*text_vectors, **CLOSE)


def test_batch_size_and_order_change_nothing(model: Model, inputs: Inputs) -> None:
    together = model(**inputs).alignment_logits
    for row, length in enumerate([7, 4, 6, 2]):
        alone = {name: value[row : row + 1] for name, value in inputs.items()}
        alone = {name: value if name == "patch_features" else value[:, :length] for name, value in alone.items()}
        torch.testing.assert_close(model(**alone).alignment_logits[0], together[row], **CLOSE)
    order = torch.tensor([2, 0, 3, 1])
    shuffled = model(**{name: value[order] for name, value in inputs.items()}).alignment_logits
    torch.testing.assert_close(shuffled, together[order], **CLOSE)


def test_what_stands_under_the_patch_mask_changes_nothing(model: Model, inputs: Inputs) -> None:
    real = torch.ones(4, 9, dtype=torch.int64)
    real[:, 6:] = 0
    other = inputs["patch_features"].clone()
    other[:, 6:] = 99.0
    first = model(**inputs, patch_mask=real).alignment_logits
    second = model(**{**inputs, "patch_features": other}, patch_mask=real).alignment_logits
    torch.testing.assert_close(second, first, **CLOSE)
    assert (model(**inputs).alignment_logits - first).abs().max() > 1e-3


def test_fewer_patches_are_as_the_others_hidden(model: Model, inputs: Inputs) -> None:
    places = torch.tensor([[0, 3, 4, 8]]).expand(4, -1)
    real = torch.zeros(4, 9, dtype=torch.int64).scatter_(1, places, 1)
    hidden = model(**inputs, patch_mask=real)
    features = inputs["patch_features"].gather(1, places[..., None].expand(-1, -1, 6))
    subset = model(**{**inputs, "patch_features": features}, patch_positions=places)
    torch.testing.assert_close(subset.alignment_logits, hidden.alignment_logits, **CLOSE)
    wrong_places = model(**{**inputs, "patch_features": features}, patch_positions=places.flip(1))
    assert (wrong_places.alignment_logits - hidden.alignment_logits).abs().max() > 1e-3


@pytest.mark.parametrize("content", [0.0, 1e4, float("nan"), float("inf")])
def test_a_masked_patch_is_zero_whatever_it_holds(model: Model, inputs: Inputs, content: float) -> None:
    masked = torch.zeros(4, 9, dtype=torch.bool)
    masked[:, [1, 7]] = True
    zeroed = inputs["patch_features"].masked_fill(masked[..., None], 0.0)
    other = inputs["patch_features"].masked_fill(masked[..., None], content)
    by_hand = model(**{**inputs, "patch_features": zeroed}).alignment_logits
    torch.testing.assert_close(
        model(**{**inputs, "patch_features": other}, masked_patches=masked).alignment_logits, by_hand, **CLOSE
    )


def test_segments_and_places_of_words_can_be_given(model: Model, inputs: Inputs) -> None:
    """Query and title (paper section 3.4): another segment, places that start again."""
    plain = model(**inputs).alignment_logits
    zeros = torch.zeros_like(inputs["input_ids"])
    torch.testing.assert_close(
        model(**inputs, token_type_ids=zeros, position_ids=torch.arange(7)[None]).alignment_logits, plain
    )
    for changed in ({"token_type_ids": zeros + 1}, {"position_ids": torch.tensor([[0, 1, 2, 0, 1, 2, 3]])}):
        assert (model(**inputs, **changed).alignment_logits - plain).abs().max() > 1e-3


def test_word_logits_use_the_word_table_and_any_places(model: Model, inputs: Inputs) -> None:
    hidden = model(**inputs).last_hidden_state[[0, 0, 3], [1, 4, 0]]
    table = model.fashionbert.bert.embeddings.word_embeddings.weight
    by_hand = model.word_head.transform(hidden) @ table.T + model.word_head.bias
    torch.testing.assert_close(model.word_logits(hidden), by_hand)
    assert model.patch_logits(hidden).shape == (3, 6)
    assert sum(parameter.shape == table.shape for parameter in model.parameters()) == 1


def test_vectors_have_length_one(model: Model, inputs: Inputs) -> None:
    texts = model.text_vectors(inputs["input_ids"], inputs["attention_mask"])
    pictures = model.picture_vectors(torch.tensor([[2, 3]]).expand(4, -1), patch_features=inputs["patch_features"])
    for vectors in (texts, pictures):
        assert vectors.shape == (4, 8)
        torch.testing.assert_close(vectors.norm(dim=1), torch.ones(4))
    by_hand = model.fashionbert(inputs["input_ids"], inputs["attention_mask"]).last_hidden_state[1, :4].mean(dim=0)
    head = model.vector_head
    assert head is not None
    torch.testing.assert_close(texts[1], torch.nn.functional.normalize(head.text(by_hand), dim=0), **CLOSE)


def test_temperature(model: Model) -> None:
    head = model.vector_head
    assert head is not None
    head.set_temperature(0.05)
    assert head.scale.item() == pytest.approx(20.0, rel=1e-5)
    head.set_temperature(1e-5)
    assert head.scale.item() == 100.0


@pytest.fixture(params=[0, 5])
def agreeing(
    make_config: Callable[..., FashionBertConfig], model: Model, request: pytest.FixtureRequest
) -> FashionBertForPreTraining:
    """The same model with the side agreement switched on, without and with late interaction."""
    config = make_config(
        side_agreement=True, split_layers=model.config.split_layers, late_interaction_size=request.param
    )
    built = FashionBertForPreTraining(config).eval()
    built.load_state_dict(model.state_dict(), strict=False)
    assert built.vector_head is not None
    built.vector_head.set_temperature(0.2)
    assert built.side_agreement is not None
    built.side_agreement.threshold.data.fill_(0.5)
    if built.place_head is not None:
        built.place_head.set_temperature(0.1)
        for parameter in built.place_head.parameters():
            if parameter.ndim > 1:
                parameter.data.normal_(0.0, 0.4)
    return built


def test_side_agreement_by_hand(agreeing: FashionBertForPreTraining, model: Model, inputs: Inputs) -> None:
    """It adds half of (similarity - 0.5) for the match and as much against it, the sides read by themselves."""
    frame = torch.stack([inputs["input_ids"][1, 0], inputs["input_ids"][1, 3]])[None]
    encoder = agreeing.fashionbert
    text = agreeing.vectors_of_texts(encoder.read_texts(inputs["input_ids"][1:2, :4]))
    patches = encoder.read_pictures(inputs["patch_features"][1:2])
    picture = agreeing.vectors_of_pictures(encoder.read_texts(frame), patches)
    similarity = 5 * (text.pooled[0] @ picture.pooled[0])
    if agreeing.place_head is not None:
        assert text.places is not None
        assert picture.places is not None
        assert text.places.vectors.shape == (1, 4, 5)
        assert picture.places.vectors.shape == (1, 9, 5)
        cosine_TP = text.places.vectors[0] @ picture.places.vectors[0].T
        by_words = (cosine_TP.max(dim=1).values * text.places.weights[0]).sum()
        by_patches = (cosine_TP.max(dim=0).values * picture.places.weights[0]).sum()
        similarity = (similarity + 10 * (by_words + by_patches) / 2) / 2
    margin = similarity - 0.5
    expected = model(**inputs).alignment_logits[1] + torch.stack([-margin / 2, margin / 2])
    torch.testing.assert_close(agreeing(**inputs).alignment_logits[1], expected, atol=1e-4, rtol=0)


def test_the_texts_own_vector_knows_segments_and_positions(agreeing: FashionBertForPreTraining, inputs: Inputs) -> None:
    segments, positions = torch.tensor([[0, 0, 0, 1, 1, 1, 1]] * 4), torch.tensor([[0, 1, 2, 0, 1, 2, 3]])
    encoder, ids, mask = agreeing.fashionbert, inputs["input_ids"], inputs["attention_mask"]
    texts = encoder.read_texts(ids, mask, segments, positions)
    pictures = encoder.read_pictures(inputs["patch_features"])
    picture_vectors = agreeing.vectors_of_pictures(encoder.read_texts(frame_ids(ids, mask)), pictures)
    expected = agreeing.join(texts, pictures, (agreeing.vectors_of_texts(texts), picture_vectors)).alignment_logits
    found = agreeing(**inputs, token_type_ids=segments, position_ids=positions).alignment_logits
    torch.testing.assert_close(found, expected, **CLOSE)


def test_the_alignment_task_does_not_move_the_vectors(agreeing: Model, inputs: Inputs) -> None:
    agreeing(**inputs).alignment_logits.sum().backward()
    head = agreeing.vector_head
    assert head is not None
    assert head.text.weight.grad is None
    assert head.picture.weight.grad is None


def test_side_agreement_does_not_see_padding(agreeing: Model, inputs: Inputs) -> None:
    together = agreeing(**inputs).alignment_logits
    alone = {name: value[1:2] if name == "patch_features" else value[1:2, :4] for name, value in inputs.items()}
    torch.testing.assert_close(agreeing(**alone).alignment_logits[0], together[1], atol=1e-4, rtol=0)
    real = torch.ones(4, 9, dtype=torch.int64)
    real[:, 6:] = 0
    hidden = agreeing(**inputs, patch_mask=real).alignment_logits
    fewer = {**inputs, "patch_features": inputs["patch_features"][:, :6]}
    torch.testing.assert_close(agreeing(**fewer).alignment_logits, hidden, atol=1e-4, rtol=0)


def test_side_agreement_needs_the_vector_head(make_config: Callable[..., FashionBertConfig]) -> None:
    with pytest.raises(ValueError, match="contrastive_size must be above 0"):
        make_config(side_agreement=True, contrastive_size=0)


def test_late_interaction_needs_the_vector_head(make_config: Callable[..., FashionBertConfig]) -> None:
    with pytest.raises(ValueError, match="contrastive_size must be above 0"):
        make_config(late_interaction_size=5, contrastive_size=0)


@pytest.mark.parametrize("pairs", [5, 10_000])
@pytest.mark.parametrize("pictures_of", [[2, 2, 0, 1, 2], [0, 1, 2, 3], [1, 2, 3], [3, 2, 1]])
def test_pairs_that_meet_score_as_if_they_were_joined(
    agreeing: FashionBertForPreTraining, inputs: Inputs, pictures_of: list[int], pairs: int
) -> None:
    """Crossed in any way, few or many a picture, with and without a single joint layer, padding on both sides."""
    encoder = agreeing.fashionbert
    some = torch.ones(4, 9, dtype=torch.bool)
    some[2, 5:] = False
    texts = encoder.read_texts(inputs["input_ids"], inputs["attention_mask"])
    pictures = encoder.read_pictures(inputs["patch_features"], some)
    text_of, picture_of = torch.tensor([0, 3, 3, 1, 2][: len(pictures_of)]), torch.tensor(pictures_of)
    joined = agreeing.join(texts[text_of], pictures[picture_of])
    matched = agreeing.match(Meeting(encoder, texts, pictures, pairs), text_of, picture_of)
    assert joined.last_hidden_state is not None
    assert matched.last_hidden_state is not None
    torch.testing.assert_close(matched.last_hidden_state, joined.last_hidden_state[:, :1], **CLOSE)
    torch.testing.assert_close(matched.alignment_logits, joined.alignment_logits, **CLOSE)


def test_sides_that_were_read_before_are_joined(model: Model, inputs: Inputs) -> None:
    """Crossed in any way, each pair scores as if it were written out."""
    encoder = model.fashionbert
    texts = encoder.read_texts(inputs["input_ids"], inputs["attention_mask"])
    pictures = encoder.read_pictures(inputs["patch_features"])
    text_of, picture_of = torch.tensor([0, 3, 3, 1]), torch.tensor([2, 2, 0, 1])
    written_out = model(
        inputs["input_ids"][text_of], inputs["attention_mask"][text_of], inputs["patch_features"][picture_of]
    )
    joined = model.join(texts[text_of], pictures[picture_of])
    assert joined.alignment_logits is not None
    torch.testing.assert_close(joined.alignment_logits, written_out.alignment_logits, **CLOSE)
    torch.testing.assert_close(joined.last_hidden_state, written_out.last_hidden_state, **CLOSE)


def test_sides_of_several_widths_are_stacked(model: Model, inputs: Inputs) -> None:
    encoder, pictures = model.fashionbert, model.fashionbert.read_pictures(inputs["patch_features"])
    whole = encoder.read_texts(inputs["input_ids"], inputs["attention_mask"])
    upper = encoder.read_texts(inputs["input_ids"][1:2, :4])
    stacked = upper.above(whole)
    assert stacked.mask.sum(dim=1).tolist() == [4, 7, 4, 6, 2]
    same = model.join(stacked[torch.tensor([0, 2])], pictures[torch.tensor([1, 1])]).alignment_logits
    assert same is not None
    torch.testing.assert_close(same[0], same[1], **CLOSE)


def test_words_do_not_see_patches_below_the_join(model: Model, inputs: Inputs) -> None:
    """The first layer's words are BERT's own with a split layer, and something else without one."""
    seen: list[torch.Tensor] = []
    layer = model.fashionbert.bert.encoder.layer[0]

    def keep(_: object, __: object, output: torch.Tensor) -> None:
        seen.append(output)

    hook = layer.register_forward_hook(keep)  # pyright: ignore[reportArgumentType]
    model.fashionbert(inputs["input_ids"], inputs["attention_mask"])
    model(**inputs)
    hook.remove()
    real = inputs["attention_mask"].bool()
    difference = (seen[0][:, :7][real] - seen[1][:, :7][real]).abs().max()
    assert (difference < 1e-5) == (model.config.split_layers == 1)


@pytest.mark.parametrize("split_layers", [-1, 2, 5])
def test_one_layer_must_join_the_sides(make_config: Callable[..., FashionBertConfig], split_layers: int) -> None:
    with pytest.raises(ValueError, match=f"split_layers = {split_layers} must leave one of 2 layers"):
        make_config(split_layers=split_layers)


def test_without_a_vector_head(make_config: Callable[..., FashionBertConfig], inputs: Inputs) -> None:
    model = FashionBertForMatching(make_config(contrastive_size=0))
    with pytest.raises(ValueError, match=r"no vector head .* --preset fast"):
        model.text_vectors(inputs["input_ids"])


def test_attention_maps_are_distributions_over_real_places(
    make_config: Callable[..., FashionBertConfig], inputs: Inputs
) -> None:
    model = FashionBertForMatching(make_config(attn_implementation="eager")).eval()
    outputs = model(**inputs, output_attentions=True)
    assert [maps.shape for maps in outputs.attentions] == [(4, 2, 16, 16)] * 2
    for maps in outputs.attentions:
        torch.testing.assert_close(maps.sum(dim=-1), torch.ones(4, 2, 16))
        assert maps[1, :, :, 4:7].max() < 1e-6
    torch.testing.assert_close(outputs.alignment_logits, model(**inputs).alignment_logits)


def test_every_weight_gets_a_gradient(model: Model, inputs: Inputs) -> None:
    outputs = model(**inputs)
    hidden, head = outputs.last_hidden_state, model.vector_head
    assert head is not None
    total = outputs.alignment_logits.square().sum() + model.word_logits(hidden).square().sum()
    total = total + model.patch_logits(hidden).square().sum() + head.scale
    for side in ("text", "picture"):
        total = total + head(hidden, outputs.attention_mask, side)[:, 0].sum()
    total.backward()
    assert [name for name, value in model.named_parameters() if value.grad is None] == []
