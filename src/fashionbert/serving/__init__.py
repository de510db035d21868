"""The HTTP service and its page: ``fashionbert serve``."""

from fashionbert.serving.app import create_app, openapi_schema
from fashionbert.serving.settings import ServeSettings, load_serve_settings

__all__ = ["ServeSettings", "create_app", "load_serve_settings", "openapi_schema"]
