"""What every room of the desk uses: clock, errors, ids, database, translation, blobs."""
