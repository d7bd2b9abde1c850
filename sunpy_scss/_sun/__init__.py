"""Geometry, and nothing else: grids, the solar surface, polygons on it."""
