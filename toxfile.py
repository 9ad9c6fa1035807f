"""tox plug-in of this repository: ``tests`` and ``bench`` share one installation.

PyTorch and its CUDA libraries weigh 5 GB, so two copies are one too many. tox makes an environment anew
when its folder was made under another name; this runner writes the folder's name there instead.
"""

from pathlib import Path
from typing import Any

from tox.plugin import impl
from tox.tox_env.info import Info
from tox.tox_env.python.virtual_env.runner import VirtualEnvRunner
from tox.tox_env.register import ToxEnvRegister


class SharedInfo(Info):
    """What tox remembers of an environment, with the folder's name for the environment's."""

    def compare(self, value: Any, section: str, sub_section: str | None = None) -> Any:
        """Compare and remember, as tox does."""
        if section == "ToxEnv":
            value = {**value, "name": self._path.parent.name}
        return super().compare(value, section, sub_section)


class SharedRunner(VirtualEnvRunner):
    """tox's usual runner, for environments that name the same ``env_dir``."""

    @staticmethod
    def id() -> str:
        """The name that ``runner =`` takes."""
        return "shared"

    @property
    def cache(self) -> Info:
        """The memory of the folder."""
        return SharedInfo(Path(self.env_dir))


@impl
def tox_register_tox_env(register: ToxEnvRegister) -> None:
    """Make ``runner = shared`` known."""
    register.add_run_env(SharedRunner)
