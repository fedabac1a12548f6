"""Fuzzing: whatever bytes are given, archc answers with diagnostics or a network. `make fuzz MINUTES=10`."""
