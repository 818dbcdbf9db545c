"""The officers' console: server-rendered pages that work without a script."""
