"""Coders that are programs: what they are told, how they are asked, and what they answered.

A program (:mod:`framing.acquire.machine.programs`) is given passages and gives answers, one at a
time. Everything else is the same for all of them: the prompt, made from the codebook
(:mod:`.prompt`); how an answer is read (:mod:`.answers`); the record of answers (:mod:`.record`),
from which alone tables are made (:mod:`.tables`); and the run that ends, goes on and asks nothing
twice (:mod:`.run`).
"""
