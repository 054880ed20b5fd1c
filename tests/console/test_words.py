"""What customers read says each thing by the word of the glossary: pages, mails, agreements, statements."""

import re
from pathlib import Path

import pytest

from onetoken_app.console.text.catalogues import CATALOGUES, Locale

ROOT = Path(__file__).parents[2]
GLOSSARY = ROOT / "docs" / "glossary.md"
LETTERS = ROOT / "onetoken_app" / "notifications" / "letters.py"
BANNED = {
    Locale.CHINESE: {
        "认证": "核验",
        "渠道": "通道",
        "线路": "通道",
        "中继": "中转",
        "区域": "地域",
        "可用额度": "可用余额",
        "账号": "账户",
        "预留": "预占",
        "冻结金额": "预占",
        "工作人员": "运营人员",
        "登陆": "登录",
        "租户": "组织",
        "令牌": "API 密钥",
        "撤销.{0,6}密钥": "吊销",
        "删除.{0,6}密钥": "吊销",
    },
    Locale.ENGLISH: {
        r"log(ged|s)? ?(in|out)\b": "sign in, sign out",
        r"dashboard": "console",
        r"tenants?": "organization",
        r"quotas?": "credit",
        r"gateway|prox(y|ies)": "relay",
        r"wallet": "account",
        r"use cases?": "declared scenario",
        r"(API|secret) tokens?": "API key",
        r"delet\w+ .{0,6}keys?": "revoke",
        r"zones? of (the|a) model": "region",
        r"magic links?": "mailed link",
    },
}
"""What is not said, and what is said instead."""


def texts(locale: Locale) -> dict[str, str]:
    """Return everything that is written for customers in a language, by where it stands."""
    files = [path for path in ROOT.glob("onetoken_app/*/texts/*.md") if path.name.endswith(f".{locale}.md")]
    assert len(files) >= 3
    # The letters of both languages stand in one file, and the words of one language cannot be those of the other.
    return {**CATALOGUES[locale], **{path.name: path.read_text() for path in [*files, LETTERS]}}


class TestWords:
    @pytest.mark.parametrize("locale", list(Locale))
    def test_are_those_of_the_glossary(self, locale: Locale) -> None:
        found = [
            f"{place}: {hit[0]!r}, say {instead!r}"
            for place, words in texts(locale).items()
            for banned, instead in BANNED[locale].items()
            if (hit := re.search(rf"\b{banned}" if locale is Locale.ENGLISH else banned, words, re.IGNORECASE))
        ]
        assert found == []

    def test_chinese_ones_stand_in_the_glossary(self) -> None:
        glossary = GLOSSARY.read_text()
        said = set(BANNED[Locale.CHINESE].values()) - {"吊销"}
        assert [word for word in said if word not in glossary] == []
