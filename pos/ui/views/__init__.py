"""Panels and screens: built from widgets and models; they emit signals and never climb to their parents."""
