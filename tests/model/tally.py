"""What a campaign of the long scripts found."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Tally:
    """What a campaign of mutants found."""

    mutants: int = 0
    loaded: int = 0
    slowest: float = 0.0
    failures: list[str] = field(default_factory=list)
    examples: list[bytes] = field(default_factory=list)

    def fail(self, text: str, data: bytes) -> None:
        """Record a failure with the file that caused it."""
        self.failures.append(text)
        self.examples.append(data)
