"""Dispatcher and store killed, stopped, cut off and fed twice, under load; and what they promised judged afterwards."""
