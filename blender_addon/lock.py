"""One process at a time: the lock of a file. The system drops it with the last process that holds it, so none is left behind.

Like protocol.py this file is the same in both halves (`build.py sync`): the engine locks job folders, the add-on the engine's
environment. Standard library only.
"""

from __future__ import annotations

import sys
from typing import IO

if sys.platform == "win32":
    import msvcrt

    def lock(file: IO[str]) -> bool:
        """Lock an open file; False where another process has it."""
        file.seek(1 << 20)  # a byte far behind the text, which others may then still read
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def lock(file: IO[str]) -> bool:
        """Lock an open file; False where another process has it."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
