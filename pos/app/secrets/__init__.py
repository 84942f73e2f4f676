"""Where secrets come from, and where they lie: the environment, a file of mode 600, the system's keyring, the vault.

In that order. The first two are read only; what is kept goes to the keyring, or, where there is none that can be relied
on, into a vault that a passphrase opens. Nothing is ever written in plain text, and values never appear in messages or
logs. Calls may block (D-Bus, the derivation of a key); long-lived programs make them at start or in a thread.

`plain` reads environment and files, `ring` the keyring, `vault` keeps the sealed file whose bytes `sealed` knows,
`chain` puts them in order. Nothing but this package opens any of them.
"""

from pos.app.secrets.chain import ChainedSecrets, open_secrets
from pos.app.secrets.names import FILE_VARIABLE, PREFIX, NamedSource, check_name, check_value, is_live, variable
from pos.app.secrets.plain import EnvironmentSecrets, FileSecrets
from pos.app.secrets.ring import NO_KEYRING_HINT, REAL_KEYRINGS, KeyringSecrets, is_real
from pos.app.secrets.vault import Vault

__all__ = [
    "FILE_VARIABLE",
    "NO_KEYRING_HINT",
    "PREFIX",
    "REAL_KEYRINGS",
    "ChainedSecrets",
    "EnvironmentSecrets",
    "FileSecrets",
    "KeyringSecrets",
    "NamedSource",
    "Vault",
    "check_name",
    "check_value",
    "is_live",
    "is_real",
    "open_secrets",
    "variable",
]
