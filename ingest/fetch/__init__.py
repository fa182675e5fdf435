"""HTTP client and crawler: robots.txt, rate limits, size limits, public addresses only."""
