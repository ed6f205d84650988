"""The one rule by which a count of people may be published."""


def published(count: int) -> int | None:
    """None hides 1 to 7; 0 stays 0; from 8 on the nearest 5."""
    if 1 <= count <= 7:
        return None
    return (count + 2) // 5 * 5
