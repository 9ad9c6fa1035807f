"""A runner of GitHub Actions as far as a step's shell script sees it, with stand-ins for ``gh`` and ``tailgate``."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from suite import ROOT

from tailgate.results.comment import MARKER

FOLDER = ROOT / ".github" / "workflows"
MEASURE, COMMENT = (yaml.safe_load((FOLDER / f"{name}.yml").read_text()) for name in ("tailgate", "tailgate-comment"))
ON = True
"""YAML 1.1 reads the key ``on`` as a truth."""
STEPS = {
    step.get("name", step.get("uses")): step
    for job in (MEASURE["jobs"]["duet"], COMMENT["jobs"]["comment"])
    for step in job["steps"]
}
"""Of both; where both have one of a name, the comment's."""
SHA = "0123456789" * 4

GH = """
import json, os, subprocess, sys
arguments = sys.argv[1:]
assert arguments.pop(0) == "api"
jq = arguments[arguments.index("--jq") + 1] if "--jq" in arguments else None
method = arguments[arguments.index("--method") + 1] if "--method" in arguments else "GET"
body = next((open(one[len("body=@"):]).read() for one in arguments if one.startswith("body=@")), None)
(path,) = [one for one in arguments if one.startswith("repos/")]
with open("calls.jsonl", "a") as calls:
    print(json.dumps([method, path, body]), file=calls)
answer = json.load(open("api.json")).get(path)
if answer is None and method == "GET":
    sys.exit("HTTP 404")
if jq:
    done = subprocess.run(["jq", "-r", jq], input=json.dumps(answer), capture_output=True, text=True, check=True)
    sys.stdout.write(done.stdout)
"""
TAILGATE = """
import sys
from tailgate.commands.main import main
sys.exit(main())
"""


@dataclass
class Runner:
    """A runner's folders, GitHub's answers, and what was asked of it."""

    folder: Path

    def __post_init__(self) -> None:
        for name, text in {"gh": GH, "tailgate": TAILGATE}.items():
            self.program(name, f"#!{sys.executable}\n{text}")

    def program(self, name: str, text: str) -> None:
        """A program on the steps' path."""
        file = self.folder / "bin" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        file.chmod(0o755)

    def artifact(self, number: str | None = "7\n", run: Any = None) -> None:
        (self.folder / "temp" / "tailgate").mkdir(parents=True, exist_ok=True)
        if number is not None:
            (self.folder / "temp" / "tailgate" / "pull-request.txt").write_text(number)
        if run is not None:
            (self.folder / "temp" / "tailgate" / "duet.json").write_text(
                run if isinstance(run, str) else json.dumps(run)
            )

    def github(self, head_sha: str = SHA, *comments: dict[str, Any]) -> None:
        if shutil.which("jq") is None:
            pytest.skip("gh --jq is evaluated by jq, which is not here")
        answers = {"repos/o/r/pulls/7": {"head": {"sha": head_sha}}, "repos/o/r/issues/7/comments": list(comments)}
        (self.folder / "api.json").write_text(json.dumps(answers))

    def step(self, name: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """A step's script as GitHub runs it: ``bash -e`` on a file."""
        script = self.folder / "step.sh"
        script.write_text(STEPS[name]["run"])
        own = {
            "PATH": f"{self.folder}/bin:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "RUNNER_TEMP": str(self.folder / "temp"), "GITHUB_OUTPUT": str(self.folder / "output"),
            "GITHUB_REPOSITORY": "o/r", "HEAD_SHA": SHA, "RUN_URL": "https://github.com/o/r/actions/runs/1",
            "MARKER": MARKER, "GITHUB_STEP_SUMMARY": str(self.folder / "summary"), "HOME": str(self.folder),
        }  # fmt: skip
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", str(script)],
            cwd=self.folder, env={**os.environ, **own, **environment}, capture_output=True, text=True, check=False,
        )  # fmt: skip

    @property
    def output(self) -> str:
        file = self.folder / "output"
        return file.read_text() if file.exists() else ""

    @property
    def comment(self) -> str:
        return (self.folder / "comment.md").read_text()

    @property
    def calls(self) -> list[list[str | None]]:
        return [json.loads(line) for line in (self.folder / "calls.jsonl").read_text().splitlines()]
