"""Arrow's compute functions, typed as what they are to a type checker: pyarrow makes them while it is imported."""

from typing import Any

import pyarrow.compute

pc: Any = pyarrow.compute
