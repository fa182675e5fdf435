"""Endpoints that OpenAI's clients understand: Responses, Chat Completions, models."""
