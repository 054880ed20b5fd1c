"""The control plane: pages in pure Python. The only package that imports Reflex."""
