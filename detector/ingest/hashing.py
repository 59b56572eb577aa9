"""What a file is known by: the SHA-256 and the size of its bytes as they lie on disk or in the archive."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from detector.config import IngestSettings
from detector.ingest.bytesource import InputFile, member_pieces, open_raw
from detector.ingest.expand import DamagedFileError

PIECE = 1 << 20


@dataclass(frozen=True)
class Identity:
    sha256: str
    bytes: int


def identify(file: InputFile, limits: IngestSettings) -> Identity:
    """Read the whole file. A damaged member of an archive is known by what can be read of it and by its damage.

    Raises InputError when it cannot be opened or is refused, OSError when reading fails.
    """
    digest, size = hashlib.sha256(), 0
    with open_raw(file) as raw:
        if file.member is None:
            while piece := raw.read(PIECE):
                digest.update(piece)
                size += len(piece)
            return Identity(digest.hexdigest(), size)
        try:
            for piece in member_pieces(file, raw, limits):
                digest.update(piece)
                size += len(piece)
        except DamagedFileError as exc:
            digest.update(f"\0{exc.reason}".encode())
    return Identity(digest.hexdigest(), size)
