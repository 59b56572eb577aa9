"""How good the ranking is, told from labels: recall at a budget, precision, false alerts by group.

Every figure is defined in docs/evaluation.md. Reads the alerts as `alerts list --all` does; the detector itself never
imports this room.
"""
