"""The home page: what people see of the platform, and do with it, in a browser."""
