#!/usr/bin/env bash
# One would expect that a Ray task runs with the priority of the `ray start` that its node was started with.
# Ray 2.60.0 runs each worker at nice 15, and with oom_score_adj 1000; whatever a task starts inherits both, so a command
# that is timed from a task yields to everything else on the node. The raylet, its parent, has neither.
# RAY_worker_niceness=0 in the environment of `ray start` turns the first off.
# Seen on 2026-11-30 with Ray 2.60.0, Python 3.11, Linux 6.1. Source: the defaults of worker_niceness and
# worker_oom_score_adjustment in Ray's ray_config_def.h.
set -euo pipefail
folder=$(mktemp -d /tmp/ray-XXXXXX)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "ray==2.60.0"
cat > "$folder/look.py" <<'PYTHON'
import os
import sys

import ray

if not os.path.exists("/proc/self/oom_score_adj"):
    sys.exit("not applicable: no Linux")
own = os.getpriority(os.PRIO_PROCESS, 0)
if own > 0:
    print(f"not applicable: this shell is at nice {own} already")
    sys.exit(0)
ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)


@ray.remote
def look():
    import os

    def told(pid):
        with open(f"/proc/{pid}/oom_score_adj") as file:
            return os.getpriority(os.PRIO_PROCESS, pid), int(file.read())

    return told(os.getpid()), told(os.getppid())


worker, raylet = ray.get(look.remote())
print(f"ray {ray.__version__}, driver: nice {own}; raylet: nice {raylet[0]}, oom_score_adj {raylet[1]}; "
      f"worker: nice {worker[0]}, oom_score_adj {worker[1]}")
ray.shutdown()
sys.exit(0 if worker == (15, 1000) and raylet[0] == own and raylet[1] < 1000 else 1)
PYTHON
# A token of its own: without one Ray writes a new one into ~/.ray.
export RAY_AUTH_MODE=token RAY_AUTH_TOKEN="$(python3 -c 'import uuid; print(uuid.uuid4().hex)')"
RAY_USAGE_STATS_ENABLED=0 RAY_TMPDIR="$folder" "$folder/venv/bin/python" "$folder/look.py"
