"""The house itself: what is documented, what is packed, what is imported when, what no file may say."""

from __future__ import annotations

import ast
import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

HEAVY = {"django", "duckdb", "ibis", "joblib", "numpy", "pandas", "pyarrow", "sigma", "sklearn", "skops", "sqlglot"}


def python(*arguments: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """This Python on those arguments, in an environment without settings of ours."""
    base = {k: v for k, v in os.environ.items() if not k.startswith("DETECTOR_") and k != "DATABASE_URL"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=base | env, capture_output=True, text=True, check=False
    )


def tracked(root: Path) -> list[Path]:
    """Every file that belongs to the project, committed or about to be."""
    done = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    return [root / name for name in done.stdout.split("\0") if name and (root / name).is_file()]


def test_generated_pages_are_up_to_date(root: Path) -> None:
    """Every command, argument, option and setting is documented, as it is now."""
    done = python("docs/generate.py", "--check", cwd=root, PYTHONPATH=str(root))
    assert done.returncode == 0, f"run `make docs`:\n{done.stdout}{done.stderr}"


@pytest.mark.slow
def test_readme_shows_what_the_demonstration_prints(root: Path) -> None:
    done = python("docs/generate.py", "--check", "--demo", cwd=root, PYTHONPATH=str(root))
    assert done.returncode == 0, f"run `make docs`:\n{done.stdout}{done.stderr}"


def test_links_between_pages_lead_somewhere(root: Path) -> None:
    broken = []
    for page in (p for p in tracked(root) if p.suffix == ".md"):
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
            path, _, anchor = target.partition("#")
            if path.startswith(("http:", "https:", "mailto:")):
                continue
            file = (page.parent / path).resolve() if path else page
            titles = re.findall(r"(?m)^#+ (.*)$", file.read_text()) if anchor and file.is_file() else []
            slugs = {re.sub(r"[^\w\- ]", "", title).strip().lower().replace(" ", "-") for title in titles}
            if not file.exists() or (anchor and anchor not in slugs):
                broken.append(f"{page.relative_to(root)}: {target}")
    assert broken == []


def test_makefile_has_what_the_pages_tell_people_to_make(root: Path) -> None:
    targets = set(re.findall(r"(?m)^([a-z]+):", (root / "Makefile").read_text()))
    told = {
        (page.name, name)
        for page in tracked(root)
        if page.suffix == ".md" or page.parent.name == ".ci"
        for name in re.findall(r"(?:`|^|^step \")make ([a-z]+)", page.read_text(), re.MULTILINE)
    }
    assert {"demo", "test", "lint"} <= {name for _, name in told}
    assert {(page, name) for page, name in told if name not in targets} == set()


def test_no_file_speaks_of_a_machine_or_a_workplace(root: Path) -> None:
    # Put together here, so that this file does not find itself.
    words = [
        "/" + "work/",
        "/" + "root/",
        "/" + "opt/pypi",
        "pypi" + ".org",
        "python" + "hosted.org",
        "reg" + "istry.npmjs",
    ]
    words += ["TO" + "DO", "FIX" + "ME", "XX" + "X:"]
    found = [
        f"{file.relative_to(root)}: {word}"
        for file in tracked(root)
        for word in words
        if word.encode() in file.read_bytes()
    ]
    assert found == []


def test_help_imports_nothing_heavy(root: Path) -> None:
    """`detector --help` has to answer at once; so does every command's, which is asked for while typing."""
    program = (
        "import sys\n"
        "from detector.cli import run\n"
        "code = run(sys.argv[1:])\n"
        "print('\\n' + ' '.join(sorted({name.partition('.')[0] for name in sys.modules})))\n"
        "sys.exit(code)\n"
    )
    for arguments in (["--help"], ["scan", "--help"], ["alerts", "list", "--help"]):
        done = python("-c", program, *arguments, cwd=root, PYTHONPATH=str(root), COLUMNS="100")
        assert done.returncode == 0, done.stderr
        assert "Usage:" in done.stdout
        assert set(done.stdout.splitlines()[-1].split()) & HEAVY == set(), arguments


def test_module_is_the_command(root: Path) -> None:
    from detector import __version__

    done = python("-m", "detector", "--version", cwd=root)
    assert (done.returncode, done.stdout.strip()) == (0, f"detector {__version__}")


def test_what_is_imported_is_declared(root: Path) -> None:
    """A dependency of a dependency may go away with its next release: `import` only what pyproject.toml names."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    named = [*project["dependencies"], *(requirement for extra in extras for requirement in extra)]
    declared = {canonical(re.split(r"[^\w.-]", requirement)[0]) for requirement in named}
    distributions = importlib.metadata.packages_distributions()
    undeclared = set()
    for file in (root / "detector").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            for name in {n.partition(".")[0] for n in names} - set(sys.stdlib_module_names) - {"detector"}:
                if not declared & {canonical(d) for d in distributions.get(name, [name])}:
                    undeclared.add(f"{file.relative_to(root)}: {name}")
    assert undeclared == set()


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize(("lock", "groups"), [("requirements.lock", ["build"]), ("requirements-dev.lock", ["dev"])])
def test_locks_are_complete_and_checked_by_hash(root: Path, lock: str, groups: list[str]) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())
    wanted = list(project["project"]["dependencies"])
    for group in groups:
        wanted += [r for r in project["dependency-groups"][group] if isinstance(r, str)]
    text = (root / lock).read_text()
    pinned = re.findall(r"(?m)^([\w.-]+)==(\S+)[^\\\n]*\\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", text)
    lines = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert len(pinned) == len(lines)  # each with its version and at least one hash
    missing = {canonical(re.split(r"[^\w.-]", r)[0]) for r in wanted} - {canonical(name) for name, _, _ in pinned}
    assert missing == set()
    assert "--index-url" not in text
    assert "--find-links" not in text


def test_locks_agree(root: Path) -> None:
    """What is tested is what is installed: the same versions in both."""
    both = [
        set(re.findall(r"(?m)^([\w.-]+==\S+(?: ;[^\\\n]*)?)", (root / name).read_text()))
        for name in ("requirements.lock", "requirements-dev.lock")
    ]
    assert {line.strip() for line in both[0]} <= {line.strip() for line in both[1]}


def test_wheel_carries_rules_models_and_sources(root: Path, tmp_path: Path) -> None:
    program = "import hatchling.build, sys\nprint(hatchling.build.build_wheel(sys.argv[1]))"
    done = python("-c", program, str(tmp_path), cwd=root)
    assert done.returncode == 0, done.stderr
    wheel = tmp_path / done.stdout.strip().splitlines()[-1]
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        archive.extractall(tmp_path / "installed")
    for folder, place in (("rules", "detector/shipped_files/rules"), ("models", "detector/shipped_files/models")):
        shipped = {f"{place}/{p.relative_to(root / folder)}" for p in tracked(root) if p.is_relative_to(root / folder)}
        assert shipped
        assert shipped <= names
    sources = [p for p in tracked(root) if p.is_relative_to(root / "detector")]
    assert {str(p.relative_to(root)) for p in sources} <= names
    assert not any(name.startswith(("tests/", "sample_logs/", "rules/", "models/")) for name in names)
    # From an installed wheel, away from any checkout, the program finds what it ships with.
    program = "from detector.shipped import models_dir, rules_dir\nprint(rules_dir(), models_dir(), sep='\\n')"
    installed = tmp_path / "installed"
    done = python("-c", program, cwd=tmp_path, PYTHONPATH=str(installed))
    assert done.stdout.split() == [str(installed / f"detector/shipped_files/{name}") for name in ("rules", "models")]


def test_shipped_folders_in_a_checkout(root: Path) -> None:
    from detector.shipped import models_dir, rules_dir

    assert (rules_dir(), models_dir()) == (root / "rules", root / "models")


def test_an_installation_without_its_rules_says_so(tmp_path: Path) -> None:
    from detector.errors import StateError
    from detector.shipped import rules_dir

    with pytest.raises(StateError, match="shipped rules are not in this installation"):
        rules_dir(tmp_path / "detector")


def test_imports_go_down_the_house_only(root: Path) -> None:
    from importlinter.cli import lint_imports

    assert lint_imports(config_filename=str(root / "pyproject.toml")) == 0
