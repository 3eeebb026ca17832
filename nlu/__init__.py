"""Understanding: text in, a `Turn` out. It never touches the database or the network."""
