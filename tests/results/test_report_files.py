from pathlib import Path

from tailgate.commands.report import files


def test_attachments_lie_beside_the_text_under_its_name():
    written = files(Path("out/a.md"), "text", {".csv": b"1", "-smir.png": b"2"})
    assert written == {Path("out/a.md"): b"text", Path("out/a.csv"): b"1", Path("out/a-smir.png"): b"2"}


def test_where_the_output_names_an_attachment_the_text_goes_to_markdown():
    assert files(Path("a.csv"), "text", {".csv": b"1"}) == {Path("a.md"): b"text", Path("a.csv"): b"1"}
