"""The demo: a sample shop with its relay and its bank as real processes, and a story played in it."""
