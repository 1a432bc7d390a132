"""What was made of a document, kept in it."""
