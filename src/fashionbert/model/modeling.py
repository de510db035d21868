"""FashionBERT: ``[CLS] words [SEP] patches`` through one BERT encoder, and the heads that read it.

Paper sections 1.2-1.3; released code ``modeling_imagebert.py``. Letters: B batch, T text tokens, P patches,
S = T + P, M masked places, F feature size, D width, V vocabulary, E vector size.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as nnf
from transformers import BertModel, PreTrainedModel
from transformers.masking_utils import create_bidirectional_mask
from transformers.models.bert.modeling_bert import BertSelfAttention
from transformers.utils.generic import ModelOutput

from fashionbert.model.config import FashionBertConfig
from fashionbert.model.embeddings import PatchEmbeddings
from fashionbert.model.heads import SideAgreement, VectorHead, WordHead


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

    _keys_to_ignore_on_load_unexpected = [r".*_head\..*", r"side_agreement\..*"]  # noqa: RUF012 (transformers' own attribute)

    def __init__(self, config: FashionBertConfig) -> None:
        super().__init__(config)
        self.bert = BertModel(config)
        self.patch_embeddings = PatchEmbeddings(config)
        self.post_init()

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
        return self._run(Side(hidden_BTD, mask_BT.bool()), 0, self.config.split_layers)

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
        return self._run(Side(hidden_BPD, mask_BP.bool()), 0, self.config.split_layers)

    def join(self, texts: Side, pictures: Side | None) -> FashionBertOutput:
        """Run the remaining layers over words and patches in one sequence, or over words alone."""
        both = texts if pictures is None else texts.beside(pictures)
        both = self._run(both, self.config.split_layers, self.config.num_hidden_layers)
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


class FashionBertForMatching(FashionBertPreTrainedModel):
    """Encoder, alignment head and, where the checkpoint has it, the vector head: all that search needs."""

    _keys_to_ignore_on_load_unexpected = [r"word_head\..*", r"patch_head\..*"]  # noqa: RUF012 (transformers' own attribute)

    def __init__(self, config: FashionBertConfig) -> None:
        super().__init__(config)
        self.fashionbert = FashionBertModel(config)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.alignment_head = nn.Linear(config.hidden_size, 2)
        self.vector_head = VectorHead(config) if config.contrastive_size else None
        self.side_agreement = SideAgreement() if config.side_agreement else None
        self._add_heads(config)
        self.post_init()

    def _add_heads(self, config: FashionBertConfig) -> None:
        """Give subclasses their heads before the weights are initialised."""

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
        """Encode pairs and say whether they belong together; arguments as in :class:`FashionBertModel`."""
        outputs = self.fashionbert(
            input_ids=input_ids,
            attention_mask=attention_mask,
            patch_features=patch_features,
            patch_mask=patch_mask,
            masked_patches=masked_patches,
            patch_positions=patch_positions,
            token_type_ids=token_type_ids,
            position_ids=position_ids,
            output_attentions=output_attentions,
        )
        if self.side_agreement is None or patch_features is None:
            return self._align(outputs, None)
        frame_B2 = frame_ids(input_ids, attention_mask)
        pictures_BE = self.picture_vectors(frame_B2, None, patch_features, patch_mask, patch_positions, masked_patches)
        return self._align(outputs, (self.text_vectors(input_ids, attention_mask), pictures_BE))

    def join(self, texts: Side, pictures: Side, vectors: tuple[Tensor, Tensor] | None = None) -> FashionBertOutput:
        """Score pairs of sides that were read before, so that a side in many pairs is read once.

        Args:
            texts: from :meth:`FashionBertModel.read_texts`, a row for each pair.
            pictures: from :meth:`FashionBertModel.read_pictures`, a row for each pair.
            vectors: unit vectors [B, E] of the same texts and pictures; a model with side agreement needs them.

        Returns:
            The outputs of the pairs.
        """
        return self._align(self.fashionbert.join(texts, pictures), vectors)

    def _align(self, outputs: FashionBertOutput, vectors: tuple[Tensor, Tensor] | None) -> FashionBertOutput:
        assert outputs.pooled_output is not None
        outputs.alignment_logits = self.alignment_head(self.dropout(outputs.pooled_output))
        if self.side_agreement is not None and vectors is not None:
            outputs.alignment_logits = outputs.alignment_logits + self.side_agreement(*vectors)
        return outputs

    def vectors_of_texts(self, texts: Side) -> Tensor:
        """Unit vectors [B, E] of texts that were read before; ValueError where the model has no vector head."""
        return self._vectors(self.fashionbert.join(texts, None), "text")

    def vectors_of_pictures(self, frame: Side, pictures: Side) -> Tensor:
        """Unit vectors [B, E] of pictures that were read before; ValueError where the model has no vector head.

        Args:
            frame: ``[CLS] [SEP]`` as :meth:`FashionBertModel.read_texts` read it, one row.
            pictures: the pictures.

        Returns:
            Unit vectors, float32.
        """
        rows = torch.zeros(len(pictures.hidden), dtype=torch.int64, device=pictures.hidden.device)
        return self._vectors(self.fashionbert.join(frame[rows], pictures), "picture")

    def text_vectors(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """Encode texts by themselves; the dot product with :meth:`picture_vectors` is their cosine.

        Args:
            input_ids: ``[CLS] words [SEP]`` and padding [B, T].
            attention_mask: 1 at real tokens [B, T]; None: all are.

        Returns:
            Unit vectors [B, E], float32.

        Raises:
            ValueError: the model has no vector head.
        """
        outputs = self.fashionbert(input_ids=input_ids, attention_mask=attention_mask)
        return self._vectors(outputs, "text")

    def picture_vectors(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        patch_features: Tensor | None = None,
        patch_mask: Tensor | None = None,
        patch_positions: Tensor | None = None,
        masked_patches: Tensor | None = None,
    ) -> Tensor:
        """Encode pictures by themselves, or together with words such as a title.

        Args:
            input_ids: ``[CLS] [SEP]`` for a picture alone, words between them otherwise [B, T].
            attention_mask: 1 at real tokens [B, T]; None: all are.
            patch_features: [B, P, F].
            patch_mask: 1 at real patches [B, P]; None: all are.
            patch_positions: place of each patch in the grid [B, P]; None: all are there, row-major.
            masked_patches: True where a patch is set to zero [B, P].

        Returns:
            Unit vectors [B, E], float32.

        Raises:
            ValueError: the model has no vector head.
        """
        outputs = self.fashionbert(
            input_ids=input_ids,
            attention_mask=attention_mask,
            patch_features=patch_features,
            patch_mask=patch_mask,
            masked_patches=masked_patches,
            patch_positions=patch_positions,
        )
        return self._vectors(outputs, "picture")

    def _vectors(self, outputs: FashionBertOutput, side: str) -> Tensor:
        if self.vector_head is None:
            raise ValueError(
                "this model has no vector head (contrastive_size is 0): train one with the contrastive task, "
                "for example with --preset fast"
            )
        return self.vector_head(outputs.last_hidden_state, outputs.attention_mask, side)


class FashionBertForPreTraining(FashionBertForMatching):
    """All heads. Those of the masked tasks take the places to predict and no others, so only masked places cost."""

    _keys_to_ignore_on_load_unexpected = None

    def _add_heads(self, config: FashionBertConfig) -> None:
        self.word_head = WordHead(config)
        self.patch_head = nn.Linear(config.hidden_size, config.patch_feature_size, bias=False)

    def word_logits(self, hidden_MD: Tensor) -> Tensor:
        """Logits over the vocabulary [M, V] (paper equation 1)."""
        return self.word_head(hidden_MD, self.fashionbert.bert.embeddings.word_embeddings.weight)

    def patch_logits(self, hidden_MD: Tensor) -> Tensor:
        """Logits of the patch feature's distribution [M, F] (paper equation 2)."""
        return self.patch_head(hidden_MD)


def frame_ids(input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
    """``[CLS] [SEP]`` of each text [B, 2]: its first and its last real token, with which a picture is read alone."""
    if attention_mask is None:
        return input_ids[:, [0, -1]]
    last_B1 = attention_mask.long().sum(dim=1, keepdim=True) - 1
    return torch.cat([input_ids[:, :1], input_ids.gather(1, last_B1)], dim=1)
