"""One self-contained page: results and verdicts. Nothing in it runs, and nothing is fetched."""

from collections.abc import Sequence

from tailgate.results.pages.content import Content, of_run
from tailgate.results.saved_run import Run

NAME = "html"
TEMPLATE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ pages[0].title }}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 80em; padding: 0 1em; color: #1a1a1a }
table { border-collapse: collapse; margin: 1em 0 2em; display: block; overflow-x: auto }
th, td { padding: .25em .8em; border-bottom: 1px solid #ddd; text-align: right; vertical-align: top }
th { border-bottom: 2px solid #888 }
th:first-child, td:first-child, .text { text-align: left }
.fail, .missing { color: #b00020; font-weight: 600 }
.undecided, .incomparable { color: #8a5a00 }
.improved, .pass { color: #1b6e2c }
@media (prefers-color-scheme: dark) {
body { background: #16181c; color: #e4e4e4 } th, td { border-color: #444 }
.fail, .missing { color: #ff7b7b } .undecided, .incomparable { color: #e0b050 } .improved, .pass { color: #7fd08f }
}
</style>
</head>
<body>
{%- for page in pages %}
<h1>{{ page.title }}</h1>
{%- for fact in page.facts %}
<div>{{ fact }}</div>
{%- endfor %}
{%- if page.verdicts %}
<h2>Verdicts: {{ page.summary }}</h2>
{%- if page.failures %}
<ul>
{%- for text in page.failures %}
<li>{{ text }}</li>
{%- endfor %}
</ul>
{%- endif %}
<table>
<tr>{% for heading in page.verdicts_headings %}<th>{{ heading }}</th>{% endfor %}</tr>
{%- for row in page.verdicts %}
<tr>{% for cell in row -%}
<td class="{{ row[0] if loop.first else 'text' if loop.index in (2, 3) or loop.last else '' }}">{{ cell }}</td>
{%- endfor %}</tr>
{%- endfor %}
</table>
{%- endif %}
{%- for table in page.operators %}
<h2>{{ table.title }}</h2>
{%- for fact in table.facts %}
<div>{{ fact }}</div>
{%- endfor %}
{%- if table.rows %}
<table>
<tr>{% for heading in table.headings %}<th>{{ heading }}</th>{% endfor %}</tr>
{%- for row in table.rows %}
<tr>{% for cell in row -%}
<td class="{{ 'text' if loop.index < 4 or loop.last else '' }}">{{ cell }}</td>
{%- endfor %}</tr>
{%- endfor %}
</table>
{%- endif %}
{%- endfor %}
<h2>Results</h2>
<table>
<tr>{% for heading in page.results_headings %}<th>{{ heading }}</th>{% endfor %}</tr>
{%- for row in page.results %}
<tr>{% for cell in row -%}
<td class="{{ 'text' if loop.index == 2 or loop.last else '' }}">{{ cell }}</td>
{%- endfor %}</tr>
{%- endfor %}
</table>
{%- endfor %}
</body>
</html>
"""


def render(runs: Sequence[Run]) -> str:
    """One page with all runs, one below the other."""
    return page([of_run(run) for run in runs])


def page(pages: Sequence[Content]) -> str:
    """Every value is escaped, whatever it is."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined)
    return environment.from_string(TEMPLATE).render(pages=pages) + "\n"
