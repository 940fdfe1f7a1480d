"""What runs print: kept, streamed, searched."""
