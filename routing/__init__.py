"""Roads: import, travel times, closures, stop points. Knows nothing of riders or shuttles."""
