"""Speed and memory, always as ratios against a peer or a limit in the same run; results are kept as JSON."""
