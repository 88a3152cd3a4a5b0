"""The generator of the auto-insurance sample: who the customers are, who claims, how the file looks."""
