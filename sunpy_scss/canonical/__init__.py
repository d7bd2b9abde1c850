"""The way from a Map to the input of a network, and back. All of it is private."""
