"""How sure the desk says it is: nobody is ever certain, a model least of all."""

SUREST = 0.99


def admitted(confidence: float) -> float:
    """A confidence 0..1 as it is told to people."""
    return min(confidence, SUREST)
