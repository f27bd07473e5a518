"""What a principal may know: every reading of data for somebody who asks."""
