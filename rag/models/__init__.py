"""The embedding models, cross-encoders and chat models: by name, and where their weights lie."""
