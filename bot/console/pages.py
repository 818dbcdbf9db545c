"""Pages are Jinja2 templates: everything is escaped, a missing name is an error."""

from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

_ENVIRONMENT = Environment(
    loader=PackageLoader("bot.console", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)


def answer(template: str, values: Mapping[str, Any], *, status: int = 200) -> Response:
    """Render a template into a response; lone surrogates become question marks."""
    text = _ENVIRONMENT.get_template(template).render(values)
    return HTMLResponse(text.encode("utf-8", "replace"), status_code=status)
