"""HTTP API for programs: `/v1`, its OpenAI-compatible part, and MCP."""
