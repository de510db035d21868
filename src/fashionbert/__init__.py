"""FashionBERT: match fashion words with fashion pictures (Gao et al., SIGIR 2020).

The names below are imported when they are first used, so that ``import fashionbert`` costs nothing::

    from fashionbert import Scorer
    scorer = Scorer.from_pretrained("runs/hm")
    scorer.score([("red linen dress", "photo.jpg")])
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fashionbert.catalogue import Catalogue, open_catalogue
    from fashionbert.config import Settings, load_settings
    from fashionbert.errors import FashionBertError
    from fashionbert.model import FashionBertConfig, FashionBertForMatching, FashionBertForPreTraining
    from fashionbert.scoring import FashionBertProcessor, Scorer

_HOMES = {
    "Catalogue": "catalogue",
    "FashionBertConfig": "model",
    "FashionBertError": "errors",
    "FashionBertForMatching": "model",
    "FashionBertForPreTraining": "model",
    "FashionBertProcessor": "scoring",
    "Scorer": "scoring",
    "Settings": "config",
    "load_settings": "config",
    "open_catalogue": "catalogue",
}

__all__ = [
    "Catalogue",
    "FashionBertConfig",
    "FashionBertError",
    "FashionBertForMatching",
    "FashionBertForPreTraining",
    "FashionBertProcessor",
    "Scorer",
    "Settings",
    "load_settings",
    "open_catalogue",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'fashionbert' has no attribute {name!r}")
    return getattr(import_module(f"fashionbert.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
