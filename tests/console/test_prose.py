"""Markdown becomes elements and words: nothing of it is ever HTML or a script."""

import pytest

from onetoken_app.agreements.documents import TEXTS, documents
from onetoken_app.console.shown.prose import Block, Line, Row, Span, SpanKind, blocks_of


def words(block: Block) -> str:
    """Read everything a block says."""
    cells = [cell for row in block.rows for cell in row.cells]
    lines = [block.spans, *[line.spans for line in (*block.lines, *cells)]]
    return "".join(span.text for spans in lines for span in spans)


class TestBlocksOf:
    def test_headings_have_levels_and_anchors(self) -> None:
        assert blocks_of("# Terms\n\n## 5. What is kept\n\n### More & more") == (
            Block(kind="title", anchor="terms", spans=[Span(text="Terms")]),
            Block(kind="section", anchor="section-5", spans=[Span(text="5. What is kept")]),
            Block(kind="subsection", anchor="more-more", spans=[Span(text="More & more")]),
        )

    def test_lines_of_a_paragraph_are_joined_and_marks_kept(self) -> None:
        (block,) = blocks_of("one\ntwo **three** `four` *five*")
        assert [(span.kind, span.text) for span in block.spans] == [
            ("plain", "one two "),
            ("strong", "three"),
            ("plain", " "),
            ("code", "four"),
            ("plain", " "),
            ("emphasis", "five"),
        ]

    def test_lists_and_tables_keep_their_shape(self) -> None:
        bullets, numbers, table = blocks_of("- a\n- b\n\n1. c\n\n| h | i |\n|---|---|\n| j | k |")
        assert (bullets.kind, [words(Block(spans=line.spans)) for line in bullets.lines]) == ("bullets", ["a", "b"])
        assert numbers.kind == "numbers"
        assert table.lines == [Line([Span(text="h")]), Line([Span(text="i")])]
        assert table.rows == [Row([Line([Span(text="j")]), Line([Span(text="k")])])]

    @pytest.mark.parametrize(
        "hostile",
        [
            pytest.param("<script>alert(1)</script>", id="a script"),
            pytest.param("<img src=x onerror=alert(1)>", id="an element with a handler"),
            pytest.param("text <b onclick='x'>bold</b>", id="an element inside a line"),
        ],
    )
    def test_html_is_words(self, hostile: str) -> None:
        (block,) = blocks_of(hostile)
        assert words(block) == hostile
        assert {span.kind for span in block.spans} == {SpanKind.PLAIN}

    @pytest.mark.parametrize(
        ("address", "is_followed"),
        [
            pytest.param("https://onetoken.one/x", True, id="another site"),
            pytest.param("/privacy", True, id="this site"),
            pytest.param("#section-5", True, id="this page"),
            pytest.param("mailto:legal@test.example", True, id="a mail"),
            pytest.param("javascript:alert(1)", False, id="a script"),
            pytest.param("JaVaScRiPt:alert(1)", False, id="a script in disguise"),
            pytest.param("data:text/html,x", False, id="a document of its own"),
            pytest.param("//evil.example", False, id="another site in disguise"),
        ],
    )
    def test_links_lead_only_where_they_may(self, address: str, is_followed: bool) -> None:  # noqa: FBT001 # a case
        spans = blocks_of(f"[go]({address})")[0].spans
        assert [span.href for span in spans if span.kind == SpanKind.LINK] == ([address] if is_followed else [])

    def test_a_picture_and_a_rule_leave_only_words(self) -> None:
        assert [words(block) for block in blocks_of("![seen](http://x.example/y.png)\n\n---\n\nend")] == ["seen", "end"]

    @pytest.mark.parametrize("text", [document.text for document in documents(TEXTS)])
    def test_no_clause_of_an_agreement_is_lost(self, text: str) -> None:
        said = "".join("".join(words(block).split()) for block in blocks_of(text))
        for line in text.splitlines():
            for piece in line.replace("|", "*").replace("`", "*").split("*"):
                bare = "".join(piece.lstrip("#-0123456789. ").split())
                assert bare in said or set(bare) <= {"-"}
