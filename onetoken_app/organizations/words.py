"""Words of one's own that staff and customers write to each other."""

from onetoken_app.errors import BadRequest

WORDS_CHARACTERS_MAX = 1000


def checked_words(words: str, *, are_required: bool = False) -> str:
    """Trim some lines.

    Raises:
        BadRequest: There are too many characters, some that cannot be printed, or none where some are needed.
    """
    words = words.strip()
    if len(words) > WORDS_CHARACTERS_MAX or not all(line.isprintable() for line in words.splitlines()):
        raise BadRequest(f"At most {WORDS_CHARACTERS_MAX} printable characters.", parameter="words")
    if are_required and not words:
        raise BadRequest("Say in words of your own what the reason is.", parameter="words")
    return words
