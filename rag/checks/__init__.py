"""What a statement must keep of its passage, and how well a passage bears it out."""
