"""Every setting of the project: one frozen class a part, checked when it is made."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from fashionbert.config.contradictions import contradictions
from fashionbert.types import Precision


def _no_truth_value(value: Any) -> Any:
    """Refuse ``yes``, which YAML reads as true and pydantic would take for 1; text such as ``2e-4`` stays a number."""
    if isinstance(value, bool):
        raise ValueError("a number is needed, not true or false (yes and no are these in YAML)")
    return value


Integer = Annotated[int, BeforeValidator(_no_truth_value)]
Real = Annotated[float, BeforeValidator(_no_truth_value)]
Share = Annotated[Real, Field(ge=0.0, le=1.0)]
Rate = Annotated[Real, Field(ge=0.0, lt=1.0)]
Positive = Annotated[Real, Field(gt=0.0)]
NotNegative = Annotated[Real, Field(ge=0.0)]
Count = Annotated[Integer, Field(ge=1)]
NaturalNumber = Annotated[Integer, Field(ge=0)]
Seed = Annotated[Integer, Field(ge=0, le=2**64 - 1)]

Task = Literal["masked_words", "masked_patches", "alignment", "contrastive"]
Tracker = Literal["tensorboard", "wandb", "trackio", "comet_ml", "aim", "mlflow", "clearml", "dvclive", "swanlab"]
PRESETS = ("paper", "released", "fast", "tiny", "clicks")


class Part(BaseModel):
    """Base of every settings class: frozen, keyword-only, unknown names refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class CatalogueSettings(Part):
    """How the rows of a catalogue become products."""

    format: Literal["auto", "parquet", "csv", "jsonl", "fashiongen", "hub"] = "auto"
    """Reader; ``auto`` looks at the path."""
    columns: dict[str, str] = Field(default_factory=dict)
    """Our field -> the name of the column that holds it, e.g. ``{product_id: sku, image: photo}``."""
    text: str | None = None
    """Template of the text, e.g. ``"{title} in {colour}. {description}"``; None reads the text column."""
    image_root: str | None = None
    """Folder that relative picture paths start from; None: the folder of the table."""
    validation_share: Share = 0.1
    """Share of groups held out when the catalogue names no splits of its own."""
    split_seed: Seed = 0
    """Seed of that split."""


class ImageSettings(Part):
    """How a picture becomes patch features (docs/explanation/model.md)."""

    network: str = "mobilenetv2_100"
    """Name of a timm network, or ``pixels``: the cell itself, resized and normalised; needs no weights."""
    weights: str | None = None
    """``None``: pre-trained weights from the hub. A path: a local safetensors file. ``random``: untrained."""
    network_options: dict[str, str | int | float | bool] = Field(default_factory=dict)
    """Further arguments of ``timm.create_model``, e.g. ``{pad_type: same}``."""
    mode: Literal["crop", "grid"] = "grid"
    """``crop``: every cell through the network by itself. ``grid``: one pass, the feature map pooled to cells."""
    levels: Literal["last", "all"] = "last"
    """``grid`` only: the last feature map, or the maps of all stages and the cell's colours beside it."""
    grid: Count = 8
    """Cells a side; P = grid * grid patches, row-major."""
    height: Count = 256
    """Pixels the picture is resized to before it is cut (crop, pixels) or passed (grid)."""
    width: Count = 256
    """See ``height``."""
    cell_size: Count = 224
    """Pixels a side that each cell is resized to: network input in ``crop`` mode, side kept by ``pixels``."""
    fit: Literal["stretch", "pad"] = "stretch"
    """``stretch`` fills height x width; ``pad`` keeps the aspect ratio on white."""
    variants: Literal["plain", "mirrored"] = "plain"
    """``mirrored`` also stores the features of the mirror image: training draws from both at random, pairs are scored
    by the mean of both (docs/adr/0007)."""
    precision: Precision = "fp32"
    """Arithmetic of the network; ``auto``: bf16, which is about three times as fast, where the device has instructions
    for it, else fp32."""
    batch_size: Count = 32
    """Pictures (``grid``) or cells (``crop``) passed through a network at once; a CPU takes four at most, whose caches
    hold no more."""

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        faults = []
        if min(self.height, self.width) < self.grid:
            faults.append(f"height {self.height} x width {self.width} is less than grid {self.grid}")
        if self.levels == "all" and self.mode != "grid":
            faults.append(f"levels 'all' needs mode 'grid', not {self.mode!r}")
        if self.network == "pixels" and (self.mode != "crop" or self.weights is not None):
            faults.append(f"network 'pixels' needs mode 'crop' and no weights, not {self.mode!r}, {self.weights!r}")
        if faults:
            raise ValueError("\n".join(f"images: {fault}" for fault in faults))
        return self

    @property
    def patches(self) -> int:
        """Number of patches P."""
        return self.grid * self.grid


class ModelSettings(Part):
    """Shape and origin of the BERT."""

    backbone: str | None = None
    """Hub id or folder of a pre-trained BERT (weights and tokenizer), or a run folder, whose whole model is taken over;
    None: a fresh BERT of the sizes below."""
    vocabulary: Count = 1000
    """WordPieces learnt from the catalogue when there is no backbone."""
    layers: Count | None = None
    """Encoder layers; None: all that the backbone has. Of a BERT the first ones are kept (paper, table 3), of a run
    folder's model evenly spread ones and the last."""
    split_layers: NaturalNumber = 0
    """Lower layers in which words and patches do not see each other yet (ours; docs/adr/0002); the paper: 0."""
    fast_split_layers: NaturalNumber = 0
    """More of them, in half of the batches, so that one checkpoint scores as a whole or, for less, split
    (``Scorer(speed="split")``; docs/adr/0016); 0: none."""
    width: Count = 128
    """D, without a backbone only."""
    heads: Count = 4
    """Attention heads, without a backbone only."""
    activation: Literal["gelu", "gelu_new"] | None = None
    """Of the layers; ``gelu_new`` is GELU in its tanh form, as in the released code. None: the backbone's, or gelu."""
    dropout: Rate = 0.1
    """Dropout of embeddings and layers."""
    attention_dropout: Rate = 0.1
    """Dropout of the attention maps; 0 makes training on a CPU about twice as fast."""
    patch_dropout: Rate = 0.1
    """Dropout on the raw patch features."""
    standardise_features: bool = False
    """Subtract each feature's mean over the training pictures and divide by its deviation before the projection."""
    max_text_tokens: Annotated[Integer, Field(ge=8)] = 128
    """Longest text in WordPieces, [CLS] and [SEP] included; longer ones are cut."""
    contrastive_size: NaturalNumber = 0
    """E, size of the unit vectors; 0 builds no contrastive head."""
    late_interaction_size: NaturalNumber = 0
    """K, size of the unit vectors of single words and patches, which the contrastive task learns beside the vectors of
    whole sides (ours; docs/adr/0003); 0 leaves them out."""
    bank_size: NaturalNumber = 0
    """R, training texts and as many pictures that are kept with the model to correct for sides that are like
    everything (ours; docs/adr/0006); 0 keeps none."""
    side_agreement: bool = False
    """The alignment logits stand on how alike the two sides are when read by themselves (ours; docs/adr/0002)."""


class ObjectiveSettings(Part):
    """The tasks, their masks and their weights (docs/explanation/model.md)."""

    tasks: tuple[Task, ...] = ("masked_words", "masked_patches", "alignment")
    """Tasks that are learnt; L is their number."""
    alignment: Literal["pairs", "lists"] = "pairs"
    """``pairs``: match or not, pair by pair (paper). ``lists``: also which of right and wrong pairs (ours)."""
    weights: Literal["paper", "released", "equal", "fixed", "uncertainty"] = "paper"
    """How the tasks are weighed against each other."""
    fixed_weights: dict[str, Positive] = Field(default_factory=dict)
    """Weight by task for ``weights=fixed``; they are divided by their sum."""
    word_mask_share: Rate = 0.15
    """Share of a text's WordPieces that are masked, by whole words."""
    max_masked_words: Count | None = None
    """At most so many WordPieces are masked in a text (released code: 10); None: no limit."""
    word_drop_share: Rate = 0.0
    """Share of a text's words that training leaves out of the sequence (ours), against learning texts by heart; scoring
    reads all."""
    patch_mask_share: Rate = 0.10
    """Share of the patches that are set to zero."""
    patch_drop_share: Rate = 0.0
    """Share of the patches that training leaves out of the sequence, to save time; scoring reads all."""
    masked_losses_on: Literal["positives", "all"] = "positives"
    """Pairs that count in the masked tasks; the released code counts all."""


class NegativeSettings(Part):
    """Which wrong pairs the alignment task sees."""

    source: Literal["random", "subcategory", "mined"] = "subcategory"
    """Anywhere, same subcategory, or drawn by the contrastive similarities of the batch and the queue."""
    per_positive: Count = 1
    """Negative pairs for each positive one; half of all swap the text, half the image."""
    sharpness: NotNegative = 20.0
    """Mined: a candidate is drawn with probability softmax(sharpness * cosine)."""
    even_share: Share = 0.0
    """Mined: share of them drawn evenly all the same; look-alikes alone do not teach what tells a dress from a shoe."""
    warmup_share: Share = 0.1
    """Mined: share of the alignment stage over which the sharpness rises from 0, easy negatives first."""


class ContrastiveSettings(Part):
    """The contrastive task (ours)."""

    temperature: Positive = 0.07
    """Temperature at the start; it is learnt."""
    queue: NaturalNumber = 0
    """Past vectors kept, from which mined negatives are drawn too."""
    queue_negatives: bool = False
    """Whether they are negatives of the contrastive task too; stale ones mislead a young model (docs/log.md)."""
    titled_share: Annotated[Real, Field(ge=0.0, lt=1.0)] = 0.0
    """Share of products whose title stands before their patches when their vector is learnt (paper section 3.4,
    segments T and I); such a model makes vectors of pictures and of titled pictures."""
    title: str = "title"
    """Column that the title is read from; products without one are read by their picture."""


class DistillationSettings(Part):
    """A trained model that this one imitates (ours; ``fashionbert distill`` sets it)."""

    teacher: str | None = None
    """Run folder of the trained model, which must have the same WordPieces and patches; None: there is none."""
    share: Share = 0.5
    """Of the loss; the tasks have the rest."""


class TrainingSettings(Part):
    """The loop."""

    epochs: Positive = 10
    """Passes over the training products."""
    contrastive_epochs: NotNegative = 0
    """The first so many of them learn the contrastive task alone."""
    batch_size: Count = 64
    """Products in a batch; each gives one positive pair."""
    cluster_size: Count = 1
    """Products of one subcategory, with texts of like length, that stand together in a batch at most, so that in-batch
    negatives are hard; 1: any."""
    accumulation: Count = 1
    """Batches whose gradients are added before a step."""
    learning_rate: Positive = 2e-5
    """Peak learning rate of the pre-trained layers; without a backbone, of all."""
    new_layer_factor: Positive = 1.0
    """With a backbone: learning rate of the other layers, as a multiple of ``learning_rate``."""
    beta1: Rate = 0.95
    """Adam (paper)."""
    beta2: Rate = 0.999
    """Adam (paper)."""
    epsilon: Positive = 1e-6
    """Adam."""
    weight_decay: NotNegative = 1e-4
    """Decoupled; not on biases and LayerNorms."""
    warmup_steps: NaturalNumber | None = None
    """Steps of linear warm-up; None takes ``warmup_share``."""
    warmup_share: Share = 0.1
    """Share of all steps that warm up."""
    clip_norm: Positive = 1.0
    """Largest global norm of the gradient."""
    precision: Precision = "fp32"
    """Arithmetic of the forward pass; ``auto`` as under ``images``."""
    seed: Seed = 0
    """Seed of everything that is drawn."""
    checkpoint_minutes: Positive = 5.0
    """Minutes between checkpoints."""
    validate_every: Positive = 1.0
    """Epochs between validations."""
    validation_queries: Count = 300
    """Queries of each direction in a validation."""
    patience: Count | None = None
    """Validations without a better R@1 before training stops; None: never."""
    trackers: tuple[Tracker, ...] = ()
    """accelerate's trackers beside the JSONL file, e.g. ``tensorboard``."""


class EvaluationSettings(Part):
    """How a model is measured (docs/evaluation.md)."""

    protocols: Annotated[tuple[Literal["random-101", "subcategory-101", "full"], ...], Field(min_length=1)] = (
        "subcategory-101",
    )
    """Candidate lists."""
    queries: Count = 1000
    """Queries of each direction, or all if fewer."""
    draws: Count = 5
    """Candidate draws."""
    seed: Seed = 0
    """Seed of the first draw; draw i has seed + i."""
    batch_size: Count = 256
    """Pairs scored at once."""
    bootstrap: Count = 1000
    """Resamples of the 95 % interval."""


class ClickSettings(Part):
    """Fine-tuning on a click log (paper section 3.4)."""

    image: Literal["none", "beside", "inside"] = "inside"
    """The picture: not read, its mean patch feature beside the words' output (BERT+IMG of Table 4), or its patches in
    the sequence (FashionBERT)."""
    title: str = "title"
    """Column that the title is read from; products without it are read by their text."""
    max_query_tokens: Annotated[Integer, Field(ge=3)] = 16
    """Longest query in WordPieces, [CLS] and [SEP] included."""
    max_title_tokens: Annotated[Integer, Field(ge=2)] = 48
    """Longest title in WordPieces, its [SEP] included."""
    variable_length: bool = True
    """Whether batches are of rows of like length and as wide as the longest (VSL of Table 4), or all of full width."""
    held_out: Share = 0.1
    """Share of the sessions that are measured on (the paper: 10 % of the rows)."""


class Settings(Part):
    """Everything that describes a run."""

    catalogue: CatalogueSettings = CatalogueSettings()
    images: ImageSettings = ImageSettings()
    model: ModelSettings = ModelSettings()
    objectives: ObjectiveSettings = ObjectiveSettings()
    negatives: NegativeSettings = NegativeSettings()
    contrastive: ContrastiveSettings = ContrastiveSettings()
    distillation: DistillationSettings = DistillationSettings()
    training: TrainingSettings = TrainingSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    clicks: ClickSettings = ClickSettings()

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        if faults := contradictions(self):
            raise ValueError("\n".join(fault.message for fault in faults))
        return self
