"""What mkdocs does besides: docstrings refer to names as Sphinx does, which Markdown would print as it is."""

import re
from typing import Any

_ROLE = re.compile(r":(?:attr|class|data|func|meth|mod):<code>~?(?P<name>[\w.]+)</code>")


def on_page_content(html: str, **_: Any) -> str:
    """Turn ``:class:`~fashionbert.types.Pair``` into the last part of the name, set as code."""
    return _ROLE.sub(lambda found: f"<code>{found['name'].rsplit('.', maxsplit=1)[-1]}</code>", html)
