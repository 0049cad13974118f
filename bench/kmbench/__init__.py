"""The comparison of allocators: see bench/README.md."""
