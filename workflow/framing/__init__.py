"""From a codebook to a citable number: how a body of texts frames a relation.

The rooms, in the order in which they may import from each other, are listed in CONTRIBUTING.md.
"""
