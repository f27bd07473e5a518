"""What programs may know over the web."""
