"""Files of the data folder that are replaced as a whole: a reader sees the old content or the new one."""

import os
from pathlib import Path


def replace_file(path: Path, content: bytes, mode: int = 0o666) -> None:
    """Writes the file under another name first. `mode` is lessened by the umask, as of any new file."""
    temporary = path.with_suffix(".new")
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(content)
    temporary.rename(path)
