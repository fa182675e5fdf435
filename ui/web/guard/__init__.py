"""The request guard: what every request must pass before Gradio or the API sees it."""
