"""Figures: masks over the images that they were drawn from, and what a model is worth."""

from sunpy_scss._plot_maps import cases, comparison, overlay
from sunpy_scss._plot_scores import evaluation_page, scores_over_time, training_history

__all__ = ["cases", "comparison", "evaluation_page", "overlay", "scores_over_time", "training_history"]
