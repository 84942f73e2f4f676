"""The second door: everything a till does, without a screen."""
