"""How long a text is for a provider, and how a long one is cut."""


def split(text: str, limit: int) -> list[str]:
    """Cut a text into parts of at most ``limit`` UTF-16 units, at blanks if possible."""
    parts: list[str] = []
    while width(text) > limit:
        head = text[:limit]
        while (excess := width(head) - limit) > 0:
            head = head[: -((excess + 1) // 2)]
        cuts = (head.rfind(blank) for blank in ("\n\n", "\n", " "))
        cut = next((cut for cut in cuts if cut > len(head) // 2), len(head))
        parts.append(text[:cut].rstrip())
        text = text[cut:].lstrip()
    parts.append(text)
    return [part for part in parts if part] or [""]


def width(text: str) -> int:
    """Return the length in UTF-16 units, the strictest way in which providers count."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
