"""One provider, one small file: parse, send, fetch, limits as data."""
