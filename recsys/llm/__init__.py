"""Language models behind one small protocol: one backend a module, adapters, the list of known models."""
