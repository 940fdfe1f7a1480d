"""What is wrong is told to people and machines outside, once, and when it is over."""
