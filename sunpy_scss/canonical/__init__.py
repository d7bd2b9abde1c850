"""From a Map to what a network sees, and back; private as a whole."""
