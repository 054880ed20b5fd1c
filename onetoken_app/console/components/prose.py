"""A text of many paragraphs, drawn from blocks: elements and words only, never HTML."""

import reflex as rx

from onetoken_app.console.values import Value


def prose(blocks: Value) -> rx.Component:
    """Draw a text."""
    return rx.el.div(rx.foreach(blocks, _block), class_name="prose")


def _block(block: Value) -> rx.Component:
    """Draw one part."""
    return rx.match(
        block.kind,
        ("title", rx.el.h1(_spans(block.spans), id=block.anchor)),
        ("section", rx.el.h2(_spans(block.spans), id=block.anchor)),
        ("subsection", rx.el.h3(_spans(block.spans), id=block.anchor)),
        ("bullets", rx.el.ul(rx.foreach(block.lines, lambda line: rx.el.li(_spans(line.spans))))),
        ("numbers", rx.el.ol(rx.foreach(block.lines, lambda line: rx.el.li(_spans(line.spans))))),
        ("table", _table(block)),
        ("code", rx.el.pre(_spans(block.spans), tab_index=0)),
        rx.el.p(_spans(block.spans)),
    )


def _table(block: Value) -> rx.Component:
    """Draw a table; on a narrow screen it scrolls by itself."""
    return rx.el.div(
        rx.el.table(
            rx.el.thead(rx.el.tr(rx.foreach(block.lines, lambda line: rx.el.th(_spans(line.spans), scope="col")))),
            rx.el.tbody(
                rx.foreach(
                    block.rows,
                    lambda row: rx.el.tr(rx.foreach(row.cells, lambda line: rx.el.td(_spans(line.spans)))),
                )
            ),
        ),
        class_name="prose-table",
        tab_index=0,
    )


def _spans(spans: Value) -> rx.Component:
    """Draw the pieces of a line."""
    return rx.foreach(
        spans,
        lambda span: rx.match(
            span.kind,
            ("strong", rx.el.strong(span.text)),
            ("emphasis", rx.el.em(span.text)),
            ("code", rx.el.code(span.text)),
            ("link", rx.el.a(span.text, href=span.href)),
            rx.el.span(span.text),
        ),
    )
