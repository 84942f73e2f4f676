"""The envelope between relay and till: known fields decoded strictly, unknown fields and kinds skipped."""
