"""From a challenger to the live model: smoke test, gate, approval, alias, history."""
