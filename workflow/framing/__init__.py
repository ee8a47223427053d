"""From a codebook to a citable number: how a body of texts frames a relation.

The rooms, in the order in which the data pass through them; each imports only from its left:

``corpus``
    sources, passages, derived facts, the sample: reading, checking, writing.
``coding``
    the codebook, its cues, the codings of several coders.
``model``
    one classifier per code, trained on derived facts, cross-fitted by source.
``inference``
    agreement, prevalence, contrasts, each with an interval.
``output``
    tables, figures, the report, manifest and provenance.
"""
