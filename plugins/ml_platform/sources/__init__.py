"""Sources: rows of topics, tables and buckets of others come into the inbox as files, each range of them once."""
