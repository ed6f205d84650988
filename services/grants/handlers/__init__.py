"""One handler for each fact heard and each act asked for: load, decide, save, say."""
