"""What a question says of itself: when, whose, which kind of answer, and what went before."""
