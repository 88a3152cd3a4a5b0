"""What the page Files is made of: the drop zone, the list, one file and what became of it."""
