"""Model zoo: small pretrained networks, each with the recipe that rebuilds it and scores that can be checked.

    entries()               what there is
    load("penguins")        a `Model`, preprocessing included
    train(entry, folder)    rebuilt from its recipe, to the bit on the same kind of machine
    verify(entry, folder)   its scores, computed again

Differs     zoos of pickles run code when they are opened; most leave the preprocessing out, and few say how a
            network came to be
"""

from minicolumn.zoo.catalogue import Zoo, entries, load
from minicolumn.zoo.entry import Entry
from minicolumn.zoo.rebuild import train
from minicolumn.zoo.verify import Verdict, verify

__all__ = ["Entry", "Verdict", "Zoo", "entries", "load", "train", "verify"]
