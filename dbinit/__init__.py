"""Databases, roles, schemas and grants: two lines of migrations, and passwords that follow the environment."""
