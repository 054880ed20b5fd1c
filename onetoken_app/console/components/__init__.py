"""Parts of pages, made once. They take values and handlers, and know no State of a page."""
