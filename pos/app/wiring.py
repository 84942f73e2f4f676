"""All construction in one readable place, top to bottom. Qt-free."""
