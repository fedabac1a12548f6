"""What expressions are held to."""

MAX_CHARACTERS = 2_000
MAX_LEVELS = 50
MAX_STEPS = 1_000_000
MAX_ITEMS = 100_000
MAX_MAGNITUDE = 10**12
MAX_TEXT = 10_000
MAX_DIGITS = 15
"""`round` of a whole number to -10**9 digits would compute 10**(10**9)."""
