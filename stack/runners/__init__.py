"""How the platform starts and stops: `embedded` as processes of this machine, `compose` in containers."""
