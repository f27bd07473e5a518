"""What AI agents are answered by the Model Context Protocol: tools that read, with the rights of a token."""
