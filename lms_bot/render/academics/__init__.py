"""How students do in their studies, in words."""
