"""The same dispatch core under a virtual clock."""
