"""Names the suite's fixture plug-ins; holds no logic."""

pytest_plugins = ["fixtures.options", "fixtures.matrix", "fixtures.inference", "fixtures.verdicts"]
