"""Fetching: one page at a time from its address, with limits, politely, once.

``framing.acquire.fetch.fetch.fetch`` gets a page, or has it from the cache;
``framing.acquire.fetch.compare`` says how a text got anew differs from the one that is frozen. The
library that speaks HTTP is of the extra ``reading`` and is loaded only when something is asked for.
"""
