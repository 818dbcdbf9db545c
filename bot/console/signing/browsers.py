"""What a list of sessions calls a browser: its family and system, and no more."""

_FAMILIES = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def label_of(user_agent: str) -> str:
    """Return a coarse name ("Firefox, Linux"), "" for what is no browser we know."""
    found = (_first(user_agent, kinds) for kinds in (_FAMILIES, _SYSTEMS))
    return ", ".join(name for name in found if name)


def _first(user_agent: str, kinds: tuple[tuple[str, str], ...]) -> str:
    return next((name for mark, name in kinds if mark in user_agent), "")
