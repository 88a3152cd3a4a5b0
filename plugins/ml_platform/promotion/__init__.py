"""How a challenger goes live: smoke test, gate, approval, alias, history, rollback."""
