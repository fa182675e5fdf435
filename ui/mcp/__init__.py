"""MCP server: the archive as tools and resources for agents."""
