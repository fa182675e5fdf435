"""Small sets of questions, and the floors under which quality may not fall by accident."""
