"""How a student does in their studies, as far as a principal may know."""
