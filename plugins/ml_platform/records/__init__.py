"""What happened, read from the records: for people's pages, the command line and programs alike."""
