"""The workflow that puts the history on GitHub Pages: its rights, and its script beside saved sessions."""

import os
import re
import subprocess
import sys
from pathlib import Path

import histories as saved
import yaml
from suite import ROOT

WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "history.yml").read_text())
JOB = WORKFLOW["jobs"]["site"]
ON = True
"""YAML 1.1 reads the key ``on`` as a truth."""


def test_it_may_only_read_and_publish_and_every_action_is_one_commit() -> None:
    assert WORKFLOW["permissions"] == {}
    assert JOB["permissions"] == {"contents": "read", "pages": "write", "id-token": "write"}
    assert WORKFLOW[ON]["workflow_run"]["workflows"] == [
        yaml.safe_load((ROOT / ".github" / "workflows" / "performance.yml").read_text())["name"]
    ]
    uses = [step["uses"] for step in JOB["steps"] if "uses" in step]
    assert not [one for one in uses if not re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", one)]
    assert not [step for step in JOB["steps"] if "${{" in step.get("run", "")]


def test_its_script_makes_the_site_of_the_nightly_sessions(tmp_path: Path) -> None:
    origin, checkout = tmp_path / "origin", tmp_path / "checkout"
    nobody = {
        "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull,
        **{f"GIT_{who}_{what}": "a" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }  # fmt: skip

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], check=True, capture_output=True, text=True, env={**os.environ, **nobody}
        )
        return done.stdout

    git("init", "-q", "-b", "main", str(origin))
    git("-C", str(origin), "commit", "-q", "--allow-empty", "-m", "code")
    git("clone", "-q", str(origin), str(checkout))
    git("-C", str(origin), "checkout", "-q", "--orphan", "performance-history")
    runs = [saved.saved_run(saved.bench("test_it.py::test_one", median)) for median in saved.scattered(20)]
    saved.write(origin, "nightly", runs)
    git("-C", str(origin), "add", "-f", "baselines")
    git("-C", str(origin), "commit", "-q", "-m", "sessions")
    tailgate = tmp_path / "bin" / "tailgate"
    tailgate.parent.mkdir()
    tailgate.write_text(f"#!{sys.executable}\nimport sys\nfrom tailgate.commands.main import main\nsys.exit(main())\n")
    tailgate.chmod(0o755)
    (script,) = (step["run"] for step in JOB["steps"] if step.get("name") == "Site")
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-e", "-c", script],
        cwd=checkout,
        env={
            **os.environ,
            **nobody,
            "PATH": f"{tailgate.parent}:{os.environ['PATH']}",
            "RUNNER_TEMP": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("Wrote 2 pages; begin with site/index.html\n")
    assert "test_one" in (checkout / "site" / "index.html").read_text()
