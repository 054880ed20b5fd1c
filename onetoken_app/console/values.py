"""The type of what a component shows."""

from typing import Any

Value = Any
"""A text, or a Var of a State. Reflex makes a Var of a State's field at run time; a type checker sees the field."""
