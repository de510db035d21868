"""From a catalogue and settings to a run folder."""

import platform
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path

import numpy as np
import torch
from accelerate import PartialState
from transformers import PreTrainedTokenizerFast

from fashionbert.catalogue import Catalogue
from fashionbert.config import ImageSettings, Settings, settings_to_yaml
from fashionbert.data import Examples, build_examples
from fashionbert.errors import RunError, SettingsError
from fashionbert.evaluation.gallery import gallery_of
from fashionbert.files import only_writer, write_json, write_text
from fashionbert.images.extractor import PatchExtractor
from fashionbert.images.network import build_patch_network
from fashionbert.images.store import FeatureStore
from fashionbert.model import FashionBertConfig, FashionBertForPreTraining
from fashionbert.provenance import commit, versions
from fashionbert.scoring import FashionBertProcessor
from fashionbert.scoring.processor import RECORD
from fashionbert.scoring.run_folder import RUN_RECORD, SETTINGS
from fashionbert.text import load_tokenizer
from fashionbert.training.checkpoint import Progress
from fashionbert.training.display import Display
from fashionbert.training.loop import Trainer
from fashionbert.training.preflight import refuse_early
from fashionbert.training.setup import build_model, build_tokenizer, is_run
from fashionbert.training.step import PreTrainingStep
from fashionbert.training.teacher import Teacher

_STATISTICS_ROWS = 2000
_FEW_CUT_TEXTS = 0.01


def build_extractor(settings: ImageSettings, device: str | torch.device = "cpu") -> PatchExtractor:
    """Build the extractor that the settings describe.

    Args:
        settings: network, patches and preprocessing.
        device: where the network runs.

    Returns:
        The extractor, ready to use.

    Raises:
        SettingsError: the network or its weights cannot be had.
    """
    return PatchExtractor(settings, build_patch_network(settings), device)


def train(
    settings: Settings,
    catalogue: Catalogue,
    store: FeatureStore,
    extractor: PatchExtractor,
    folder: Path,
    display: Display,
    *,
    cpu: bool = False,
) -> Progress:
    """Train on the split ``train``, validate on ``validation``, leave a self-contained run folder.

    Called again with the same arguments it goes on where it stopped.

    Args:
        settings: of the run.
        catalogue: all splits.
        store: features of the catalogue, by ``extractor``.
        extractor: goes into the run folder, so that new pictures are read as the training's were.
        folder: the run folder.
        display: shows how far the run is.
        cpu: train on the CPU even where there is a GPU.

    Returns:
        Where the run ended.

    Raises:
        RunError: the folder holds a run of other settings or of another catalogue.
        FolderInUseError: another process writes there.
        SettingsError: the backbone cannot be loaded or is too small for the settings, the teacher does not fit the
            model, or a tracker is not installed.
        CatalogueError: there is nothing to train or validate on.
        NonFiniteLossError: a loss became NaN or infinite.
    """
    refuse_early(settings, catalogue, folder)
    parts = {name: catalogue.split(name) for name in ("train", "validation")}
    texts = parts["train"].column("text")
    begun = (folder / RECORD).exists()
    tokenizer = load_tokenizer(folder) if begun else build_tokenizer(settings.model, texts)
    limit = settings.model.max_text_tokens
    title = settings.contrastive.title if settings.contrastive.titled_share else None
    training = build_examples(parts["train"], store, tokenizer, max_tokens=limit, all_pictures=True, title=title)
    usable = parts["validation"].subset([product in store for product in parts["validation"].column("product_id")])
    validation = build_examples(usable, store, tokenizer, max_tokens=limit, all_pictures=False)
    _warn_of_cut_texts(training, limit, display)
    _one_extractor(extractor, store, folder if begun else None)
    model = build_model(
        settings.model,
        vocabulary=len(tokenizer),
        feature_size=store.feature_size,
        patches=store.patches,
        seed=settings.training.seed,
    )
    _prepare(model, settings, training)
    _warn_of_other_pictures(settings.model.backbone, extractor, display)
    teacher = _teacher(settings, model, extractor, tokenizer)
    processor = FashionBertProcessor(tokenizer, extractor, limit)
    processes = join_processes(cpu=cpu or not torch.cuda.is_available())
    with only_writer(folder) if processes.is_main_process else nullcontext():
        if not begun and processes.is_main_process:
            _begin(folder, settings, model, processor, catalogue, training)
        processes.wait_for_everyone()
        module = PreTrainingStep(model, settings.objectives, teacher)
        gallery = gallery_of(usable)
        return Trainer(settings, module, processor, training, validation, gallery, folder, display, cpu=cpu).run()


def _teacher(
    settings: Settings,
    model: FashionBertForPreTraining,
    extractor: PatchExtractor,
    tokenizer: PreTrainedTokenizerFast,
) -> Teacher | None:
    if settings.distillation.teacher is None:
        return None
    run = Path(settings.distillation.teacher)
    teacher = Teacher.load(run)
    faults = []
    if load_tokenizer(run).get_vocab() != tokenizer.get_vocab():
        faults.append("they have other WordPieces: take a model.backbone that has the teacher's")
    if (its := PatchExtractor.load(run).fingerprint) != extractor.fingerprint:
        faults.append(f"its patch network is {its}, here {extractor.fingerprint}: images settings must be the same")
    if faults:
        raise SettingsError(f"distillation.teacher = {str(run)!r} cannot teach this model", faults)
    return teacher


def _warn_of_other_pictures(backbone: str | None, extractor: PatchExtractor, display: Display) -> None:
    if is_run(backbone) and PatchExtractor.load(Path(str(backbone))).fingerprint != extractor.fingerprint:
        display.warn(f"model.backbone = {backbone!r} has learnt from patches of another network than these")


def _warn_of_cut_texts(training: Examples, limit: int, display: Display) -> None:
    cut, products = training.cut_texts
    if cut > _FEW_CUT_TEXTS * products:
        display.warn(
            f"{cut / products:.1%} of the training texts ({cut:,} of {products:,}) are cut at "
            f"model.max_text_tokens = {limit} WordPieces: set more, or put what matters first"
        )


def join_processes(*, cpu: bool) -> PartialState:
    """Meet the other processes of a run that ``accelerate launch`` or ``torchrun`` started; without them, be alone.

    The first of them may need hours for the patch features, and the others wait.
    """
    return PartialState(cpu=cpu, timeout=timedelta(days=7))


def _prepare(model: FashionBertForPreTraining, settings: Settings, training: Examples) -> None:
    """Set what the data and the settings say before the first step, but for what came with the model of a run."""
    former = None
    if is_run(settings.model.backbone):
        former = FashionBertConfig.from_pretrained(str(settings.model.backbone))
    for head, size in ((model.vector_head, "contrastive_size"), (model.place_head, "late_interaction_size")):
        if head is not None and (former is None or not getattr(former, size)):
            head.set_temperature(settings.contrastive.temperature)
    brought = (
        former is not None
        and former.standardise_features
        and former.patch_feature_size == model.config.patch_feature_size
    )
    if settings.model.standardise_features and not brought:
        rows = np.linspace(0, len(training) - 1, min(len(training), _STATISTICS_ROWS)).astype(np.int64)
        mean_F, deviation_F = _feature_statistics(training, rows)
        patches = model.fashionbert.patch_embeddings
        patches.feature_mean.copy_(torch.from_numpy(mean_F))
        patches.feature_deviation.copy_(torch.from_numpy(deviation_F))


def _feature_statistics(training: Examples, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of each feature over evenly spread training pictures, in portions: float32 [F] each."""
    count, total, squares = 0, 0.0, 0.0
    for portion in np.array_split(rows, max(1, len(rows) // 100)):
        features_NF = training.read_features(portion).reshape(-1, training.features.feature_size).astype(np.float64)
        count += len(features_NF)
        total += features_NF.sum(axis=0)
        squares += np.square(features_NF).sum(axis=0)
    mean_F = np.asarray(total / count)
    variance_F = np.maximum(np.asarray(squares / count) - mean_F**2, 0.0)
    deviation_F = np.where(variance_F > 1e-8, np.sqrt(variance_F), 1.0)
    return mean_F.astype(np.float32), deviation_F.astype(np.float32)


def _one_extractor(extractor: PatchExtractor, store: FeatureStore, folder: Path | None) -> None:
    """Refuse features, or a run, of another patch network than the one that new pictures will be read with."""
    known = {str(store.folder): store.fingerprint}
    if folder is not None:
        known[str(folder)] = PatchExtractor.load(folder).fingerprint
    others = [f"{place} is of {found}" for place, found in known.items() if found != extractor.fingerprint]
    if others:
        raise RunError(
            f"the settings describe the patch network {extractor.fingerprint}, but {'; '.join(others)}. "
            "Name the weights that the run began with, or another --out and another --features"
        )


def _begin(
    folder: Path,
    settings: Settings,
    model: FashionBertForPreTraining,
    processor: FashionBertProcessor,
    catalogue: Catalogue,
    training: Examples,
) -> None:
    """Write all of the run folder that does not change; the processor's record is last and says that all is there."""
    cut, products = training.cut_texts
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / SETTINGS, settings_to_yaml(settings))
    model.config.architectures = ["FashionBertForPreTraining"]
    write_text(folder / "config.json", model.config.to_json_string())
    write_json(
        folder / RUN_RECORD,
        {
            "versions": versions(),
            "commit": commit(),
            "catalogue": catalogue.name,
            "data_hash": catalogue.data_hash,
            "training_rows": len(training),
            "left_out": list(training.left_out),
            "set_aside": catalogue.reasons,
            "cut_texts": cut / products,
            "hardware": {
                "machine": platform.machine(),
                "threads": torch.get_num_threads(),
                "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
            },
        },
    )
    processor.save_pretrained(folder, settings.catalogue)
