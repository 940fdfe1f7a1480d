"""Profiles, configurations, plans and policies are changed, renamed and deleted, with what hangs on them."""
