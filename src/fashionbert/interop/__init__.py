"""Other people's checkpoints and files."""

from fashionbert.interop.easytransfer import Imported, export_checkpoint, import_checkpoint

__all__ = ["Imported", "export_checkpoint", "import_checkpoint"]
