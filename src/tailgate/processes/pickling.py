"""What of a benchmark's results can be sent to its session."""

import io
import pickle
import warnings
from collections.abc import Callable, Container
from types import NoneType
from typing import Any

from tailgate.results.plain import DEEPEST, shown


class Sendable:
    """What pickle can carry to the session and back; of anything else, its text.

    Nothing that the session would have to import a module for: it may not find it there, and a framework
    has no business in it.
    """

    def __init__(self, modules: Container[str]) -> None:
        self._modules = modules
        """Those of the session."""
        self._around: list[int] = []
        """The containers around the present value; a container inside of itself is sent as its text."""

    def value(self, found: Any, text: Callable[[Any], str] = repr) -> Any:
        """``found``, or as much of it as can be sent."""
        if type(found) in (NoneType, bool, int, float, str):
            return found
        if type(found) not in (dict, list, tuple):
            return found if self._can_be_carried(found) else text(found)
        if id(found) in self._around or len(self._around) >= DEEPEST:
            return f"UNSERIALIZABLE[{shown(found)}]" if len(self._around) >= DEEPEST else text(found)
        self._around.append(id(found))
        try:
            if type(found) is dict:
                return {self.value(key, text): self.value(value, text) for key, value in found.items()}
            return type(found)(self.value(value, text) for value in found)
        finally:
            self._around.pop()

    def row(self, plain: dict[str, Any]) -> dict[str, Any]:
        """With pytest-benchmark's own text for what it cannot save."""
        return {
            key: found if key == "data" else self.value(found, "UNSERIALIZABLE[{!r}]".format)
            for key, found in plain.items()
        }

    def warning(self, recorded: warnings.WarningMessage) -> warnings.WarningMessage:
        """Without the object that caused it, which is of this process."""
        message, category = self.value(recorded.message), self.value(recorded.category)
        if isinstance(message, str) or not isinstance(category, type):
            message, category = UserWarning(str(recorded.message)), UserWarning
        return warnings.WarningMessage(message, category, recorded.filename, recorded.lineno, line=recorded.line)

    def _can_be_carried(self, found: Any) -> bool:
        try:
            _Known(pickle.dumps(found), self._modules).load()
        except Exception:  # whatever a foreign __reduce__ raises: the text is what can be sent
            return False
        return True


class _Known(pickle.Unpickler):
    def __init__(self, data: bytes, modules: Container[str]) -> None:
        super().__init__(io.BytesIO(data))
        self._modules = modules

    def find_class(self, module_name: str, global_name: str) -> Any:
        if module_name not in self._modules:
            raise pickle.UnpicklingError(module_name)
        return super().find_class(module_name, global_name)
