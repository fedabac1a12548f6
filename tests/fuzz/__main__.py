"""Runs the fuzzer: guided by coverage where atheris is installed, else by Hypothesis. Findings stay in `build/fuzz/`.

    python -m tests.fuzz --minutes 10
    python -m tests.fuzz build/fuzz/crash-...       one finding again
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "build" / "fuzz"
WORDS = (
    "<<", "&a", "*a", "!!", "$(", "$n", ")", "archc: 1", "name: net", "input: [8, 8, 4]", "layers:", "macros:", "params:", "let:", "variants:", "notation:",
    "use:", "expect:", "outputs:", "body:", "repeat:", "for:", "when:", "as:", "from:", "share:", "side:", "steps:", "branches:", "conv:", "dense:", "concat:",
    "add:", "batch_norm", "relu", "flatten", "index", "range(", "len(", "if", "else", "[", "]", "{", "}", ": ", "- ", "\\n", "\\t", "---", "|", ">", "'", "\\\"", "#",
)
SECONDS, MEGABYTES = 60, 2048
"""What one input may take: instrumented code is five to ten times slower, and the limit is 5 seconds without."""


def main() -> None:
    """Reads the call, and fuzzes or replays."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("inputs", nargs="*", type=Path, help="findings to run again")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.inputs:
        from tests.fuzz.target import from_bytes

        for one in options.inputs:
            from_bytes(one.read_bytes())
        return
    corpus = OUT / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    seeds(corpus)
    (guided if find_spec("atheris") else drawn)(options.minutes, options.seed, corpus)


def seeds(corpus: Path) -> None:
    """The golden cases and the shipped specs as bytes, and some choices for the grammar."""
    for path in (*ROOT.glob("tests/golden/diagnostics/*/*.yaml"), *ROOT.glob("specs/*.yaml"), *ROOT.glob("specs/blocks/*.yaml")):
        if path.stat().st_size < 8_000 and not path.parent.name.startswith("E707"):  # what is long by design slows all down
            (corpus / f"seed-{path.parent.name}-{path.stem}").write_bytes(b"\x01" + path.read_bytes())
    draw = random.Random(0)
    for at in range(200):
        (corpus / f"seed-choices-{at}").write_bytes(b"\x00" + draw.randbytes(draw.randrange(20, 200)))


def guided(minutes: float, seed: int, corpus: Path) -> None:
    """libFuzzer chooses the bytes by what new code they reach."""
    import atheris  # pyright: ignore[reportMissingImports]

    with atheris.instrument_imports(include=["archc"]):
        from tests.fuzz.target import from_bytes
    words = OUT / "words.txt"
    words.write_text("".join(f'"{one}"\n' for one in WORDS).replace("\\n", "\\x0a").replace("\\t", "\\x09"))
    flags = [
        f"-max_total_time={int(minutes * 60)}", f"-seed={seed}", f"-dict={words}", f"-artifact_prefix={OUT}/", "-max_len=8192", f"-timeout={SECONDS}",
        f"-rss_limit_mb={MEGABYTES}", "-print_final_stats=1", "-verbosity=1",
    ]
    atheris.Setup([sys.argv[0], *flags, str(corpus)], from_bytes)
    atheris.Fuzz()


def drawn(minutes: float, seed: int, corpus: Path) -> None:
    """Hypothesis draws the bytes: choices for the grammar, and the seeds with pieces put in, taken out and joined."""
    from hypothesis import HealthCheck, given, settings
    from hypothesis import seed as seeded
    from hypothesis import strategies as st

    from tests.fuzz.target import from_bytes

    texts = [one.read_bytes() for one in sorted(corpus.iterdir())]

    @st.composite
    def spliced(draw: st.DrawFn) -> bytes:
        text = draw(st.sampled_from(texts))
        start = draw(st.integers(1, len(text)))
        end = draw(st.integers(start, min(len(text), start + 40)))
        piece = draw(st.one_of(st.sampled_from(WORDS).map(str.encode), st.binary(max_size=8)))
        return text[:start] + piece + text[end:]

    count = 0
    stop = time.monotonic() + 60 * minutes
    while time.monotonic() < stop:

        @seeded(seed + count)
        @settings(max_examples=1000, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(st.one_of(st.binary(max_size=300).map(b"\x00".__add__), spliced(), st.binary(max_size=300).map(b"\x01".__add__)))
        def run(data: bytes) -> None:
            try:
                from_bytes(data)
            except BaseException:
                (OUT / "crash-hypothesis").write_bytes(data)
                raise

        run()
        count += 1000
        print(f"{count:,} inputs", flush=True)


if __name__ == "__main__":
    main()
