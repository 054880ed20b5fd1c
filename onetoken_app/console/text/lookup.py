"""The one function that pages get their words by.

Pages are compiled once for everybody, and the language is a person's: a text is a Var that holds both catalogues'
words and chooses in the browser.
"""

import reflex as rx

from onetoken_app.console.locale import LocaleState
from onetoken_app.console.text.catalogues import CATALOGUES, Locale
from onetoken_app.console.values import Value


def text(key: str, **values: Value | str) -> Value:
    """Return the words of a key in the reader's language.

    Args:
        key: A key of both catalogues.
        values: What stands in the words' braces; Vars or plain texts.

    Raises:
        KeyError: A catalogue lacks the key or the words ask for another value.
    """
    words = {locale: catalogue[key].format(**values) for locale, catalogue in CATALOGUES.items()}
    return rx.cond(LocaleState.is_chinese, words[Locale.CHINESE], words[Locale.ENGLISH])
