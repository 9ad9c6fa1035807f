"""The workflows of a pull request: what they may do, what they are given, and their shell with a fake ``gh``."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from saved_duets import a_run
from workflow_runner import COMMENT, FOLDER, MEASURE, ON, SHA, STEPS, Runner

from tailgate.results.comment import MARKER

OTHER_SHA = "a" * 40
HOSTILE = "test_[$(touch hacked)`id`'\";|@octocat <script>]"


def steps(workflow: dict[Any, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def scripts(workflow: dict[Any, Any]) -> list[str]:
    return [step["run"] for step in steps(workflow) if "run" in step]


def test_what_runs_the_pull_request_s_code_may_read_and_has_no_secret() -> None:
    assert set(MEASURE[ON]) == {"pull_request"}
    assert MEASURE["permissions"] == {"contents": "read"}
    assert "permissions" not in MEASURE["jobs"]["duet"]
    assert not re.search(r"secrets\.|github\.token|GITHUB_TOKEN", (FOLDER / "tailgate.yml").read_text())


def test_what_may_comment_runs_after_it_on_the_default_branch_s_code() -> None:
    assert COMMENT[ON] == {"workflow_run": {"workflows": [MEASURE["name"]], "types": ["completed"]}}
    assert COMMENT["permissions"] == {}
    rights = {"actions": "read", "contents": "read", "pull-requests": "write"}
    assert COMMENT["jobs"]["comment"]["permissions"] == rights
    (checkout,) = [step for name, step in STEPS.items() if name.startswith("actions/checkout")]
    assert checkout["with"]["ref"] == "${{ github.event.repository.default_branch }}"
    (download,) = [step for name, step in STEPS.items() if name.startswith("actions/download-artifact")]
    assert download["with"]["path"].startswith("${{ runner.temp }}/")
    assert "secrets." not in (FOLDER / "tailgate-comment.yml").read_text()


@pytest.mark.parametrize("workflow", [MEASURE, COMMENT], ids=["measure", "comment"])
def test_nothing_is_written_into_a_script_and_every_action_is_one_commit(workflow: dict[Any, Any]) -> None:
    assert not [script for script in scripts(workflow) if "${{" in script]
    uses = [step["uses"] for step in steps(workflow) if "uses" in step]
    assert not [one for one in uses if not re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", one)]
    (checkout,) = (step for step in steps(workflow) if "checkout" in step.get("uses", ""))
    assert checkout["with"]["persist-credentials"] is False


def test_both_know_the_same_artifact_and_the_same_marker() -> None:
    moved = [step for one in (MEASURE, COMMENT) for step in steps(one) if "-artifact@" in step.get("uses", "")]
    names = [step["with"]["name"] for step in moved]
    assert names == ["tailgate", "tailgate"]
    assert COMMENT["jobs"]["comment"]["env"]["MARKER"] == MARKER
    measured = "".join(scripts(MEASURE))
    commented = "".join(scripts(COMMENT))
    for file in ("pull-request.txt", "duet.json"):
        assert f'"$RUNNER_TEMP/tailgate/{file}"' in measured
        assert f'"$RUNNER_TEMP/tailgate/{file}"' in commented


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


def test_the_number_of_the_pull_request_goes_with_what_it_measured(runner: Runner) -> None:
    (runner.folder / "temp").mkdir()
    assert runner.step("Number", NUMBER="7").returncode == 0
    runner.github()
    assert runner.step("Which pull request").returncode == 0
    assert runner.output == "number=7\n"


def test_the_duet_is_against_the_merge_base_of_whatever_branch(runner: Runner) -> None:
    runner.program("tox", '#!/bin/sh\nprintf "%s\\n" "$@" > tox.txt\n')
    branch = "feature/$(touch${IFS}hacked)"
    commit = 'git -c user.name=a -c user.email=a@b.invalid commit -q --allow-empty -m "$1"'
    script = f"git init -q -b main . && f() {{ {commit}; }}; f base; git rev-parse HEAD > base.txt; f head; " + (
        'git update-ref "refs/remotes/origin/$BRANCH" HEAD~1'
    )
    subprocess.run(["bash", "-ec", script], cwd=runner.folder, env={**os.environ, "BRANCH": branch}, check=True)
    done = runner.step("Duet", BASE_BRANCH=branch, **MEASURE["env"])
    assert done.returncode == 0, done.stderr
    given = (runner.folder / "tox.txt").read_text().splitlines()
    assert f"--duet={(runner.folder / 'base.txt').read_text().strip()}" in given
    assert f"--benchmark-json={runner.folder}/temp/tailgate/duet.json" in given
    assert not (runner.folder / "hacked").exists()


def test_the_job_s_summary_is_the_report_where_there_is_one(runner: Runner) -> None:
    assert runner.step("Verdicts").returncode == 0
    assert not (runner.folder / "summary").exists()
    runner.artifact()
    (runner.folder / "temp" / "tailgate" / "duet.md").write_text("verdicts\n")
    assert runner.step("Verdicts").returncode == 0
    assert (runner.folder / "summary").read_text() == "verdicts\n"


def test_the_comment_goes_to_the_pull_request_whose_newest_commit_was_measured(runner: Runner) -> None:
    runner.artifact()
    runner.github()
    assert runner.step("Which pull request").returncode == 0
    assert runner.output == "number=7\n"


@pytest.mark.parametrize(
    "number",
    [
        None,
        "",
        "0",
        "07",
        "-1",
        "7 8",
        "7;id",
        "7/../8",
        "$(id)",
        "9" * 30,
        "7\n8",
        "\u0667",
        "../7",
        "x" * 10_000,
    ],
)
def test_what_is_no_number_ends_the_job(runner: Runner, number: str | None) -> None:
    runner.artifact(number)
    runner.github()
    done = runner.step("Which pull request")
    assert (done.returncode, runner.output) == (1, "")
    assert done.stdout == "::error::pull-request.txt of the artifact does not hold the number of a pull request\n"


def test_another_commit_s_pull_request_gets_no_comment(runner: Runner) -> None:
    runner.artifact()
    runner.github(OTHER_SHA)
    done = runner.step("Which pull request")
    assert (done.returncode, runner.output) == (0, "")
    assert done.stdout.startswith("::notice::Pull request 7 is not at 0123456789")
    assert all(STEPS[name]["if"] == "steps.which.outputs.number" for name in ("Its text", "Post"))


def test_a_pull_request_that_is_not_there_ends_the_job(runner: Runner) -> None:
    runner.artifact("8\n")
    runner.github()
    assert (runner.step("Which pull request").returncode, runner.output) == (1, "")


def test_the_text_has_the_verdicts_whatever_the_names_are(runner: Runner) -> None:
    runner.artifact(run=a_run(0.05, 0.0, name=f"test_a.py::{HOSTILE}{{}}"))
    done = runner.step("Its text")
    assert done.returncode == 0, done.stderr
    lines = runner.comment.splitlines()
    assert lines[:3] == [MARKER, "**1 fail, 3 pass**", f"against main, {'0' * 40}"]
    assert lines[-1] == f"Measured at {SHA} by [this run](https://github.com/o/r/actions/runs/1)."
    assert not re.search("<script|@octocat|`", runner.comment)
    assert not (runner.folder / "hacked").exists()


@pytest.mark.parametrize("run", [None, "{", a_run(0.0) | {"tailgate_duet": 3}, {"benchmarks": []}])
def test_without_verdicts_the_text_says_so(runner: Runner, run: Any) -> None:
    runner.artifact(run=run)
    assert runner.step("Its text").returncode == 0
    assert runner.comment.splitlines()[:2] == [MARKER, "**No verdicts**: the log of the run says why."]
    assert SHA in runner.comment


def test_a_tailgate_that_breaks_is_no_verdict(runner: Runner) -> None:
    runner.artifact(run=a_run(0.0))
    runner.program("tailgate", "#!/bin/sh\necho Traceback >&2\nexit 1\n")
    assert runner.step("Its text").returncode == 0
    assert runner.comment.startswith(f"{MARKER}\n**No verdicts**")


def test_an_artifact_of_any_size_is_not_read(runner: Runner) -> None:
    runner.artifact(run=a_run(0.0))
    with (runner.folder / "temp" / "tailgate" / "duet.json").open("r+b") as file:
        file.truncate(200_000_000)
    assert runner.step("Its text").returncode == 0
    assert "**No verdicts**" in runner.comment


BOT = {"login": "github-actions[bot]"}


def test_the_first_time_a_comment_is_added(runner: Runner) -> None:
    others = [
        {"id": 1, "user": {"login": "octocat"}, "body": f"{MARKER}\nmine"},
        {"id": 2, "user": BOT, "body": "another workflow's"},
    ]
    runner.github(SHA, *others)
    (runner.folder / "comment.md").write_text(f"{MARKER}\ntrue")
    assert runner.step("Post", NUMBER="7").returncode == 0
    assert runner.calls[-1] == ["POST", "repos/o/r/issues/7/comments", f"{MARKER}\ntrue"]


def test_later_that_comment_is_kept_up_to_date(runner: Runner) -> None:
    ours = [{"id": number, "user": BOT, "body": f"{MARKER}\nold"} for number in (3, 4)]
    runner.github(SHA, {"id": 1, "user": {"login": "octocat"}, "body": MARKER}, *ours)
    (runner.folder / "comment.md").write_text("new")
    assert runner.step("Post", NUMBER="7").returncode == 0
    assert [call[:2] for call in runner.calls] == [
        ["GET", "repos/o/r/issues/7/comments"],
        ["PATCH", "repos/o/r/issues/comments/3"],
    ]
