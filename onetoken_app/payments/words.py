"""Words of one's own that finance and customers write to each other; the rule is the organizations'."""

from onetoken_app.organizations.words import WORDS_CHARACTERS_MAX, checked_words

__all__ = ["WORDS_CHARACTERS_MAX", "checked_words"]
