"""The page at which people code: one passage at a time, every answer on disk before the next.

``journal`` keeps answers, ``pools`` says which draws may be coded and who has a share in them,
``order`` in which order, ``assignment`` who codes what, ``prepare`` lays out what is asked,
``desk`` is a coder's state, ``enter`` puts journals into tables of codings, ``page`` and ``app``
show all of it to a browser, ``serve`` runs the server, ``supervise`` tells the supervisor how far
everybody is, and ``disagreements`` is what an adjudicator is asked.
"""
