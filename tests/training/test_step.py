"""The losses of a step against the pieces that they are made of."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import pytest
import torch
from torch import Tensor

from fashionbert.config import ObjectiveSettings, Task
from fashionbert.data import NOT_HIDDEN, MaskedPictures, MaskedTexts, TextBatch
from fashionbert.model import FashionBertConfig, FashionBertForPreTraining, late_interaction
from fashionbert.objectives import (
    alignment_list_loss,
    alignment_loss,
    contrastive_loss,
    info_nce,
    masked_patch_loss,
    masked_word_loss,
)
from fashionbert.training.queue import VectorQueue
from fashionbert.training.reading import DrawnPairs
from fashionbert.training.step import PreTrainingStep, StepOutput

Batch: TypeAlias = tuple[MaskedTexts, MaskedPictures, DrawnPairs]
MASK, SEP, NO = 4, 3, NOT_HIDDEN
GROUPS = torch.tensor([0, 1])


@pytest.fixture(params=[0, 1])
def model(make_config: Callable[..., FashionBertConfig], request: pytest.FixtureRequest) -> FashionBertForPreTraining:
    """The paper's single stream, and one with a layer in which the sides are still apart."""
    torch.manual_seed(0)
    return FashionBertForPreTraining(make_config(split_layers=request.param)).eval()


def pictures_of(masked_places: list[int], seed: int) -> MaskedPictures:
    count = len(masked_places)
    masked = torch.zeros(count, 9, dtype=torch.bool)
    masked[torch.arange(count), torch.tensor(masked_places)] = True
    features = torch.randn(count, 9, 6, generator=torch.Generator().manual_seed(seed))
    return MaskedPictures(features, torch.arange(9).expand(count, -1), masked)


@pytest.fixture
def batch() -> Batch:
    """Two products; pair 2 is text 0 with picture 1, pair 3 a longer text of elsewhere with picture 0,
    pair 4 text 1 with a picture of elsewhere."""
    texts = MaskedTexts(
        torch.tensor([[2, MASK, 9, 10, SEP], [2, 11, MASK, SEP, 0]]),
        torch.tensor([[True] * 5, [True] * 4 + [False]]),
        torch.tensor([[NO, 8, NO, NO, NO], [NO, NO, 12, NO, NO]]),
    )
    foreign = MaskedTexts(
        torch.tensor([[2, 20, 21, 22, MASK, 24, SEP]]),
        torch.ones(1, 7, dtype=torch.bool),
        torch.tensor([[NO, NO, NO, NO, 23, NO, NO]]),
    )
    text_of, picture_of = torch.tensor([0, 1, 0, 2, 1]), torch.tensor([0, 1, 1, 0, 2])
    drawn = DrawnPairs(foreign, pictures_of([7], seed=3), text_of, picture_of, torch.tensor([1, 1, 0, 0, 0]))
    return texts, pictures_of([2, 5], seed=2), drawn


def run(model: FashionBertForPreTraining, batch: Batch, **settings: object) -> StepOutput:
    step = PreTrainingStep(model, ObjectiveSettings(**settings))  # pyright: ignore[reportArgumentType]
    texts, pictures, drawn = batch
    return step(texts, pictures, None, GROUPS, None, lambda _: drawn)


def laid_out(batch: Batch) -> tuple[dict[str, Tensor], Tensor]:
    """The five pairs as plain inputs of the model, every side written out where it occurs; and the word labels."""
    texts, pictures, drawn = batch
    assert drawn.foreign_texts is not None
    assert drawn.foreign_pictures is not None
    wide = [
        torch.nn.functional.pad(each, (0, 2), value=fill)
        for each, fill in ((texts.input_ids, 0), (texts.attention_mask, False), (texts.labels, NO))
    ]
    foreign = drawn.foreign_texts.input_ids, drawn.foreign_texts.attention_mask, drawn.foreign_texts.labels
    ids, real, labels = (torch.cat(both)[drawn.text_of] for both in zip(wide, foreign, strict=True))
    features = torch.cat([pictures.features, drawn.foreign_pictures.features])[drawn.picture_of]
    masked = torch.cat([pictures.masked, drawn.foreign_pictures.masked])[drawn.picture_of]
    inputs = {"input_ids": ids, "attention_mask": real, "patch_features": features, "masked_patches": masked}
    return inputs, labels


@pytest.mark.parametrize(("counted", "count"), [("positives", 2), ("all", 5)])
def test_losses_are_those_of_pairs_written_out_one_by_one(
    model: FashionBertForPreTraining, batch: Batch, counted: str, count: int
) -> None:
    output = run(model, batch, masked_losses_on=counted)
    inputs, labels = laid_out(batch)
    direct = model(**inputs)
    words, patches = direct.last_hidden_state[:count, :7], direct.last_hidden_state[:count, 7:]
    hidden_words, hidden_patches = labels[:count] != NO, inputs["masked_patches"][:count]
    assert hidden_words.sum() == hidden_patches.sum() == count
    expected = {
        "masked_words": masked_word_loss(model.word_logits(words[hidden_words]), labels[:count][hidden_words]),
        "masked_patches": masked_patch_loss(
            model.patch_logits(patches[hidden_patches]), inputs["patch_features"][:count][hidden_patches]
        ),
        "alignment": alignment_loss(direct.alignment_logits, batch[2].labels),
    }
    assert list(output.losses) == list(expected)
    for task, loss in expected.items():
        torch.testing.assert_close(output.losses[task], loss, atol=1e-5, rtol=1e-5)
    assert output.figures["positive_share"] == pytest.approx(2 / 5)
    right = (direct.alignment_logits.argmax(dim=1) == batch[2].labels).float().mean()
    assert output.figures["alignment_accuracy"] == pytest.approx(right.item())


def test_negatives_from_the_batch_alone(model: FashionBertForPreTraining, batch: Batch) -> None:
    texts, pictures, drawn = batch
    own = DrawnPairs(None, None, drawn.text_of[:3], drawn.picture_of[:3], drawn.labels[:3])
    output = run(model, (texts, pictures, own))
    direct = model(**{name: value[:3] for name, value in laid_out(batch)[0].items()})
    torch.testing.assert_close(output.losses["alignment"], alignment_loss(direct.alignment_logits, own.labels))


def test_dropped_patches_are_hidden_at_their_places(model: FashionBertForPreTraining, batch: Batch) -> None:
    """With patches 2, 5 and 7 alone: as a model that has the others hidden from it."""
    kept = torch.tensor([2, 5, 7])

    def fewer(pictures: MaskedPictures) -> MaskedPictures:
        count = len(pictures.features)
        return MaskedPictures(pictures.features[:, kept], kept.expand(count, -1), pictures.masked[:, kept])

    texts, pictures, drawn = batch
    assert drawn.foreign_pictures is not None
    output = run(model, (texts, fewer(pictures), replace(drawn, foreign_pictures=fewer(drawn.foreign_pictures))))
    real = torch.zeros(5, 9, dtype=torch.int64)
    real[:, kept] = 1
    direct = model(**laid_out(batch)[0], patch_mask=real)
    torch.testing.assert_close(output.losses["alignment"], alignment_loss(direct.alignment_logits, drawn.labels))


def test_targets_are_standardised_as_the_inputs_are(
    make_config: Callable[..., FashionBertConfig], batch: Batch
) -> None:
    model = FashionBertForPreTraining(make_config(standardise_features=True)).eval()
    texts, pictures, drawn = batch
    own = DrawnPairs(None, None, drawn.text_of[:3], drawn.picture_of[:3], drawn.labels[:3])
    before = run(model, (texts, pictures, own)).losses["masked_patches"]
    embeddings = model.fashionbert.patch_embeddings
    embeddings.feature_mean.fill_(3.0)
    embeddings.feature_deviation.fill_(2.0)
    moved = replace(pictures, features=2 * pictures.features + 3.0)
    torch.testing.assert_close(run(model, (texts, moved, own)).losses["masked_patches"], before, atol=1e-5, rtol=0)


def test_contrastive_loss_reads_each_side_alone(model: FashionBertForPreTraining, batch: Batch) -> None:
    texts, pictures, _ = batch
    past = torch.nn.functional.normalize(torch.randn(4, 8), dim=1)
    queue = VectorQueue(torch.arange(4), torch.arange(4) + 5, past, past.flip(0))
    step = PreTrainingStep(model, ObjectiveSettings(tasks=("alignment", "contrastive")))
    output = step(texts, pictures, None, GROUPS, queue, lambda vectors: None)
    text_vectors = model.text_vectors(texts.input_ids, texts.attention_mask)
    zeroed = pictures.features.masked_fill(pictures.masked[..., None], 0.0)
    picture_vectors = model.picture_vectors(torch.tensor([[2, SEP]] * 2), patch_features=zeroed)
    head = model.vector_head
    assert head is not None
    expected = contrastive_loss(
        text_vectors, picture_vectors, GROUPS, head.scale, queue.texts, queue.pictures, queue.groups
    )
    torch.testing.assert_close(output.losses["contrastive"], expected, atol=1e-5, rtol=1e-5)
    assert list(output.losses) == ["contrastive"]
    assert output.vectors is not None
    torch.testing.assert_close(output.vectors[0].pooled, text_vectors)


def test_titles_stand_before_pictures_in_the_contrastive_task_alone(
    model: FashionBertForPreTraining, batch: Batch
) -> None:
    """The pairs are mined and judged by the picture's own vector, which knows of no title."""
    texts, pictures, _ = batch
    titles = TextBatch(
        torch.tensor([[2, 30, 31, SEP], [2, SEP, 0, 0]]), torch.tensor([[True] * 4, [True] * 2 + [False] * 2])
    )
    output = PreTrainingStep(model, ObjectiveSettings(tasks=("alignment", "contrastive")))(
        texts, pictures, titles, GROUPS, None, lambda vectors: None
    )
    zeroed = pictures.features.masked_fill(pictures.masked[..., None], 0.0)
    titled = [
        model.picture_vectors(torch.tensor([ids]), patch_features=zeroed[[row]])
        for row, ids in enumerate([[2, 30, 31, SEP], [2, SEP]])
    ]
    head = model.vector_head
    assert head is not None
    expected = contrastive_loss(
        model.text_vectors(texts.input_ids, texts.attention_mask), torch.cat(titled), GROUPS, head.scale
    )
    torch.testing.assert_close(output.losses["contrastive"], expected, atol=1e-5, rtol=1e-5)
    plain = model.picture_vectors(torch.tensor([[2, SEP]] * 2), patch_features=zeroed)
    assert output.vectors is not None
    torch.testing.assert_close(output.vectors[1].pooled, plain)
    assert not output.vectors[1].pooled.requires_grad
    assert (titled[0] - plain[0]).abs().max() > 1e-3


def test_the_drawer_of_pairs_is_handed_the_vectors(model: FashionBertForPreTraining, batch: Batch) -> None:
    texts, pictures, drawn = batch
    seen: list[tuple[Tensor, Tensor] | None] = []
    stages: tuple[tuple[Task, ...], ...] = (("alignment",), ("alignment", "contrastive"))
    for tasks in stages:
        step = PreTrainingStep(model, ObjectiveSettings(tasks=tasks))
        step(texts, pictures, None, GROUPS, None, lambda vectors: seen.append(vectors) or drawn)
    assert seen[0] is None
    assert seen[1] is not None
    assert seen[1][0].shape == (2, 8)


def test_the_order_of_the_losses_is_that_of_the_settings(model: FashionBertForPreTraining, batch: Batch) -> None:
    assert list(run(model, batch, tasks=("alignment", "masked_words")).losses) == ["alignment", "masked_words"]


def test_only_uncertainty_learns_variances(model: FashionBertForPreTraining) -> None:
    assert len(PreTrainingStep(model, ObjectiveSettings()).log_variances) == 0
    learnt = PreTrainingStep(model, ObjectiveSettings(weights="uncertainty")).log_variances
    assert sorted(learnt.keys()) == ["alignment", "masked_patches", "masked_words"]


@pytest.fixture
def placed(make_config: Callable[..., FashionBertConfig]) -> FashionBertForPreTraining:
    """A model with late interaction and the alignment logits on top of it."""
    torch.manual_seed(0)
    config = make_config(split_layers=1, late_interaction_size=5, side_agreement=True)
    return FashionBertForPreTraining(config).eval()


def test_contrastive_loss_is_the_mean_of_whole_sides_and_places(
    placed: FashionBertForPreTraining, batch: Batch
) -> None:
    output = run(placed, batch, tasks=("alignment", "contrastive"))
    assert output.vectors is not None
    texts, pictures = output.vectors
    assert placed.vector_head is not None
    assert placed.place_head is not None
    assert texts.places is not None
    assert pictures.places is not None
    pooled = contrastive_loss(texts.pooled, pictures.pooled, GROUPS, placed.vector_head.scale)
    logits = placed.place_head.scale * late_interaction(texts.places, pictures.places)
    expected = (pooled + info_nce(logits, logits.T, GROUPS, GROUPS)) / 2
    torch.testing.assert_close(output.losses["contrastive"], expected)
    assert output.figures["contrastive.pooled"] == pytest.approx(pooled.item())


@pytest.mark.parametrize("tasks", [("alignment", "contrastive"), ("alignment",)])
def test_pairs_of_a_step_score_as_they_do_written_out(
    placed: FashionBertForPreTraining, batch: Batch, tasks: tuple[Task, ...]
) -> None:
    """Own and foreign sides alike, whether or not the contrastive task has read the batch's sides before."""
    output = run(placed, batch, tasks=tasks)
    inputs, _ = laid_out(batch)
    logits = placed(**inputs).alignment_logits
    torch.testing.assert_close(
        output.losses["alignment"], alignment_loss(logits, batch[2].labels), atol=1e-5, rtol=1e-5
    )


def test_the_first_pairs_set_the_threshold_once(placed: FashionBertForPreTraining, batch: Batch) -> None:
    agreement = placed.side_agreement
    assert agreement is not None
    run(placed, batch, tasks=("alignment", "contrastive"))
    assert bool(agreement.started)
    inputs, _ = laid_out(batch)
    with torch.no_grad():
        agreement.gain.fill_(0.0)
        without = placed(**inputs).alignment_logits
        agreement.gain.fill_(1.0)
        margins = placed(**inputs).alignment_logits - without
        similarity = margins[:, 1] - margins[:, 0] + agreement.threshold
    assert agreement.threshold.item() == pytest.approx(float((similarity[:2].mean() + similarity[2:].mean()) / 2), 1e-4)
    agreement.threshold.data.fill_(7.0)
    run(placed, batch, tasks=("alignment", "contrastive"))
    assert agreement.threshold.item() == 7.0


def test_alignment_by_lists(model: FashionBertForPreTraining, batch: Batch) -> None:
    """Two right pairs and a wrong one of each."""
    texts, pictures, drawn = batch
    four = DrawnPairs(
        drawn.foreign_texts, drawn.foreign_pictures, drawn.text_of[:4], drawn.picture_of[:4], drawn.labels[:4]
    )
    output = run(model, (texts, pictures, four), tasks=("alignment",), alignment="lists")
    inputs, _ = laid_out((texts, pictures, four))
    logits = model(**inputs).alignment_logits
    torch.testing.assert_close(output.losses["alignment"], alignment_list_loss(logits, 2), atol=1e-5, rtol=1e-5)
    assert output.figures["chance.alignment"] == pytest.approx(0.6931, abs=1e-4)
