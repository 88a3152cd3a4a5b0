"""The pages, one module each; `show()` draws it.

This folder must not be called `pages`: Streamlit would take its modules for scripts of its own until the first view.
"""
