"""Small sets of questions, and floors for quality on them."""
