"""Geometry only: grids, the solar surface, and polygons on it."""
