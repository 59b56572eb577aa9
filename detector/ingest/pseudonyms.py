"""Keyed pseudonyms: HMAC-SHA-256 tokens in place of names, before anything reaches the lake.

Which columns of which source is settings.sources.<name>.pseudonymise. The same value gives the same token under the
same key, whatever the source, so that one person stays one person; operator and requester share one domain because
both name persons. Blank, NULL and a masked name (`***`) stay as they are: they name nobody. The key is never written.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pyarrow as pa

from detector.config import PseudonymSettings
from detector.errors import ConfigError, Where

MIN_KEY_BYTES: Final = 32
_DOMAINS: Final = {"operator_id": "person", "requester_id": "person"}
_HINT: Final = "Make one with: head -c 32 /dev/urandom | base64 > KEYFILE && chmod 600 KEYFILE"


@dataclass(frozen=True)
class Pseudonymiser:
    """Tokens for the values of `columns`; its repr does not show the key."""

    columns: frozenset[str]
    key: bytes = field(repr=False)
    masked: frozenset[str] = frozenset()

    def token(self, column: str, value: str) -> str:
        """`ps-` and 32 hex digits (128 bits) of HMAC-SHA-256 over domain and value."""
        domain = _DOMAINS.get(column, column)
        return "ps-" + hmac.new(self.key, f"{domain}\x1f{value}".encode(), hashlib.sha256).hexdigest()[:32]

    def apply(self, column: str, values: pa.Array) -> pa.Array:
        """String array -> string array with tokens; each distinct value is hashed once."""
        if column not in self.columns:
            return values
        encoded = values.dictionary_encode()
        tokens = [v if v == "" or v in self.masked else self.token(column, v) for v in encoded.dictionary.to_pylist()]
        return pa.array(tokens, pa.string()).take(encoded.indices)

    def withheld(self, line: int) -> str:
        """What stands for the raw text of a rejected line of such a source."""
        return f"[withheld: this source is pseudonymised; see line {line} of the file]"


def pseudonymiser(
    columns: Sequence[str], settings: PseudonymSettings, masked: Sequence[str], env: Mapping[str, str]
) -> Pseudonymiser | None:
    """None when no column is to be replaced. Raises ConfigError for a missing, short or exposed key."""
    if not columns:
        return None
    return Pseudonymiser(frozenset(columns), _key(settings, env), frozenset(masked))


def _key(settings: PseudonymSettings, env: Mapping[str, str]) -> bytes:
    if settings.key_file is not None:
        return _key_of_file(settings.key_file)
    key = env.get(settings.key_env, "").strip().encode()
    where = Where(f"environment variable {settings.key_env}")
    if not key:
        raise ConfigError(
            "a source is to be pseudonymised, but there is no key",
            where=where,
            hint=f"Set pseudonyms.key_file or {settings.key_env}. {_HINT}",
        )
    return _long_enough(key, where)


def _key_of_file(path: Path) -> bytes:
    where = Where(path, key="pseudonyms.key_file")
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            key = file.read(1 << 16).strip()
    except OSError as exc:
        raise ConfigError(f"the key cannot be read: {exc.strerror}", where=where, hint=_HINT) from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(
            f"the key can be read by others (mode {stat.S_IMODE(mode):03o})", where=where, hint=f"Run chmod 600 {path}"
        )
    return _long_enough(key, where)


def _long_enough(key: bytes, where: Where) -> bytes:
    if len(key) < MIN_KEY_BYTES:
        raise ConfigError(f"the key has {len(key)} bytes, fewer than {MIN_KEY_BYTES}", where=where, hint=_HINT)
    return key
