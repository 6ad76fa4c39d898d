"""The Annotate tab."""

from annotation.ui.tab import AnnotateTab

__all__ = ["AnnotateTab"]
