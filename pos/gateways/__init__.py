"""One adapter per payment provider; foreign words and errors stop here."""
