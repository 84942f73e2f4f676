"""Item models: snapshots of rows that announce small changes. They never reset for a status change."""
