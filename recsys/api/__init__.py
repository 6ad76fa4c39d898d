"""The HTTP and MCP endpoints of this package: the functions that its tabs call, typed."""
