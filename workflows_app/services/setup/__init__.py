"""What a fresh machine needs before anything can be done."""
