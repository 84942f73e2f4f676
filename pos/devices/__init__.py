"""Receipt printer, drawer, scanner, scale: what stands on the counter."""
