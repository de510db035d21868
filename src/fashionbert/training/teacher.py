"""A trained model that a smaller one imitates.

Letters: B products, N pairs.
"""

from pathlib import Path

import torch
from torch import Tensor

from fashionbert.data import MaskedPictures, MaskedTexts, TextBatch
from fashionbert.errors import SettingsError
from fashionbert.model import FashionBertForMatching, FashionBertForPreTraining, Meeting
from fashionbert.scoring import load_model
from fashionbert.scoring.run_folder import pairs_were_learnt
from fashionbert.training.reading import BatchReader, BatchSides, DrawnPairs, PairSides


class Teacher:
    """Says of a batch what the trained model thinks of it; takes no gradient and is no part of a checkpoint."""

    def __init__(self, model: FashionBertForPreTraining) -> None:
        """Take a trained model.

        Args:
            model: put into evaluation mode.
        """
        self.model = model.eval().requires_grad_(requires_grad=False)
        self.reader = BatchReader(model)

    @classmethod
    def load(cls, run: Path) -> "Teacher":
        """Load the model of a run folder.

        Args:
            run: the folder.

        Returns:
            The teacher.

        Raises:
            RunError: the folder is missing or damaged.
            SettingsError: its model has not learnt to score pairs.
        """
        if not pairs_were_learnt(run):
            raise SettingsError(f"{run} cannot teach", ["it has not learnt to score pairs yet: go on with its run"])
        return cls(load_model(run, FashionBertForPreTraining))

    def to(self, device: torch.device) -> None:
        """Bring it to a device."""
        self.model.to(device)  # pyright: ignore[reportArgumentType] (transformers wraps nn.Module.to)

    @torch.no_grad()
    def read(self, texts: MaskedTexts, pictures: MaskedPictures, titles: TextBatch | None) -> BatchSides:
        """Read a batch as its student sees it, with what is hidden from that."""
        return self.reader.own(texts, pictures, titles)

    @torch.no_grad()
    def likenesses(self, own: BatchSides) -> list[Tensor]:
        """How alike each text and each picture of the batch are: logits [B, B], as the student's reader gives them."""
        return self.reader.likenesses(self.reader.alone(own))

    @torch.no_grad()
    def margins(self, own: BatchSides, sides: PairSides, pairs: DrawnPairs) -> Tensor:
        """How well pairs match.

        Args:
            own: the batch, read by the teacher.
            sides: what was hidden in the batch; whose model has read it does not matter.
            pairs: the pairs.

        Returns:
            Margins [N].
        """
        asks = self.model.side_agreement is not None
        vectors = self.reader.vectors(own.texts, own.frame, own.pictures) if asks else None
        read = PairSides(own.texts, own.pictures, vectors, sides.labels, sides.masked, sides.features)
        read = self.reader.with_foreign(read, own.frame, pairs)
        meeting = Meeting(self.model.fashionbert, read.texts, read.pictures, len(pairs.text_of))
        matched = self.model.match(meeting, pairs.text_of, pairs.picture_of, read.vectors_of(pairs))
        logits_N2 = matched.alignment_logits
        assert logits_N2 is not None
        return logits_N2[:, 1] - logits_N2[:, 0]

    def refuse_other_shape(self, student: FashionBertForMatching, run: str, *, same_words: bool) -> None:
        """Refuse a student that does not read what its teacher reads, or cannot be compared with it.

        Args:
            student: the new model.
            run: the teacher's folder, for the message.
            same_words: whether both have the same WordPieces.

        Raises:
            SettingsError: with every difference.
        """
        mine, its = self.model.config, student.config
        faults = [] if same_words else ["they have other WordPieces: take model.backbone of the teacher's kind"]
        faults += [
            f"{name} is {getattr(mine, name)} there, {getattr(its, name)} here: images settings must be the same"
            for name in ("patches", "patch_feature_size")
            if getattr(mine, name) != getattr(its, name)
        ]
        faults += [
            f"model.{name} is {getattr(mine, name)} there, {getattr(its, name)} here: both have it or neither"
            for name in ("contrastive_size", "late_interaction_size")
            if bool(getattr(mine, name)) != bool(getattr(its, name))
        ]
        if faults:
            raise SettingsError(f"distillation.teacher = {run!r} cannot teach this model", faults)
