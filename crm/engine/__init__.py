"""Facts and commands decided on a store: the application layer between the pure domain and the servers."""
