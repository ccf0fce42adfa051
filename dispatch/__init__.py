"""Takes ride requests and adjusts shuttles' routes in real time."""
