"""What data are: the YAML files under `datasets/`, checked, and what follows from them."""
