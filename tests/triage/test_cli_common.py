from __future__ import annotations

from pathlib import Path
from unittest.mock import Mock

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from detector.cli.common import DEFAULT_HOME, Context, hoist, load
from detector.errors import ConfigError, UsageError
from detector.printable import csv_cell, number, printable


def context(**given_options: Path) -> typer.Context:
    return Mock(spec=typer.Context, obj=Context(**given_options))


def test_home_is_the_option_else_the_environment_else_the_default(tmp_path: Path) -> None:
    env = {"DETECTOR_HOME": str(tmp_path / "env")}
    assert load(context(home=tmp_path / "option"), env)[0].root == tmp_path / "option"
    assert load(context(), env)[0].root == tmp_path / "env"
    assert load(context(), {})[0].root == DEFAULT_HOME


def test_settings_are_read_from_the_file_of_option_or_environment(tmp_path: Path) -> None:
    for name, slots in (("option", 3), ("env", 4)):
        (tmp_path / name).write_text(f"budget: {{alerts_per_night: {slots}}}\n")
    env = {"DETECTOR_CONFIG": str(tmp_path / "env")}
    assert load(context(config=tmp_path / "option"), env)[1].budget.alerts_per_night == 3
    assert load(context(), env)[1].budget.alerts_per_night == 4


def test_a_missing_settings_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: there is no such file"):
        load(context(config=tmp_path / "nowhere.yaml"), {})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (["alerts", "list", "--home", "h"], ["--home", "h", "alerts", "list"]),
        (["scan", "a", "--config=c", "b"], ["--config=c", "scan", "a", "b"]),
        (["--home", "h", "scan", "a"], ["--home", "h", "scan", "a"]),
        (["scan", "--", "--home", "x"], ["scan", "--", "--home", "x"]),
    ],
)
def test_global_options_may_follow_the_command(before: list[str], after: list[str]) -> None:
    assert hoist(before) == after


def test_a_global_option_without_its_value_is_named() -> None:
    with pytest.raises(UsageError, match="--home needs a value"):
        hoist(["scan", "--home"])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, Größe, 東京", "plain, Größe, 東京"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\nb\tc\rd", "a\\x0ab\\x09c\\x0dd"),
        ("\u202eabc\u2066", "\\u202eabc\\u2066"),
        ("a\u200bb\ufeff", "a\\u200bb\\ufeff"),
        ("\x9b31m", "\\x9b31m"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("\u2028", "\\u2028"),
    ],
)
def test_unseen_characters_are_shown(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text())
def test_printable_text_is_one_line_and_stays_as_it_is(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable() or all(char.isprintable() or char.isspace() for char in shown)
    assert len(shown.splitlines()) <= 1
    assert printable(shown) == shown


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "  =", "\uff1d", "\n="])
def test_a_formula_is_no_formula_any_more(start: str) -> None:
    assert csv_cell(f"{start}1+1").startswith("'")


def test_other_cells_are_left_alone() -> None:
    assert [csv_cell(text) for text in ("", "P-1", "a=b", "1-2")] == ["", "P-1", "a=b", "1-2"]


@pytest.mark.parametrize(
    ("value", "shown"), [(None, "-"), (3.0, "3"), (0.18, "0.18"), (9.3123, "9.31"), (12345.6, "12,346"), (-2.5, "-2.5")]
)
def test_numbers_are_short(value: float | None, shown: str) -> None:
    assert number(value) == shown
