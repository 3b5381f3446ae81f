"""Store: the library on disk, its ledger and its vector cache. The one writer."""
