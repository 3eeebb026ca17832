"""The operators' group: a view of the requests in a chat of the desk's own people, and who of its members is which operator."""
