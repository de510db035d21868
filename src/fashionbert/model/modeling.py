"""The models: what stands on the encoder's output.

Paper section 1.3; released code ``modeling_imagebert.py``. Letters: B batch, T text tokens, P patches, M masked places,
F feature size, D width, V vocabulary, E vector size.
"""

import torch
from torch import Tensor, nn

from fashionbert.model.bank import VectorBank
from fashionbert.model.config import FashionBertConfig
from fashionbert.model.encoder import FashionBertModel, FashionBertOutput, FashionBertPreTrainedModel, Side
from fashionbert.model.heads import SideAgreement, WordHead
from fashionbert.model.meeting import Meeting
from fashionbert.model.side_vectors import PlaceHead, SideVectors, VectorHead, late_interaction_of_pairs

FRAME = 2
"""A picture alone stands behind so many tokens, ``[CLS] [SEP]``."""


class FashionBertForMatching(FashionBertPreTrainedModel):
    """Encoder, alignment head and, where the checkpoint has it, the vector head: all that search needs."""

    _keys_to_ignore_on_load_unexpected = [r"word_head\..*", r"patch_head\..*"]  # noqa: RUF012 (transformers' own attribute)

    def __init__(self, config: FashionBertConfig) -> None:
        super().__init__(config)
        self.fashionbert = FashionBertModel(config)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.alignment_head = nn.Linear(config.hidden_size, 2)
        self.vector_head = VectorHead(config) if config.contrastive_size else None
        self.place_head = PlaceHead(config) if config.late_interaction_size else None
        self.side_agreement = SideAgreement() if config.side_agreement else None
        self.bank = VectorBank(config) if config.bank_size else None
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
        encoder, frame_B2 = self.fashionbert, frame_ids(input_ids, attention_mask)
        texts = self.vectors_of_texts(encoder.read_texts(input_ids, attention_mask, token_type_ids, position_ids))
        frame, pictures = (
            encoder.read_texts(frame_B2),
            encoder.read_pictures(patch_features, patch_mask, masked_patches, patch_positions),
        )
        return self._align(outputs, (texts, self.vectors_of_pictures(frame, pictures)))

    def join(
        self,
        texts: Side,
        pictures: Side | None,
        vectors: tuple[SideVectors, SideVectors] | None = None,
        *,
        only_cls: bool = False,
    ) -> FashionBertOutput:
        """Read pairs of sides that were read before, so that a side in many pairs is read once.

        Args:
            texts: from :meth:`FashionBertModel.read_texts`, a row for each pair.
            pictures: from :meth:`FashionBertModel.read_pictures`, a row for each pair; None: words alone.
            vectors: of the same texts and pictures; a model with side agreement needs them.
            only_cls: leave out what the alignment logits do not ask for, as in :meth:`FashionBertModel.join`.

        Returns:
            The outputs of the pairs.
        """
        return self._align(self.fashionbert.join(texts, pictures, only_cls=only_cls), vectors)

    def match(
        self,
        meeting: Meeting,
        text_of: Tensor,
        picture_of: Tensor,
        vectors: tuple[SideVectors, SideVectors] | None = None,
    ) -> FashionBertOutput:
        """Score pairs: the logits of :meth:`join` without what only the masked tasks ask for.

        Args:
            meeting: sides that were read before.
            text_of: which of its texts each pair has [N].
            picture_of: which of its pictures each pair has [N].
            vectors: of the texts and pictures of the pairs; a model with side agreement needs them.

        Returns:
            Outputs whose hidden state is that of [CLS] alone [N, 1, D].
        """
        hidden_N1D = meeting.first_places(text_of, picture_of)[:, None]
        pooler = self.fashionbert.bert.pooler
        assert pooler is not None, "BertModel is built with its pooler"
        return self._align(FashionBertOutput(last_hidden_state=hidden_N1D, pooled_output=pooler(hidden_N1D)), vectors)

    def _align(self, outputs: FashionBertOutput, vectors: tuple[SideVectors, SideVectors] | None) -> FashionBertOutput:
        assert outputs.pooled_output is not None
        outputs.alignment_logits = self.alignment_head(self.dropout(outputs.pooled_output))
        if self.side_agreement is not None and vectors is not None:
            similarity_B = self.similarity(*vectors).detach()  # it is learnt by the contrastive task
            outputs.alignment_logits = outputs.alignment_logits + self.side_agreement(similarity_B)
        return outputs

    def similarity(self, texts: SideVectors, pictures: SideVectors) -> Tensor:
        """How alike the sides of each pair are by their own vectors, in units of the contrastive task's logits [B].

        Mean of cosine and late interaction, each times its learnt scale; the cosine alone where the model has no late
        interaction. Where it has a bank, less the mean popularity of the two sides: what counts is being alike although
        neither side is like everything.

        Args:
            texts: B texts.
            pictures: B pictures.

        Returns:
            Similarities.
        """
        assert self.vector_head is not None, "the configuration refuses side agreement without a vector head"
        cosine_B = self.vector_head.scale * (texts.pooled * pictures.pooled).sum(dim=1)
        similarity_B = cosine_B
        if self.place_head is not None and texts.places is not None and pictures.places is not None:
            places_B = self.place_head.scale * late_interaction_of_pairs(texts.places, pictures.places)
            similarity_B = (cosine_B + places_B) / 2
        if texts.popularity is not None and pictures.popularity is not None:
            similarity_B = similarity_B - (texts.popularity + pictures.popularity) / 2
        return similarity_B

    def vectors_of_texts(self, texts: Side) -> SideVectors:
        """Vectors of texts that were read before; ValueError where the model has no vector head."""
        return self.vectors_of(self.fashionbert.join(texts, None), "text")

    def vectors_of_pictures(self, frame: Side, pictures: Side) -> SideVectors:
        """Vectors of pictures that were read before; ValueError where the model has no vector head.

        Args:
            frame: ``[CLS] [SEP]`` as :meth:`FashionBertModel.read_texts` read it, one row or a row for each picture.
            pictures: the pictures.

        Returns:
            Their vectors.
        """
        rows = pictures.hidden.shape[0]  # not len(), which an export writes down as a number
        if frame.hidden.shape[0] != rows:
            frame = frame[torch.zeros(rows, dtype=torch.int64, device=pictures.hidden.device)]
        return self.vectors_of(self.fashionbert.join(frame, pictures), "picture")

    def vectors_of_titled(self, titles: Side, pictures: Side) -> SideVectors:
        """Vectors of products by title and picture in one sequence (paper section 3.4); a row for each picture.

        The title stands in segment T as the words of a pair do, the patches in segment I.
        """
        return self.vectors_of(self.fashionbert.join(titles, pictures), "picture", titles.hidden.shape[1])

    def vectors_of(self, outputs: FashionBertOutput, side: str, words: int = FRAME) -> SideVectors:
        """Read the vectors off sides that passed all layers by themselves.

        Args:
            outputs: of :meth:`FashionBertModel.join`; a picture stands behind its ``[CLS] [SEP]``, or behind its title.
            side: ``"text"`` or ``"picture"``.
            words: tokens and padding that a picture stands behind.

        Returns:
            Pooled vectors, and places where the model has late interaction.

        Raises:
            ValueError: the model has no vector head.
        """
        if self.vector_head is None:
            raise ValueError(
                "this model has no vector head (contrastive_size is 0): train one with the contrastive task, "
                "for example with --preset fast"
            )
        hidden_BSD, mask_BS = outputs.last_hidden_state, outputs.attention_mask
        assert hidden_BSD is not None
        assert mask_BS is not None
        pooled_BE = self.vector_head(hidden_BSD, mask_BS, side)
        popularity_B = None
        if self.bank is not None:
            popularity_B = self.bank.popularity(pooled_BE, side, self.vector_head.scale)
        if self.place_head is None:
            return SideVectors(pooled_BE, popularity=popularity_B)
        first = 0 if side == "text" else words
        return SideVectors(pooled_BE, self.place_head(hidden_BSD[:, first:], mask_BS[:, first:], side), popularity_B)

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
        return self.vectors_of(outputs, "text").pooled

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
        return self.vectors_of(outputs, "picture", input_ids.shape[1]).pooled


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
