"""The encoder: ``[CLS] words [SEP] patches`` through one BERT.

Paper sections 1.2-1.3; released code ``modeling_imagebert.py``. Letters: B batch, N rows, T text tokens, P patches,
S = T + P, F feature size, D width.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor
from torch.nn import functional as nnf
from transformers import BertModel, PreTrainedModel
from transformers.masking_utils import create_bidirectional_mask
from transformers.models.bert.modeling_bert import BertLayer, BertSelfAttention
from transformers.utils.generic import ModelOutput

from fashionbert.model.config import FashionBertConfig
from fashionbert.model.embeddings import PatchEmbeddings

_NONE: Mapping[int, int] = {}
_forms: ContextVar[Mapping[int, int]] = ContextVar("forms", default=_NONE)
"""Split layers by model, where a thread reads it otherwise than its configuration says."""


@dataclass
class FashionBertOutput(ModelOutput):
    """Named outputs of every FashionBERT.

    Attributes:
        last_hidden_state: the encoder's output [B, T+P, D], words first.
        pooled_output: tanh pooler on ``[CLS]``, of shape [B, D].
        alignment_logits: [B, 2], class 1 = text and picture belong together (the opposite of BERT's next sentence).
        attention_mask: True at real places [B, T+P].
        attentions: for each layer [B, heads, T+P, T+P], when asked for and attention is ``eager``.
    """

    last_hidden_state: Tensor | None = None
    pooled_output: Tensor | None = None
    alignment_logits: Tensor | None = None
    attention_mask: Tensor | None = None
    attentions: tuple[Tensor, ...] | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """Hidden states of one side of pairs, or of both.

    Attributes:
        hidden: [B, S, D].
        mask: True at real places [B, S].
    """

    hidden: Tensor
    mask: Tensor

    def __getitem__(self, rows_N: Tensor) -> "Side":
        """Take rows, any number of times each."""
        return Side(self.hidden[rows_N], self.mask[rows_N])

    def narrowed(self, width: int) -> "Side":
        """Cut off places behind ``width``, which must be padding."""
        return Side(self.hidden[:, :width], self.mask[:, :width])

    def beside(self, other: "Side") -> "Side":
        """Put another side's places behind one's own, row by row."""
        hidden_BSD = torch.cat([self.hidden, other.hidden.to(self.hidden.dtype)], dim=1)
        return Side(hidden_BSD, torch.cat([self.mask, other.mask], dim=1))

    def above(self, other: "Side") -> "Side":
        """Put another side's rows below one's own; the narrower one is padded."""
        width = max(self.hidden.shape[1], other.hidden.shape[1])
        upper, lower = self._padded(width), other._padded(width)
        return Side(torch.cat([upper.hidden, lower.hidden]), torch.cat([upper.mask, lower.mask]))

    def _padded(self, width: int) -> "Side":
        missing = width - self.hidden.shape[1]
        return Side(nnf.pad(self.hidden, (0, 0, 0, missing)), nnf.pad(self.mask, (0, missing)))


class FashionBertPreTrainedModel(PreTrainedModel):
    """Loading and saving for all FashionBERT classes; safetensors, no remote code."""

    config: FashionBertConfig
    config_class = FashionBertConfig
    base_model_prefix = "fashionbert"
    supports_gradient_checkpointing = True
    _supports_sdpa = True
    _supports_flash_attn = True
    _supports_attention_backend = True


class FashionBertModel(FashionBertPreTrainedModel):
    """The encoder: any Hugging Face BERT with patches beside its words."""

    _keys_to_ignore_on_load_unexpected = [r".*_head\..*", r"side_agreement\..*", r"bank\..*"]  # noqa: RUF012 (transformers' own attribute)

    def __init__(self, config: FashionBertConfig) -> None:
        super().__init__(config)
        self.bert = BertModel(config)
        self.patch_embeddings = PatchEmbeddings(config)
        self.post_init()

    @property
    def split_layers(self) -> int:
        """Lower layers in which sides are apart; :meth:`split_at` changes it for a block."""
        return _forms.get().get(id(self), self.config.split_layers)

    @property
    def joins_in_one_layer(self) -> bool:
        """Whether words and patches see each other in the last layer alone; :class:`Meeting` makes use of it."""
        return self.split_layers == self.config.num_hidden_layers - 1

    @contextmanager
    def split_at(self, layers: int) -> Iterator[None]:
        """Keep sides apart in so many lower layers within a block, for a model that has learnt to.

        Other models, and other threads with this one, keep theirs.
        """
        token = _forms.set({**_forms.get(), id(self): layers})
        try:
            yield
        finally:
            _forms.reset(token)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        patch_features: Tensor | None = None,
        patch_mask: Tensor | None = None,
        masked_patches: Tensor | None = None,
        patch_positions: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        output_attentions: bool = False,
    ) -> FashionBertOutput:
        """Encode words, or words and patches, in one sequence.

        Args:
            input_ids: ``[CLS] words [SEP]`` and padding [B, T].
            attention_mask: 1 at real tokens [B, T]; None: all are.
            patch_features: [B, P, F]; None encodes the words alone.
            patch_mask: 1 at real patches [B, P]; None: all are.
            masked_patches: True where a patch is set to zero [B, P].
            patch_positions: place of each patch in the grid [B, P]; None: all are there, row-major. Training may
                drop patches to save time.
            token_type_ids: segments of the words [B, T]; None: all 0 ("T"). Query and title: 0 and 1 (section 1.10).
            position_ids: [1 or B, T]; None counts from 0. With query and title it restarts at the title.
            output_attentions: also return the attention maps; needs ``attn_implementation="eager"``.

        Returns:
            Everything but the alignment logits.
        """
        with _recorded_attention(self.bert) if output_attentions else nullcontext() as attentions:
            texts = self.read_texts(input_ids, attention_mask, token_type_ids, position_ids)
            pictures = None
            if patch_features is not None:
                pictures = self.read_pictures(patch_features, patch_mask, masked_patches, patch_positions)
            outputs = self.join(texts, pictures)
        outputs.attentions = None if attentions is None else tuple(attentions)
        return outputs

    def read_texts(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
    ) -> Side:
        """Embed words and run the layers in which they do not see patches yet; arguments as in :meth:`forward`."""
        hidden_BTD = self.bert.embeddings(input_ids=input_ids, token_type_ids=token_type_ids, position_ids=position_ids)
        mask_BT = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        return self._run(Side(hidden_BTD, mask_BT.bool()), 0, self.split_layers)

    def read_pictures(
        self,
        patch_features: Tensor,
        patch_mask: Tensor | None = None,
        masked_patches: Tensor | None = None,
        patch_positions: Tensor | None = None,
    ) -> Side:
        """Embed patches and run the layers in which they do not see words yet; arguments as in :meth:`forward`."""
        hidden_BPD = self.patch_embeddings(patch_features, masked_patches, patch_positions)
        shape = patch_features.shape[:2]
        mask_BP = (
            torch.ones(shape, dtype=torch.bool, device=patch_features.device) if patch_mask is None else patch_mask
        )
        return self._run(Side(hidden_BPD, mask_BP.bool()), 0, self.split_layers)

    def join(self, texts: Side, pictures: Side | None, *, only_cls: bool = False) -> FashionBertOutput:
        """Run the remaining layers over words and patches in one sequence, or over words alone.

        Args:
            texts: from :meth:`read_texts`.
            pictures: from :meth:`read_pictures`, a row for each text; None: words alone.
            only_cls: leave out what nobody asks for when pairs are scored: the last layer's output at all places but
                [CLS]. The hidden state is then [B, 1, D]; the pooled output is the same.

        Returns:
            Everything but the alignment logits.
        """
        both = texts if pictures is None else texts.beside(pictures)
        end = self.config.num_hidden_layers
        both = self._run(both, self.split_layers, end - 1 if only_cls else end)
        if only_cls:
            both = Side(_first_place(cast(BertLayer, self.bert.encoder.layer[-1]), both), both.mask)
        pooler = self.bert.pooler
        assert pooler is not None, "BertModel is built with its pooler"
        return FashionBertOutput(
            last_hidden_state=both.hidden, pooled_output=pooler(both.hidden), attention_mask=both.mask
        )

    def _run(self, side: Side, first: int, end: int) -> Side:
        if first == end:
            return side
        mask = create_bidirectional_mask(config=self.bert.config, inputs_embeds=side.hidden, attention_mask=side.mask)
        hidden_BSD = side.hidden
        for layer in self.bert.encoder.layer[first:end]:
            hidden_BSD = layer(hidden_BSD, mask)
        return Side(hidden_BSD, side.mask)


def _first_place(layer: BertLayer, side: Side) -> Tensor:
    """Run a layer for the first place alone [B, 1, D]; it still attends to all others."""
    attention = cast(BertSelfAttention, layer.attention.self)
    first_B1D = side.hidden[:, :1]
    query, keys, values = (
        linear(hidden).unflatten(-1, (-1, attention.attention_head_size)).transpose(1, 2)
        for linear, hidden in (
            (attention.query, first_B1D),
            (attention.key, side.hidden),
            (attention.value, side.hidden),
        )
    )
    context = nnf.scaled_dot_product_attention(query, keys, values, attn_mask=side.mask[:, None, None, :])
    attended_B1D = layer.attention.output(context.transpose(1, 2).flatten(2), first_B1D)
    return layer.output(layer.intermediate(attended_B1D), attended_B1D)


@contextmanager
def _recorded_attention(bert: BertModel) -> Iterator[list[Tensor]]:
    """Collect the attention maps of the layers that run inside the block."""
    maps: list[Tensor] = []
    modules = [module for module in bert.encoder.modules() if isinstance(module, BertSelfAttention)]
    hooks = [module.register_forward_hook(lambda _, __, output: maps.append(output[1])) for module in modules]
    try:
        yield maps
    finally:
        for hook in hooks:
            hook.remove()
