"""REFI-QDA: projects (``.qdpx``) and codebooks (``.qdc``) of programs for qualitative analysis.

``read.read_project`` reads a project, ``mapping.map_onto_passages`` turns its selections into
codings of passages, ``write.project_bytes`` writes a project, ``codebooks`` does the same for
codebooks. Each says what it does not carry (:class:`~framing.acquire.refi.project.Loss`). The
format is REFI-QDA 1.5 with the schemas of QDA-XML 1.0 (www.qdasoftware.org).

The library pyrefiqda (0.3.1, MIT, kept) is not used: it unpacks an archive to disk without limits,
reads only what fits its strict models (with pydantic and xsdata below it), and knows neither texts
nor offsets, which is where the work lies; lxml, which the extra ``reading`` has anyway, does.
"""
