"""The cost of segmenting, by stage and as a whole; see ``stages.py``."""
