"""An examination as aligned text, or as JSON."""

import dataclasses
import json
import re
import shutil
import textwrap

from tailgate.machine.doctor import GROUPS, Examination, disturbing
from tailgate.machine.doctor.model import STATES
from tailgate.text import UNPRINTABLE, printable

NARROWEST, WIDEST = 60, 100
_STATE_WIDTH = max(map(len, STATES))


def terminal_width() -> int:
    """The terminal's, within reason; what goes into a file or pipe is as wide as we like it."""
    return max(NARROWEST, min(WIDEST, shutil.get_terminal_size((WIDEST, 24)).columns))


def as_text(examination: Examination, width: int = WIDEST) -> str:
    """Two headings, a line for each finding, commands indented below; at the end, what it comes to.

    Commands are never wrapped: they are there to be copied.
    """
    topic_width = max(len(finding.topic) for findings in examination.values() for finding in findings)
    indent = " " * (2 + _STATE_WIDTH + 2 + topic_width + 2)
    lines = []
    for group, findings in examination.items():
        lines += [GROUPS[group], ""]
        for finding in findings:
            head = f"  {finding.state:<{_STATE_WIDTH}}  {printable(finding.topic):<{topic_width}}  "
            lines += _wrapped(printable(finding.text), width, head, indent)
            if finding.remedy:
                lines.append(f"{indent}$ {printable(finding.remedy)}")
        lines.append("")
    return "\n".join([*lines, summary(examination), ""])


def _wrapped(text: str, width: int, head: str, indent: str) -> list[str]:
    """Lines of at most ``width``; a number stays with its unit, and commands and paths in one piece."""
    glued = re.sub(r"(?<=\d) (?=[A-Za-zµ%°])", "\N{NO-BREAK SPACE}", text)
    wrapped = textwrap.wrap(
        glued, width, initial_indent=head, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in wrapped]


def summary(examination: Examination) -> str:
    """The last line: how many findings disturb, and the exit code that follows."""
    count = len(disturbing(examination))
    if not count:
        return "Nothing found that disturbs measurements on this machine; exit code 0"
    things = "thing disturbs" if count == 1 else "things disturb"
    return f"{count} {things} measurements on this machine (see above); exit code 1"


def as_json(examination: Examination) -> str:
    """A list of findings, each with its group; what a terminal would obey is written as JSON's escapes."""
    rows = [
        {"group": group, **dataclasses.asdict(finding)}
        for group, findings in examination.items()
        for finding in findings
    ]
    text = json.dumps(rows, indent=2, ensure_ascii=False)
    lines = (UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", line) for line in text.split("\n"))
    return "\n".join(lines) + "\n"
