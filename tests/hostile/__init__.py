"""A workspace that means harm, given to the MCP server and to the language server."""
