"""Every error that fashionbert raises on purpose.

The tree, from the class that catches everything to the precise leaf::

    FashionBertError (Exception)
    ├── SettingsError         a setting is unknown, of the wrong type, or contradicts another one
    ├── CatalogueError        a catalogue cannot be read at all, or holds nothing usable
    ├── PictureError          one picture cannot be used; the reason is a short name
    ├── StoreError            a feature store is missing, half written, or of another extractor
    ├── RunError              a run folder or checkpoint is missing, half written, edited or of another model
    ├── CheckpointError       a TensorFlow checkpoint is damaged, of another architecture, or not the config's
    ├── ExportError           an exported model gives other scores, or its folder holds something else
    ├── PairFileError         a row of the authors' feature files is malformed
    ├── NonFiniteLossError    a loss became NaN or infinite; the weights were not changed
    ├── FolderInUseError      another process writes into the same folder
    ├── SearchIndexError      a search index is missing, damaged, or of another model
    ├── QueryError            a search query cannot be answered as it is asked
    ├── ProtocolError         an evaluation protocol cannot be applied to this catalogue
    └── MissingExtraError     an optional package is needed; the message has the install command

A message has three parts: the name of what is wrong, the value that was found, and the remedy. Where several
things can be wrong at once (settings, a catalogue) the error carries all of them in ``faults``.
"""

from collections.abc import Sequence


class FashionBertError(Exception):
    """Base of all errors that are the input's fault rather than ours; the command line exits with code 2."""


class _FaultListError(FashionBertError):
    """An error that gathers every fault before it is raised, so that one run shows them all."""

    def __init__(self, title: str, faults: Sequence[str] = ()) -> None:
        self.title = title
        self.faults = tuple(faults)
        super().__init__("\n".join([title, *(f"  - {fault}" for fault in self.faults)]))


class SettingsError(_FaultListError):
    """Settings are unknown, of the wrong type, out of range or contradictory."""


class CatalogueError(_FaultListError):
    """A catalogue cannot be read, or nothing in it can be used."""


class PictureError(FashionBertError):
    """A picture was refused.

    Attributes:
        reason: a short stable name (``"too-large"``, ``"not-a-picture"``, ...) to count and group by.
    """

    def __init__(self, reason: str, message: str) -> None:
        """Say why a picture was refused.

        Args:
            reason: the short name.
            message: the picture, what was found and the remedy, for a person to read.
        """
        self.reason = reason
        super().__init__(message)


class StoreError(FashionBertError):
    """A feature store cannot be used as it is."""


class RunError(FashionBertError):
    """A run folder, checkpoint or saved model cannot be used as it is."""


class CheckpointError(_FaultListError):
    """A TensorFlow checkpoint is missing, damaged, or not of the architecture that its config.json describes."""


class ExportError(FashionBertError):
    """A model cannot be exported: what came out gives other scores, or the folder holds something else."""


class PairFileError(FashionBertError):
    """A row of the authors' feature files cannot be read; the message names file and line."""


class NonFiniteLossError(FashionBertError):
    """A loss is NaN or infinite; raised before the optimizer step, so the weights are still good."""


class FolderInUseError(FashionBertError):
    """Another process writes into the same folder."""


class SearchIndexError(FashionBertError):
    """A search index is missing, half written, damaged, or was made with another model."""


class QueryError(_FaultListError):
    """A search query cannot be answered as it is asked: a filter, a product id, an empty question."""


class ProtocolError(FashionBertError):
    """An evaluation protocol cannot be applied, for example to a split of a single group."""


class MissingExtraError(FashionBertError):
    """An optional package is missing."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs the package {package!r}, which is not installed. "
            f"Install it with: pip install 'fashionbert[{extra}]'"
        )
