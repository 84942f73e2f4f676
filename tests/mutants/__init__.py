"""Mistakes that other systems shipped, as patches against `pos/`: the ordinary tests must notice every one."""
