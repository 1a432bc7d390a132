"""Parts of the fuzz of the wire: see benchmarks/fuzz_wire.py."""
