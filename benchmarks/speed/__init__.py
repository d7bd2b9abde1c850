"""What segmenting costs, stage by stage and as a whole; see ``stages.py``."""
