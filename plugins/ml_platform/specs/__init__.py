"""The specs: the YAML files under `datasets/`, their checks, and the rules that follow from them."""
