"""The protocol as a model that a checker explores whole; README.md says what stands for what."""
