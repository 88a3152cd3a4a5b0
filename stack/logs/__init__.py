"""The logs of all servers and tasks, merged: what `make logs` shows."""
