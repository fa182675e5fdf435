"""Embedding models, cross-encoders and chat models."""
