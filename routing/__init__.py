"""Roads: import, travel times, closures, stop points. Knows nothing of riders or shuttles."""

from routing.kernels import keep_kernels

keep_kernels()
