"""Where large columns live."""

from __future__ import annotations

import pyarrow as pa


def large_pool() -> pa.MemoryPool:
    """Memory for what is made and let go block by block.

    mimalloc, Arrow's default, gives memory of this size back to the system at once and gets it zeroed for the next
    block, which costs processor time; with the C library's allocator the resident set was nearly twice as large.
    """
    return pa.jemalloc_memory_pool() if "jemalloc" in pa.supported_memory_backends() else pa.default_memory_pool()
