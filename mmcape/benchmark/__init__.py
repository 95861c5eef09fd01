"""What the published way of doing things costs, and ours beside it."""
