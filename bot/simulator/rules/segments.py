"""How many SMS a text is: GSM-7 or, with one foreign character, UCS-2."""

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("^{}\\[~]|€\f")
GSM_ONE, GSM_MORE = 160, 153
UCS_ONE, UCS_MORE = 70, 67


def count(text: str) -> int:
    """Segments of a text; an empty one still takes one."""
    if all(letter in BASIC or letter in EXTENDED for letter in text):
        units = sum(2 if letter in EXTENDED else 1 for letter in text)
        one, more = GSM_ONE, GSM_MORE
    else:
        units = len(text.encode("utf-16-be", "surrogatepass")) // 2
        one, more = UCS_ONE, UCS_MORE
    return 1 if units <= one else -(-units // more)
