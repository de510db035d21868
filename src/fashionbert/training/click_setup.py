"""What fine-tuning on clicks starts from: a run folder, or a BERT that has seen no picture."""

from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import PreTrainedTokenizerFast

from fashionbert.config import Settings
from fashionbert.errors import SettingsError
from fashionbert.images.extractor import PatchExtractor
from fashionbert.model.clicks import ClickModel
from fashionbert.scoring import FashionBertProcessor
from fashionbert.scoring.run_folder import load_model
from fashionbert.text import load_tokenizer
from fashionbert.training.run import build_extractor
from fashionbert.training.setup import build_model


@dataclass(frozen=True, slots=True)
class ClickStart:
    """Everything before the first step.

    Attributes:
        model: as it begins.
        tokenizer: of the model.
        extractor: gives patch features; None where pictures are not read.
    """

    model: ClickModel
    tokenizer: PreTrainedTokenizerFast
    extractor: PatchExtractor | None


def start_clicks(settings: Settings, run: Path | None, device: str | torch.device) -> ClickStart:
    """Build what a click model starts from.

    Args:
        settings: of the fine-tuning; ``model.layers`` first layers are used.
        run: run folder of a FashionBERT; None: ``model.backbone``, and ``images`` for its pictures.
        device: where the patch network runs.

    Returns:
        Model, tokenizer and extractor.

    Raises:
        SettingsError: there is nothing to start from, or it has fewer layers or positions than are asked for.
        RunError: the run folder or the backbone is missing or damaged.
    """
    reads = settings.clicks.image != "none"
    if run is not None:
        processor = FashionBertProcessor.from_pretrained(run, device=device)
        tokenizer, extractor = processor.tokenizer, processor.extractor if reads else None
        matching = load_model(run)
    elif settings.model.backbone is not None:
        tokenizer = load_tokenizer(settings.model.backbone)
        extractor = build_extractor(settings.images, device) if reads else None
        matching = build_model(
            settings.model,
            vocabulary=len(tokenizer),
            feature_size=1 if extractor is None else extractor.feature_size,
            patches=1 if extractor is None else extractor.patches,
            seed=settings.training.seed,
        )
    else:
        raise SettingsError(
            "a click model starts from something that has learnt words",
            ["name a run folder with --model, or a BERT with --set model.backbone=FOLDER"],
        )
    clicks, config = settings.clicks, matching.config
    faults = []
    if (settings.model.layers or 1) > config.num_hidden_layers:
        faults.append(f"model.layers = {settings.model.layers}: there are {config.num_hidden_layers} to start from")
    longest = max(clicks.max_query_tokens, clicks.max_title_tokens + 1)
    if longest > config.max_position_embeddings:
        faults.append(
            f"clicks.max_query_tokens = {clicks.max_query_tokens}, clicks.max_title_tokens = "
            f"{clicks.max_title_tokens}: there are {config.max_position_embeddings} positions"
        )
    if config.type_vocab_size < 2:
        faults.append("the model knows one segment of words, and query and title are two")
    if faults:
        raise SettingsError("what is started from does not fit the settings", faults)
    model = ClickModel.from_matching(
        matching, settings.clicks.image, layers=settings.model.layers, seed=settings.training.seed
    )
    return ClickStart(model, tokenizer, extractor)
