"""The bank in the box: the gateways' own HTTP dialects, a pay page, faults on demand. Knows none of our adapters."""
