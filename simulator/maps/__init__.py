"""The maps that come with Naru: real towns from OpenStreetMap (© OpenStreetMap contributors, ODbL 1.0)."""

from routing.shipped import shipped_map, shipped_maps

__all__ = ["shipped_map", "shipped_maps"]
