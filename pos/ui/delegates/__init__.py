"""Delegates paint rows straight from the model's own values, without a data() call per role."""
