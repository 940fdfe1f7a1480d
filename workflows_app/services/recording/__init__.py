"""Writes down what Temporal did, so that pages need not ask it."""
