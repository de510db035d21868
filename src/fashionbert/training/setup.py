"""What a run starts from: tokenizer and model, fresh or from a backbone."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from fashionbert.config import ModelSettings
from fashionbert.errors import RunError, SettingsError
from fashionbert.model import FashionBertConfig, FashionBertForPreTraining
from fashionbert.scoring import load_model
from fashionbert.scoring.run_folder import RUN_RECORD
from fashionbert.text import learn_tokenizer, load_tokenizer

_LAYERS = "fashionbert.bert.encoder.layer"


def build_tokenizer(settings: ModelSettings, texts: Sequence[str]) -> PreTrainedTokenizerFast:
    """Take the backbone's tokenizer, or learn one from the training texts where there is no backbone.

    Args:
        settings: name the backbone, or the size of the vocabulary.
        texts: every text of the training split.

    Returns:
        The tokenizer.

    Raises:
        RunError: the backbone has no usable tokenizer.
    """
    if settings.backbone is None:
        return learn_tokenizer(texts, settings.vocabulary)
    return load_tokenizer(settings.backbone)


def build_model(
    settings: ModelSettings, *, vocabulary: int, feature_size: int, patches: int, seed: int
) -> FashionBertForPreTraining:
    """Build the model; of a BERT its embeddings, first layers and pooler are taken over, of a run folder all that fits.

    Args:
        settings: shape and origin.
        vocabulary: WordPieces of the tokenizer, V.
        feature_size: floats of a patch feature, F.
        patches: patches of a picture, P.
        seed: of the layers that start at random; torch's global generator is left as it was.

    Returns:
        The model, float32 on the CPU.

    Raises:
        SettingsError: the backbone cannot be loaded or is too small for the settings.
        RunError: the backbone is a damaged run folder.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if settings.backbone is None:
            return FashionBertForPreTraining(_fresh_config(settings, vocabulary, feature_size, patches))
        trained = load_model(Path(settings.backbone), FashionBertForPreTraining) if is_run(settings.backbone) else None
        backbone = _load_backbone(settings.backbone) if trained is None else trained.fashionbert.bert
        model = FashionBertForPreTraining(_config_of(backbone, settings, vocabulary, feature_size, patches))
    if trained is not None:
        take_over(trained, model)
        return model
    own = model.fashionbert.bert
    wanted = own.state_dict()
    own.load_state_dict({name: value for name, value in backbone.state_dict().items() if name in wanted})
    return model


def is_run(source: str | None) -> bool:
    """Whether a backbone is a run folder, with a whole model to go on from."""
    return source is not None and (Path(source) / RUN_RECORD).is_file()


def take_over(trained: FashionBertForPreTraining, model: FashionBertForPreTraining) -> None:
    """Start a model from a trained one: all that has the same shape, of the layers evenly spread ones.

    Args:
        trained: the other model.
        model: the new one, changed in place.
    """
    chosen = spread(trained.config.num_hidden_layers, model.config.num_hidden_layers)
    layer_of = {f"{_LAYERS}.{place}.": f"{_LAYERS}.{source}." for place, source in enumerate(chosen)}
    found, taken = trained.state_dict(), model.state_dict()
    for name, value in taken.items():
        own = next((prefix for prefix in layer_of if name.startswith(prefix)), None)
        source = name if own is None else layer_of[own] + name.removeprefix(own)
        if source in found and found[source].shape == value.shape:
            taken[name] = found[source]
    model.load_state_dict(taken)


def spread(there: int, wanted: int) -> list[int]:
    """Choose ``wanted`` of ``there`` layers: evenly spread, the last one with them."""
    return [-(-(place + 1) * there // wanted) - 1 for place in range(wanted)]


def backbone_faults(settings: ModelSettings) -> list[str]:
    """Say what is wrong with the backbone, by its config and tokenizer alone: they are small and quickly had.

    Args:
        settings: name the backbone, or none.

    Returns:
        Faults with name, value and remedy; none where there is no backbone.
    """
    if settings.backbone is None:
        return []
    folder = Path(settings.backbone)
    try:
        if folder.is_dir():
            _refuse_half_a_model(folder)
        kind = FashionBertConfig if is_run(settings.backbone) else BertConfig
        config = kind.from_pretrained(settings.backbone)
    except (OSError, ValueError) as error:
        title, *rest = _unloadable(settings.backbone, error)
        return [f"{title}: {'; '.join(rest)}"]
    try:
        vocabulary = len(load_tokenizer(settings.backbone))
    except RunError as error:
        return [*_misfits(config, settings, 0), f"model.backbone = {settings.backbone!r}: {error}"]
    return _misfits(config, settings, vocabulary)


def _refuse_half_a_model(folder: Path) -> None:
    if not (folder / "config.json").exists():
        raise OSError(f"{folder} has no config.json")
    if not any(file for kind in ("*.safetensors", "pytorch_model*.bin") for file in folder.glob(kind)):
        raise OSError(f"{folder} has no model.safetensors")


def _unloadable(source: str, error: Exception) -> tuple[str, str, str]:
    return (
        f"model.backbone = {source!r} cannot be loaded",
        str(error).splitlines()[0],
        "name a hub id or a folder with config.json and model.safetensors of a BERT",
    )


def _extra_fields(settings: ModelSettings, feature_size: int, patches: int) -> dict[str, Any]:
    activation = {} if settings.activation is None else {"hidden_act": settings.activation}
    return activation | {
        "hidden_dropout_prob": settings.dropout,
        "attention_probs_dropout_prob": settings.attention_dropout,
        "patch_dropout_prob": settings.patch_dropout,
        "patch_feature_size": feature_size,
        "patches": patches,
        "standardise_features": settings.standardise_features,
        "contrastive_size": settings.contrastive_size,
        "late_interaction_size": settings.late_interaction_size,
        "bank_size": settings.bank_size,
        "side_agreement": settings.side_agreement,
        "split_layers": settings.split_layers,
        "fast_split_layers": settings.fast_split_layers,
    }


def _fresh_config(settings: ModelSettings, vocabulary: int, feature_size: int, patches: int) -> FashionBertConfig:
    return FashionBertConfig(
        vocab_size=vocabulary,
        hidden_size=settings.width,
        num_hidden_layers=settings.layers or 4,
        num_attention_heads=settings.heads,
        intermediate_size=4 * settings.width,
        max_position_embeddings=settings.max_text_tokens,
        **_extra_fields(settings, feature_size, patches),
    )


def _load_backbone(source: str) -> BertModel:
    try:
        return BertModel.from_pretrained(source, dtype=torch.float32)
    except (OSError, ValueError) as error:
        title, *faults = _unloadable(source, error)
        raise SettingsError(title, faults) from error


def _config_of(
    backbone: BertModel, settings: ModelSettings, vocabulary: int, feature_size: int, patches: int
) -> FashionBertConfig:
    bert: BertConfig = backbone.config
    if faults := _misfits(bert, settings, vocabulary):
        raise SettingsError("the backbone does not fit the settings", faults)
    layers = settings.layers or bert.num_hidden_layers
    fields = _extra_fields(settings, feature_size, patches)
    try:
        return FashionBertConfig.from_bert(bert, num_hidden_layers=layers, **fields)
    except ValueError as error:
        raise SettingsError(f"model.backbone = {settings.backbone!r} is no BERT to start from", [str(error)]) from error


def _misfits(bert: BertConfig, settings: ModelSettings, vocabulary: int) -> list[str]:
    """Say what the settings or the tokenizer ask of a backbone that it does not have."""
    layers = settings.layers or bert.num_hidden_layers
    faults = []
    if layers > bert.num_hidden_layers:
        faults.append(f"model.layers = {layers}: {settings.backbone} has {bert.num_hidden_layers} layers")
    faults += [
        f"model.{name} = {value}: one of {layers} layers must join the sides"
        for name, value in (("split_layers", settings.split_layers), ("fast_split_layers", settings.fast_split_layers))
        if value >= layers
    ]
    if settings.max_text_tokens > bert.max_position_embeddings:
        faults.append(
            f"model.max_text_tokens = {settings.max_text_tokens}: {settings.backbone} knows "
            f"{bert.max_position_embeddings} positions"
        )
    if vocabulary > bert.vocab_size:
        faults.append(f"the tokenizer of {settings.backbone} has {vocabulary} WordPieces, its model {bert.vocab_size}")
    return faults
