"""The live service: riders, drivers and operators on one dispatcher that loses nothing."""
