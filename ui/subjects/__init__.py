"""What a person wrote as themselves: sealed under a key of that person, which an erasure destroys."""
