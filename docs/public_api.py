"""Writes ``docs/reference/public-api.md`` from the docstrings of the names that a project imports from ``tailgate``.

``python docs/public_api.py`` writes it anew; a test compares it. The source is read, not imported: the documentation
then needs none of what the instrument needs.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from inspect import cleandoc
from itertools import zip_longest
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "tailgate"
PAGE = ROOT / "docs" / "reference" / "public-api.md"
HEAD = """\
# Public API

A project imports these names from `tailgate`; whatever else is inside may change. Markers and options are in
[options](options.md), the saved fields in [JSON fields](json-fields.md). `python docs/public_api.py` writes this page
from the docstrings.

"""
Definition = ast.FunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign


def public_names() -> dict[str, str]:
    """Of each name, the module and what it is called there: ``tailgate.files:replace_text``."""
    for node in ast.parse((SOURCE / "__init__.py").read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_PUBLIC":
            places: dict[str, str] = ast.literal_eval(node.value)
            return {name: place if ":" in place else f"{place}:{name}" for name, place in places.items()}
    raise LookupError("tailgate/__init__.py has no _PUBLIC")


def page() -> str:
    """The whole page, in Markdown."""
    parts = [_entry(name, place) for name, place in sorted(public_names().items(), key=lambda pair: pair[0].lower())]
    return HEAD + "\n".join(parts)


def _entry(name: str, place: str) -> str:
    module, _, there = place.partition(":")
    found, text = _definition(module, there)
    lines = [f"## `{name}`", "", "```python", *_signature(found, name), "```", ""]
    if text is None:
        raise LookupError(f"{place} has no docstring")
    lines += [_prose(text), ""]
    members = [f"- `{member}`:\n  {_prose(said, within=True)}" for member, said in _members(found)]
    return "\n".join([*lines, *members, ""] if members else lines)


def _definition(module: str, name: str) -> tuple[Definition, str | None]:
    """Where it is defined, and its docstring."""
    path = SOURCE.joinpath(*module.split(".")[1:])
    body = ast.parse((path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text()).body
    for found, text in _documented(body):
        if _name(found) == name:
            return found, text
    raise LookupError(f"{module} defines no {name}")


def _documented(body: Sequence[ast.stmt]) -> Iterator[tuple[Definition, str | None]]:
    """What is defined in a body: a function or class with its own docstring, a variable with the text after it."""
    for node, after in zip_longest(body, body[1:]):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node, ast.get_docstring(node)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            said = after.value.value if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) else None
            yield node, cleandoc(said) if isinstance(said, str) else None


def _name(node: Definition) -> str:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return node.name
    return ast.unparse(node.target if isinstance(node, ast.AnnAssign) else node.targets[0])


def _signature(node: Definition, name: str) -> list[str]:
    if isinstance(node, ast.FunctionDef):
        decorators = {ast.unparse(one) for one in node.decorator_list}
        returns = ast.unparse(node.returns) if node.returns else "None"
        if decorators & {"property", "cached_property"}:
            return [f"{name}: {returns}"]
        shown = [f"@{one}" for one in decorators if one.endswith("contextmanager")]
        return [*shown, f"def {name}({ast.unparse(node.args)}) -> {returns}"]
    if isinstance(node, ast.ClassDef):
        bases = ", ".join(ast.unparse(base) for base in node.bases)
        return [f"class {name}({bases})" if bases else f"class {name}"]
    return [f"{name}: {ast.unparse(node.annotation)}" if isinstance(node, ast.AnnAssign) else name]


def _members(node: Definition) -> Iterator[tuple[str, str]]:
    """A class's public methods and fields that have a docstring."""
    for found, text in _documented(node.body if isinstance(node, ast.ClassDef) else []):
        if text and not _name(found).startswith("_"):
            yield " ".join(_signature(found, _name(found))).removeprefix("def "), text


def _prose(docstring: str, within: bool = False) -> str:
    """Markdown of a docstring: code in single backticks, its sections as bold words and lists."""
    text = re.sub(r"``([^`]+)``", r"`\1`", docstring)
    text = re.sub(r"^(Args|Raises|Returns|Yields):\n", r"**\1**\n\n", text, flags=re.MULTILINE)
    text = re.sub(r"^ {4}(\w+): ", r"- `\1`: ", text, flags=re.MULTILINE)
    text = re.sub(r"^ {4,}(?=\S)", "  ", text, flags=re.MULTILINE)
    return re.sub(r"\n(?=.)", "\n  ", text) if within else text


if __name__ == "__main__":
    PAGE.write_text(page())
