"""Databases, roles, schemas and grants: two lines of migrations, and passwords from the environment."""
