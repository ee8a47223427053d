"""Codings made elsewhere, taken over from tables: what they say, of which passage, by whom.

``formats`` and ``read`` make rows of files, ``options`` says which column is what, ``match`` finds
the passage of each row, ``tabulate`` makes codings of rows, ``write`` puts them with those that are
there, and ``take_over`` does all of it and says what came of it.
"""
