"""What expressions are held to."""

MAX_LEVELS = 50
MAX_MAGNITUDE = 10**12
MAX_DIGITS = 15
"""`round` of a whole number to -10**9 digits would compute 10**(10**9)."""
