"""The losses of a step against the pieces that they are made of."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from fashionbert.config import ObjectiveSettings
from fashionbert.data import PairBatch, SideBatch
from fashionbert.model import FashionBertConfig, FashionBertForPreTraining
from fashionbert.objectives import alignment_loss, contrastive_loss, masked_patch_loss, masked_word_loss
from fashionbert.training.queue import VectorQueue
from fashionbert.training.step import PreTrainingStep, StepOutput

MASK, SEP = 4, 3


@pytest.fixture
def model(make_config: Callable[..., FashionBertConfig]) -> FashionBertForPreTraining:
    torch.manual_seed(0)
    return FashionBertForPreTraining(make_config()).eval()


@pytest.fixture
def pairs() -> PairBatch:
    """Two pairs of different texts and pictures, then a wrong one of text 0 with picture 1; the second text is short."""
    masked = torch.zeros(3, 9, dtype=torch.bool)
    masked[0, 2] = masked[1, 5] = masked[2, 0] = True
    return PairBatch(
        input_ids=torch.tensor([[2, MASK, 9, 10, SEP], [2, 11, MASK, SEP, 0], [2, 8, 9, MASK, SEP]]),
        attention_mask=torch.tensor([[True] * 5, [True] * 4 + [False], [True] * 5]),
        features=torch.randn(2, 9, 6, generator=torch.Generator().manual_seed(2)),
        positions=torch.arange(9).expand(2, -1),
        picture_of=torch.tensor([0, 1, 1]),
        masked_patches=masked,
        word_places=torch.tensor([1, 7, 13]),
        word_labels=torch.tensor([8, 12, 10]),
        labels=torch.tensor([1, 1, 0]),
    )


def run(model: FashionBertForPreTraining, pairs: PairBatch, **settings: object) -> StepOutput:
    step = PreTrainingStep(model, ObjectiveSettings(**settings))  # pyright: ignore[reportArgumentType]
    return step(None, None, lambda _: pairs)


@pytest.mark.parametrize(("counted", "rows"), [("positives", [0, 1]), ("all", [0, 1, 2])])
def test_losses_of_the_pair_tasks(
    model: FashionBertForPreTraining, pairs: PairBatch, counted: str, rows: list[int]
) -> None:
    output = run(model, pairs, masked_losses_on=counted)
    features = pairs.features[pairs.picture_of]
    direct = model(pairs.input_ids, pairs.attention_mask, features, masked_patches=pairs.masked_patches)
    hidden = direct.last_hidden_state
    word_place, patch_place = [1, 2, 3], [2, 5, 0]
    words = model.word_logits(torch.stack([hidden[row, word_place[row]] for row in rows]))
    patches = model.patch_logits(torch.stack([hidden[row, 5 + patch_place[row]] for row in rows]))
    targets = torch.stack([features[row, patch_place[row]] for row in rows])
    torch.testing.assert_close(output.losses["masked_words"], masked_word_loss(words, pairs.word_labels[: len(rows)]))
    torch.testing.assert_close(output.losses["masked_patches"], masked_patch_loss(patches, targets))
    torch.testing.assert_close(output.losses["alignment"], alignment_loss(direct.alignment_logits, pairs.labels))
    assert list(output.losses) == ["masked_words", "masked_patches", "alignment"]
    assert output.figures["positive_share"] == pytest.approx(2 / 3)


def test_dropped_patches_are_hidden_at_their_places(model: FashionBertForPreTraining, pairs: PairBatch) -> None:
    """Without patches 3 to 8, a model that sees the first three gives the losses."""
    kept = torch.tensor([0, 2, 5])
    fewer = replace(
        pairs,
        features=pairs.features[:, kept],
        positions=kept.expand(2, -1),
        masked_patches=pairs.masked_patches[:, kept],
    )
    real = torch.zeros(3, 9, dtype=torch.int64)
    real[:, kept] = 1
    output = run(model, fewer)
    direct = model(
        pairs.input_ids, pairs.attention_mask, pairs.features[pairs.picture_of], real, pairs.masked_patches
    )
    torch.testing.assert_close(output.losses["alignment"], alignment_loss(direct.alignment_logits, pairs.labels))


def test_targets_are_standardised_as_the_inputs_are(
    make_config: Callable[..., FashionBertConfig], pairs: PairBatch
) -> None:
    model = FashionBertForPreTraining(make_config(standardise_features=True)).eval()
    before = run(model, pairs).losses["masked_patches"]
    embeddings = model.fashionbert.patch_embeddings
    embeddings.feature_mean.fill_(3.0)
    embeddings.feature_deviation.fill_(2.0)
    after = run(model, replace(pairs, features=2 * pairs.features + 3.0)).losses["masked_patches"]
    torch.testing.assert_close(after, before, atol=1e-5, rtol=0)


def test_contrastive_loss_reads_each_side_alone(model: FashionBertForPreTraining, pairs: PairBatch) -> None:
    sides = SideBatch(
        pairs.input_ids[:2], pairs.attention_mask[:2], pairs.features, pairs.positions, torch.tensor([0, 1])
    )
    past = torch.nn.functional.normalize(torch.randn(4, 8), dim=1)
    queue = VectorQueue(torch.arange(4), torch.arange(4) + 5, past, past.flip(0))
    step = PreTrainingStep(model, ObjectiveSettings(tasks=("alignment", "contrastive")))
    output = step(sides, queue, lambda vectors: None)
    texts = model.text_vectors(sides.input_ids, sides.attention_mask)
    pictures = model.picture_vectors(torch.tensor([[2, SEP]] * 2), patch_features=pairs.features)
    head = model.vector_head
    assert head is not None
    expected = contrastive_loss(texts, pictures, sides.groups, head.scale, queue.texts, queue.pictures, queue.groups)
    torch.testing.assert_close(output.losses["contrastive"], expected)
    assert list(output.losses) == ["contrastive"]
    assert output.vectors is not None
    torch.testing.assert_close(output.vectors[0], texts)


def test_the_order_of_the_losses_is_that_of_the_settings(model: FashionBertForPreTraining, pairs: PairBatch) -> None:
    assert list(run(model, pairs, tasks=("alignment", "masked_words")).losses) == ["alignment", "masked_words"]


def test_only_uncertainty_learns_variances(model: FashionBertForPreTraining) -> None:
    assert len(PreTrainingStep(model, ObjectiveSettings()).log_variances) == 0
    learnt = PreTrainingStep(model, ObjectiveSettings(weights="uncertainty")).log_variances
    assert sorted(learnt.keys()) == ["alignment", "masked_patches", "masked_words"]
