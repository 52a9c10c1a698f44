"""Model cards: what a network is for, of which data it is made, and how it is made again."""

from minicolumn.model.card.record import Card, CardData

__all__ = ["Card", "CardData"]
