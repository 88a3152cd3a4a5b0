"""Who may use the home page: users, their passwords, sessions, and the guard in front of every page."""
