"""The generator of the auto-insurance sample: it draws customers and claims, and writes them as a dirty file."""
