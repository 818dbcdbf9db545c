"""What a file is, and what of it an officer may see: copies without what betrays anybody."""
