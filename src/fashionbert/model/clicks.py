"""Will it be clicked on? The product form of the paper's section 3.4: query, title and picture in one sequence.

Letters: B batch, T text tokens, Q tokens of the longest query, P patches, F feature size, D width.
"""

from typing import Any, Literal

import torch
from torch import Tensor, nn

from fashionbert.model.config import FashionBertConfig
from fashionbert.model.encoder import FashionBertOutput, Side
from fashionbert.model.modeling import FashionBertForMatching, frame_ids

ClickImage = Literal["none", "beside", "inside"]


class ClickModel(nn.Module):
    """A pair model that reads a query and a product, in the three forms of Table 4.

    ``none`` reads the words alone. ``beside`` puts the mean patch feature next to what the encoder says of the words
    (BERT+IMG). ``inside`` reads the patches in the sequence (FashionBERT), and begins with what the pair model knows of
    matches: with its alignment head, or where that only corrects how alike the vectors of the two sides are, with those
    vectors of query and picture. Then the head begins at nothing: query and title in one text are new to it.
    """

    def __init__(self, config: FashionBertConfig, image: ClickImage) -> None:
        super().__init__()
        self.config, self.image = config, image
        self.matching = FashionBertForMatching(config)
        self.beside = nn.Linear(config.patch_feature_size, 2, bias=False) if image == "beside" else None
        if self.beside is not None:
            nn.init.normal_(self.beside.weight, std=config.initializer_range)

    @classmethod
    def from_matching(
        cls, matching: FashionBertForMatching, image: ClickImage, *, layers: int | None, seed: int
    ) -> "ClickModel":
        """Start from a pair model, or from its first layers (Table 3 and 4 of the paper).

        Args:
            matching: pre-trained; stays as it is. Without pictures inside its alignment head is made anew, and what it
                knows of pictures is left out.
            image: what is done with the picture.
            layers: how many layers are taken; None: all.
            seed: of new heads; torch's global generator is left as it was.

        Returns:
            The model, float32 on the CPU.

        Raises:
            ValueError: the pair model has fewer layers.
        """
        there = matching.config.num_hidden_layers
        count = there if layers is None else layers
        if count > there:
            raise ValueError(f"{count} layers are asked for, the encoder has {there}")
        shape: dict[str, Any] = {"num_hidden_layers": count, "fast_split_layers": 0}
        if image == "inside":
            shape["split_layers"] = min(matching.config.split_layers, count - 1)
        else:
            unread = {"contrastive_size": 0, "late_interaction_size": 0, "side_agreement": False}
            shape |= {"split_layers": 0, **unread}
        if image != "inside" or count < there:
            shape["bank_size"] = 0  # its vectors are those of all layers
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = cls(FashionBertConfig(**{**_fields(matching.config), **shape}), image)
        kept = "" if image == "inside" else "fashionbert."
        wanted = model.matching.state_dict()
        found = {name: value for name, value in matching.state_dict().items() if name in wanted}
        model.matching.load_state_dict(
            {**wanted, **{name: value for name, value in found.items() if name.startswith(kept)}}
        )
        if model.matching.side_agreement is not None:
            nn.init.zeros_(model.matching.alignment_head.weight)
            nn.init.zeros_(model.matching.alignment_head.bias)
        return model

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        token_type_ids: Tensor,
        position_ids: Tensor,
        patch_features: Tensor | None = None,
    ) -> Tensor:
        """Say whether products will be clicked on.

        Args:
            input_ids: ``[CLS] query [SEP] title [SEP]`` and padding [B, T].
            attention_mask: True at real tokens [B, T].
            token_type_ids: 0 for the query, 1 for the title [B, T].
            position_ids: counted anew in the title [B, T].
            patch_features: of the pictures [B, P, F]; None without pictures.

        Returns:
            Logits [B, 2], class 1 = clicked on.

        Raises:
            ValueError: pictures are missing.
        """
        if (patch_features is None) != (self.image == "none"):
            verb = "needs" if patch_features is None else "reads no"
            raise ValueError(f"a click model with image = {self.image!r} {verb} pictures")
        encoder = self.matching.fashionbert
        words = encoder.read_texts(input_ids, attention_mask, token_type_ids, position_ids)
        if self.image != "inside" or patch_features is None:
            logits_B2 = _logits(self.matching.join(words, None))
            if self.beside is None or patch_features is None:
                return logits_B2
            return logits_B2 + self.beside(encoder.patch_embeddings.standardise(patch_features).mean(dim=1))
        pictures = encoder.read_pictures(patch_features)
        logits_B2 = _logits(self.matching.join(words, pictures))
        if self.matching.side_agreement is None:
            return logits_B2
        return logits_B2 + self.matching.side_agreement(
            self._similarity(input_ids, attention_mask, token_type_ids, pictures)
        )

    def similarity(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor, patch_features: Tensor
    ) -> Tensor:
        """How alike query and picture are by the vectors of a pair model with side agreement [B]; titles say nothing.

        Arguments are those of :meth:`forward`.
        """
        pictures = self.matching.fashionbert.read_pictures(patch_features)
        return self._similarity(input_ids, attention_mask, token_type_ids, pictures)

    def _similarity(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor, pictures: Side) -> Tensor:
        is_query_BT = attention_mask.bool() & (token_type_ids == 0)
        longest = int(is_query_BT.sum(dim=1).max())
        query_BQ, real_BQ = input_ids[:, :longest], is_query_BT[:, :longest]
        encoder = self.matching.fashionbert
        texts = self.matching.vectors_of_texts(encoder.read_texts(query_BQ, real_BQ))
        frame = encoder.read_texts(frame_ids(query_BQ, real_BQ))
        return self.matching.similarity(texts, self.matching.vectors_of_pictures(frame, pictures))


def _logits(outputs: FashionBertOutput) -> Tensor:
    assert outputs.alignment_logits is not None
    return outputs.alignment_logits


def _fields(config: FashionBertConfig) -> dict[str, Any]:
    dropped = {"model_type", "architectures", "transformers_version", "dtype", "_name_or_path"}
    return {name: value for name, value in config.to_dict().items() if name not in dropped}
