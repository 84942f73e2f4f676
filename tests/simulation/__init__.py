"""A shop on simulated time: real services and loops, the sandbox's own bank, and everything between them unreliable."""
