"""Misuse, one module a family. `registry.SCENARIOS` lists every scenario; docs/simulating.md describes them."""
