"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from annotation.errors import ExportFileError


@contextmanager
def whole_file(file: Path) -> Iterator[Path]:
    """A new file beside `file` to write into; it takes the place of `file` when the block ends well.

    Raises ExportFileError when it cannot be written; whatever `file` was before is then still there.
    """
    part = file.with_name(f".{file.name[:100]}.{uuid.uuid4().hex}.part")
    try:
        try:
            part.touch(exist_ok=False)
            yield part
            with part.open("rb+") as written:
                os.fsync(written.fileno())
            os.replace(part, file)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ExportFileError(file=file, problem=error.strerror or str(error)) from error
