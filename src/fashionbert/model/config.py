"""The shape of a FashionBERT, as ``config.json`` holds it."""

from huggingface_hub.dataclasses import strict
from transformers import BertConfig


@strict
class FashionBertConfig(BertConfig):
    """A BERT configuration with what the patches and the extra heads need.

    Everything of ``BertConfig`` keeps its meaning, so any BERT's configuration extends to a FashionBERT's by
    :meth:`from_bert`. Paper section 1.2-1.3 (structure), released code ``modeling_imagebert.py`` (sizes).
    """

    model_type = "fashionbert"

    patch_feature_size: int = 2048
    """F, floats in one patch feature (ResNet, ResNeXt and Inception: 2048)."""
    patches: int = 64
    """P, rows of the patch position table (8 x 8)."""
    patch_type_vocab_size: int = 2
    """Segments of the patch table; patches take the last one, "I" (id 1 in the released code)."""
    patch_dropout_prob: float | int = 0.1
    """Dropout on the raw patch features before their projection."""
    standardise_features: bool = False
    """Whether the checkpoint holds a mean and a deviation for each of the F features, applied before the projection."""
    contrastive_size: int = 0
    """E, size of the unit vectors of the contrastive head; 0 leaves the head out."""
    late_interaction_size: int = 0
    """K, size of the unit vectors of single words and patches (docs/adr/0003); 0 leaves them out."""
    bank_size: int = 0
    """R, training texts and as many pictures by which the popularity of sides is measured (docs/adr/0006); 0: none."""
    split_layers: int = 0
    """Lower layers in which words and patches do not see each other yet; 0 is the paper's single stream."""
    fast_split_layers: int = 0
    """Lower layers in which sides may be apart too, to score for less; learnt beside the usual form. 0: none."""
    side_agreement: bool = False
    """Whether :class:`~fashionbert.model.heads.SideAgreement` adds to the alignment logits; needs the vector head."""

    def __post_init__(self, **kwargs: object) -> None:
        """Refuse what contradicts itself.

        Args:
            **kwargs: values that are no fields; transformers keeps them as attributes.

        Raises:
            ValueError: side agreement or late interaction without a vector head, no layer left to join the sides, or a
                kind of BERT that is no encoder.
        """
        super().__post_init__(**kwargs)
        faults = [
            f"{name} = {getattr(self, name)!r} is not supported: FashionBERT is a plain encoder; set it to {only!r}"
            for name, only in _ONLY.items()
            if getattr(self, name, only) != only
        ]
        if not 0 <= self.split_layers < self.num_hidden_layers:
            faults.append(
                f"split_layers = {self.split_layers} must leave one of {self.num_hidden_layers} layers to join sides"
            )
        if self.fast_split_layers and not self.split_layers < self.fast_split_layers < self.num_hidden_layers:
            faults.append(
                f"fast_split_layers = {self.fast_split_layers} must be above split_layers = {self.split_layers} and "
                f"leave one of {self.num_hidden_layers} layers to join sides"
            )
        if self.side_agreement and self.contrastive_size == 0:
            faults.append("side_agreement = True needs the vector head: contrastive_size must be above 0")
        if self.bank_size and not self.side_agreement:
            faults.append("bank_size corrects the side agreement: set side_agreement = True")
        if self.late_interaction_size and self.contrastive_size == 0:
            faults.append("late_interaction_size needs the vector head: contrastive_size must be above 0")
        if faults:
            raise ValueError("; ".join(faults))

    @classmethod
    def from_bert(cls, bert: BertConfig, **fields: object) -> "FashionBertConfig":
        """Take over a BERT's configuration.

        Args:
            bert: configuration of the text backbone; stays as it is.
            **fields: values of this class's own fields, or changes of the inherited ones.

        Returns:
            A new configuration.
        """
        inherited = {name: value for name, value in bert.to_dict().items() if name in _BERT_FIELDS}
        return cls(**{**inherited, **fields})

    @classmethod
    def shape_fields(cls) -> frozenset[str]:
        """Names of the fields that fit the weights only as they are: with another value scores would change."""
        return frozenset(
            {
                "vocab_size",
                "hidden_size",
                "num_hidden_layers",
                "num_attention_heads",
                "intermediate_size",
                "hidden_act",
                "max_position_embeddings",
                "type_vocab_size",
                "layer_norm_eps",
                "patch_feature_size",
                "patches",
                "patch_type_vocab_size",
                "contrastive_size",
                "late_interaction_size",
                "bank_size",
                "standardise_features",
                "side_agreement",
                "split_layers",
                "fast_split_layers",
            }
        )


_ONLY = {"is_decoder": False, "add_cross_attention": False, "chunk_size_feed_forward": 0}
"""Fields of ``BertConfig`` with one value that this model reads right: causal attention would give other scores."""

_NOT_SHAPE = {"model_type", "architectures", "transformers_version", "dtype", "_name_or_path"}
_BERT_FIELDS = frozenset(BertConfig().to_dict()) - _NOT_SHAPE
